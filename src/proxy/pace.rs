//! How fast a client takes what is sent to it. Only time in which bytes wait for the client counts, so that neither a
//! slow origin nor an idle stream of events costs anybody the connection.

use super::edge::{Edge, Peer};
use super::transport::Transport;
use crate::base::clock::{self, Time};
use crate::verdict::Policy;
use pingora_core::protocols::l4::ext::get_tcp_info;
use socket2::SockRef;
use std::io;
use std::os::fd::AsRawFd;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep};

/// Near the caps clients have this part of their grace.
const HURRY: u32 = 3;

/// How long nothing may move where there is no floor.
const NO_FLOOR: Duration = Duration::from_secs(30);

/// How fast one connection takes what is sent; nothing is held before bytes have to wait.
#[derive(Default)]
pub(super) struct Pace(Option<Box<Window>>);

/// The waiting that the average is taken over.
struct Window {
    /// What was acknowledged when it began.
    base: u64,
    /// Waiting so far, before `since`.
    spent: Duration,
    /// Bytes have been waiting since then.
    since: Option<Time>,
    timer: Pin<Box<Sleep>>,
}

impl Pace {
    /// Sends by `send`; an error once the client is too slow.
    pub(super) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Transport,
        (edge, peer): (&Edge, &Peer),
        send: impl FnOnce(Pin<&mut Transport>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let sent = send(Pin::new(io), cx);
        if sent.is_ready() {
            self.went_on();
        } else if self.is_too_slow(cx, io, edge, peer) {
            peer.hold.cut();
            // What the kernel holds for it is let go, too.
            let _ = SockRef::from(io.socket()).set_linger(Some(Duration::ZERO));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        sent
    }

    fn went_on(&mut self) {
        if let Some(window) = &mut self.0
            && let Some(since) = window.since.take()
        {
            window.spent += clock::now().since(since);
        }
    }

    fn is_too_slow(&mut self, cx: &mut Context<'_>, io: &Transport, edge: &Edge, peer: &Peer) -> bool {
        let (policy, now) = (edge.policy.load(), clock::now());
        let listen = &policy.settings.listen;
        if listen.min_send_rate.0 == 0 {
            return false;
        }
        let grace = grace(edge, &policy);
        let window = self.0.get_or_insert_with(|| Box::new(Window::new(acknowledged(io), now)));
        let since = *window.since.get_or_insert(now);
        peer.hold.blocked(now);
        let mut waited = window.spent + now.since(since);
        if waited >= grace {
            let acknowledged = acknowledged(io);
            let taken = acknowledged.saturating_sub(window.base) as f64;
            if taken < listen.min_send_rate.0 as f64 * waited.as_secs_f64() {
                return true;
            }
            (window.base, window.spent, window.since) = (acknowledged, Duration::ZERO, Some(now));
            waited = Duration::ZERO;
        }
        window.timer.as_mut().reset(Instant::now() + (grace - waited));
        // Unconstrained: with its budget spent, tokio would answer "pending" without having armed the timer.
        if pin!(unconstrained(window.timer.as_mut())).poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        false
    }
}

impl Window {
    fn new(base: u64, now: Time) -> Self {
        let timer = Box::pin(tokio::time::sleep_until(Instant::now()));
        Self { base, spent: Duration::ZERO, since: Some(now), timer }
    }
}

/// The waiting that the average is taken over.
fn grace(edge: &Edge, policy: &Policy) -> Duration {
    let grace = policy.settings.listen.send_grace;
    if edge.is_near_caps(policy) { grace / HURRY } else { grace }
}

/// How long a client may take over `bytes`, where Pingora keeps the time: for a stream of HTTP/2, and without a floor.
pub(super) fn patience(edge: &Edge, policy: &Policy, bytes: usize) -> Duration {
    let listen = &policy.settings.listen;
    if listen.min_send_rate.0 == 0 {
        return listen.body_grace.max(NO_FLOOR);
    }
    grace(edge, policy) + Duration::from_secs_f64(bytes as f64 / listen.min_send_rate.0 as f64)
}

/// Bytes that the client's side has acknowledged: to the byte, where writes succeed in lumps of the kernel's buffer.
fn acknowledged(io: &Transport) -> u64 {
    // A socket that can't be asked any more fails at its next write.
    get_tcp_info(io.as_raw_fd()).map_or(0, |info| info.tcpi_bytes_acked)
}
