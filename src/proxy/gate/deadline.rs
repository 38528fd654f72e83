//! One timer a connection, armed lazily: a deadline that moves with every request costs a field, not a timer.

use crate::base::clock::Time;
use std::pin::{Pin, pin};
use std::task::Context;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep};

/// How long an idle connection is kept once weir closes them: a request may be on its way, and is then answered with
/// `Connection: close` in place of a reset.
const LAST_CALL: Duration = Duration::from_millis(250);

type Closing = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// When a connection's wait is over.
pub(super) struct Deadline {
    at: Time,
    /// When `timer` fires; it fires early rather than late, and is armed again then.
    fires: Time,
    timer: Option<Pin<Box<Sleep>>>,
    signal: watch::Receiver<bool>,
    closing: Option<Closing>,
    /// When an idle connection ends, once weir closes them.
    last_call: Option<Time>,
}

/// What a wait has come to.
pub(super) enum State {
    Waiting,
    Expired,
}

impl Deadline {
    pub(super) fn new(at: Time, signal: watch::Receiver<bool>) -> Self {
        Self { at, fires: Time::default(), timer: None, signal, closing: None, last_call: None }
    }

    /// Moves the deadline.
    pub(super) fn set(&mut self, at: Time) {
        self.at = at;
    }

    /// Whether the wait is over; if not, the task is woken when it may be.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, now: Time, idle: bool) -> State {
        if idle && self.is_closing(cx) {
            let last_call = *self.last_call.get_or_insert(now + LAST_CALL);
            self.at = self.at.min(last_call);
        }
        if now >= self.at {
            return State::Expired;
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
        // Unconstrained: with its budget spent, tokio would answer "pending" without having armed the timer.
        if pin!(unconstrained(timer.as_mut())).poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }

    /// Registers for the signal once; not with every request.
    fn is_closing(&mut self, cx: &mut Context<'_>) -> bool {
        if self.closing.is_none() {
            let mut signal = self.signal.clone();
            // An error says that weir is gone altogether.
            let closing = self.closing.insert(Box::pin(async move { drop(signal.wait_for(|closing| *closing).await) }));
            // Once is enough: it stays registered, and wakes this task.
            let _ = pin!(unconstrained(closing.as_mut())).poll(cx);
        }
        // The signal is sent once. Asking so takes no lock, which all connections would share.
        self.signal.has_changed().unwrap_or(true)
    }
}
