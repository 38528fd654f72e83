//! The detector's clock: a thread of its own, since nothing may hold it up.

use crate::base::clock;
use crate::event::news::{News, NewsQueue, StateNews};
use crate::flood::detector::TICK;
use crate::flood::state::{Change, FloodState};
use crate::verdict::{Policy, State};
use arc_swap::ArcSwap;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

/// The running detector. Dropping it ends it.
#[derive(Debug)]
pub struct Detect {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Detect {
    /// Starts the thread.
    pub fn start(policy: Arc<ArcSwap<Policy>>, state: Arc<State>, news: Arc<NewsQueue>) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name("weir-detector".into()).spawn(move || {
            while matches!(stopped.recv_timeout(TICK / 2), Err(mpsc::RecvTimeoutError::Timeout)) {
                let readings = policy.load().readings(&state);
                for change in state.flood.tick(&readings, clock::now()) {
                    tell(&change);
                    news.send(News::State(told(&change)));
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Detect {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the flood detector had panicked; the state of that moment stayed");
        }
    }
}

fn tell(change: &Change) {
    let (from, to, cause) = (change.from.name(), change.to.name(), change.cause.code());
    let text = format!("{}: {}", change.cause.text(), change.evidence);
    match change.to {
        FloodState::Normal => tracing::info!(from, to, cause, "flood state: {text}"),
        _ => tracing::warn!(from, to, cause, "flood state: {text}"),
    }
}

/// A change for the log, with every figure that it rests on.
fn told(change: &Change) -> StateNews {
    let evidence = &change.evidence;
    let text = format!("{}: {evidence}", change.cause.text());
    let mut news = StateNews::new("flood", change.from.name(), change.to.name(), change.at);
    for (name, value) in [
        ("offered", evidence.offered),
        ("capacity", evidence.capacity),
        ("usual", evidence.usual),
        ("excess", evidence.excess),
        ("assets", evidence.assets),
        ("unknown", evidence.unknown),
        ("writes", evidence.writes),
        ("outcomes", evidence.outcomes),
        ("solved", evidence.solved),
        ("in_flight", evidence.in_flight.into()),
        ("expected", evidence.expected),
        ("latency_ms", evidence.latency_ms),
        ("errors", evidence.errors),
    ] {
        // To a thousandth: more is noise, and unpleasant to read.
        news = news.with(name, (value * 1_000.0).round() / 1_000.0);
    }
    news.because(change.cause.code(), &text)
}
