//! One timer a connection, armed lazily: a deadline that moves with every request costs a field, not a timer.

use crate::base::clock::Time;
use std::pin::Pin;
use std::task::Context;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

type Closing = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// When a connection's wait is over.
pub(super) struct Deadline {
    at: Time,
    /// When `timer` fires; it fires early rather than late, and is armed again then.
    fires: Time,
    timer: Option<Pin<Box<Sleep>>>,
    signal: watch::Receiver<bool>,
    closing: Option<Closing>,
}

/// What a wait has come to.
pub(super) enum State {
    Waiting,
    Expired,
    /// weir closes its idle connections.
    Closing,
}

impl Deadline {
    pub(super) fn new(at: Time, signal: watch::Receiver<bool>) -> Self {
        Self { at, fires: Time::default(), timer: None, signal, closing: None }
    }

    /// Moves the deadline.
    pub(super) fn set(&mut self, at: Time) {
        self.at = at;
    }

    /// Whether the wait is over; if not, the task is woken when it may be.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, now: Time, idle: bool) -> State {
        if now >= self.at {
            return State::Expired;
        }
        if idle && self.is_closing(cx) {
            return State::Closing;
        }
        let armed = self.timer.is_some() && self.fires > now && self.fires <= self.at;
        if !armed {
            self.arm(cx, now);
        }
        State::Waiting
    }

    fn arm(&mut self, cx: &mut Context<'_>, now: Time) {
        self.fires = self.at;
        let at = Instant::now() + self.at.since(now);
        let timer = match &mut self.timer {
            Some(timer) => {
                timer.as_mut().reset(at);
                timer
            }
            None => self.timer.insert(Box::pin(tokio::time::sleep_until(at))),
        };
        if timer.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }

    /// Registers for the signal once; not with every request.
    fn is_closing(&mut self, cx: &mut Context<'_>) -> bool {
        if self.closing.is_none() {
            let mut signal = self.signal.clone();
            let closing = self.closing.insert(Box::pin(async move {
                // An error says that weir is gone altogether.
                drop(signal.wait_for(|closing| *closing).await);
            }));
            // Polled once: it stays registered, and wakes this task.
            let _ = closing.as_mut().poll(cx);
        }
        // Sent once only. This takes no lock, which all connections would share.
        self.signal.has_changed().unwrap_or(true)
    }
}
