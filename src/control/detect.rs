//! The detector's clock: a thread of its own, since nothing may hold it up.

use crate::base::clock;
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
    pub fn start(policy: Arc<ArcSwap<Policy>>, state: Arc<State>) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name("weir-detector".into()).spawn(move || {
            while matches!(stopped.recv_timeout(TICK / 2), Err(mpsc::RecvTimeoutError::Timeout)) {
                let readings = policy.load().readings(&state);
                for change in state.flood.tick(&readings, clock::now()) {
                    tell(&change);
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
