//! The gate: reads HTTP/1.1 heads in front of Pingora, decides, and answers refusals itself.
//!
//! A refused request costs one read and one write; no heap, no timer and no future of its own. What is admitted
//! becomes a Pingora session that reads through the gate and gets exactly one request's bytes (`stream.rs`).

pub mod chunked;
mod deadline;
pub mod head;
mod judge;
mod stream;

use super::crowd;
use super::edge::{Edge, Peer, Place, Story};
use super::pace::Pace;
use super::transport::Transport;
use crate::base::clock::{self, Time};
use crate::verdict::Policy;
use crate::verdict::reason::Reason;
use bytes::{Buf, BytesMut};
use chunked::Scanner;
use deadline::Deadline;
use std::cell::LazyCell;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

/// One read; an idle connection owns no buffer of its own.
const SCRATCH: usize = 8 * 1024;

/// The most that an unfinished head of at most `limit` bytes takes: its buffer doubles.
pub(super) const fn head_room(limit: usize) -> usize {
    (limit + SCRATCH / 2).next_power_of_two()
}

/// The most refusals written in one go to a client that pipelines.
const BATCH: usize = 16 * 1024;

/// How long and how much is read after the last reply, so that a reset does not overtake it.
const LINGER: (Duration, u64) = (Duration::from_secs(2), 16 * 1024 * 1024);

/// How an HTTP/2 connection begins (RFC 9113, 3.4).
pub(super) const H2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The clock, read when it is first asked for, and once a turn.
type Now = LazyCell<Time>;

/// What of the admitted request's body the client has still to send.
#[derive(Clone, Copy, Debug)]
enum Rest {
    /// So many bytes.
    Length(u64),
    /// Until the chunks end.
    Chunked(Scanner),
    /// It is not framed as it should be: nothing more can be read.
    Broken,
}

/// Why the gate gives way.
#[derive(Debug)]
pub(super) enum Turn {
    /// A request for Pingora: its head, and what of its body came with it.
    Admit(BytesMut),
    /// HTTP/2 by prior knowledge; the bytes so far.
    Http2(BytesMut),
    /// The last reply is written.
    Finish,
    /// Nothing more to say.
    Gone,
}

/// What came of some bytes.
enum Step {
    /// More are wanted.
    More,
    /// As [`Turn::Admit`].
    Admit(BytesMut),
    /// As [`Turn::Http2`].
    Http2,
    /// Close once everything is written.
    Finish,
    /// Close now.
    Drop,
}

/// One HTTP/1.1 connection.
pub(super) struct Gate {
    io: Transport,
    edge: Arc<Edge>,
    peer: Arc<Peer>,
    /// Bytes read and not yet used.
    inbox: BytesMut,
    /// How far `inbox` was searched for the end of a head.
    searched: usize,
    /// Bytes to be written: refusals, or small writes of Pingora until its flush.
    outbox: BytesMut,
    /// TLS holds bytes that are written and not yet on their way.
    unflushed: bool,
    /// Body bytes of a refused request still to be swallowed.
    skip: u64,
    rest: Rest,
    /// The connection is no longer HTTP. Atomic only because Pingora lends its streams out shared.
    tunnel: AtomicBool,
    pace: Pace,
    deadline: Deadline,
    in_head: bool,
    /// A request was dealt with since the deadline was last moved.
    progress: bool,
    finishing: bool,
    /// The client said that it sends nothing more: a close takes no reply with it.
    clean: bool,
    /// A request was served or refused: only then is the connection idle, rather than new.
    served: bool,
    story: Option<Story>,
    place: Option<Place>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("peer", &self.peer.address).finish_non_exhaustive()
    }
}

impl Gate {
    pub(super) fn new(io: Transport, edge: Arc<Edge>, peer: Arc<Peer>, now: Time) -> Self {
        let deadline = Deadline::new(now + edge.policy.load().settings.listen.header_timeout, edge.closing.clone());
        peer.hold.wait(true, now);
        Self {
            io,
            edge,
            peer,
            inbox: BytesMut::new(),
            searched: 0,
            outbox: BytesMut::new(),
            unflushed: false,
            skip: 0,
            rest: Rest::Length(0),
            tunnel: AtomicBool::new(false),
            pace: Pace::default(),
            deadline,
            in_head: false,
            progress: false,
            finishing: false,
            clean: false,
            served: false,
            story: None,
            place: None,
        }
    }

    /// The story of the request that was admitted last.
    pub(super) fn story(&self) -> Option<Story> {
        self.story
    }

    /// What is known of the connection.
    pub(super) fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// Whether the body of the admitted request is not framed as it should be.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self.rest, Rest::Broken)
    }

    /// The origin agreed to another protocol: from here on all bytes pass, those that wait behind the head first.
    pub(super) fn open_tunnel(&self) {
        // Relaxed: set and read by the connection's one task.
        self.tunnel.store(true, Ordering::Relaxed);
    }

    /// The request is over, whatever becomes of its connection.
    fn release(&mut self) {
        (self.place, self.story) = (None, None);
    }

    fn is_tunnel(&self) -> bool {
        // Relaxed: as in `open_tunnel`.
        self.tunnel.load(Ordering::Relaxed)
    }

    /// Whether the admitted request was read to its last byte.
    pub(super) fn is_read_whole(&self) -> bool {
        !self.is_tunnel()
            && match self.rest {
                Rest::Length(left) => left == 0,
                Rest::Chunked(scanner) => scanner.is_over(),
                Rest::Broken => false,
            }
    }

    /// Pingora is done with the request: on to the next. False where that would take a body for a request.
    pub(super) fn resume(&mut self) -> bool {
        self.release();
        self.searched = 0;
        (self.served, self.progress) = (true, true);
        self.is_read_whole()
    }

    /// Runs until the gate must give way. The future on top of this lives on the stack of the connection's task.
    pub(super) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        let now = Now::new(clock::now);
        loop {
            match self.poll_flush_outbox(cx) {
                Poll::Ready(true) => {}
                Poll::Ready(false) => return Poll::Ready(Turn::Gone),
                Poll::Pending => return self.park(cx, *now),
            }
            if self.finishing {
                return Poll::Ready(if self.clean { Turn::Gone } else { Turn::Finish });
            }
            let step = if self.inbox.is_empty() { self.poll_scratch(cx, &now) } else { self.poll_inbox(cx, &now) };
            match step {
                Poll::Pending => return self.park(cx, *now),
                Poll::Ready(Step::More) => {}
                Poll::Ready(Step::Finish) => self.finishing = true,
                Poll::Ready(Step::Drop) => return Poll::Ready(Turn::Gone),
                Poll::Ready(Step::Http2) => return Poll::Ready(Turn::Http2(std::mem::take(&mut self.inbox))),
                Poll::Ready(Step::Admit(head)) => {
                    // Refusals before it need not wait for the origin; what can't be written now is written first later.
                    let _ = self.poll_flush_outbox(cx);
                    return Poll::Ready(Turn::Admit(head));
                }
            }
        }
    }

    /// Reads with nothing left over from before: on the stack, where a refused request lives and dies.
    fn poll_scratch(&mut self, cx: &mut Context<'_>, now: &Now) -> Poll<Step> {
        let mut scratch = [MaybeUninit::<u8>::uninit(); SCRATCH];
        let mut buf = ReadBuf::uninit(&mut scratch);
        if ready!(Pin::new(&mut self.io).poll_read(cx, &mut buf)).is_err() || buf.filled().is_empty() {
            return Poll::Ready(Step::Drop);
        }
        let (now, policy, bytes) = (**now, self.edge.policy.load(), buf.filled());
        let (used, step) = self.eat(bytes, &policy, now);
        if used < bytes.len() {
            self.inbox.extend_from_slice(&bytes[used..]);
        }
        self.stamp(&policy, now);
        Poll::Ready(step)
    }

    /// Uses what is left over; reads more behind it where it is no whole head.
    fn poll_inbox(&mut self, cx: &mut Context<'_>, now: &Now) -> Poll<Step> {
        let (now, policy) = (**now, self.edge.policy.load());
        let mut inbox = std::mem::take(&mut self.inbox);
        let (used, step) = self.eat(&inbox, &policy, now);
        inbox.advance(used);
        if used > 0 {
            self.searched = 0;
        }
        // What is used up is given back: an idle connection holds no memory for the head it once sent.
        self.inbox = if inbox.is_empty() { BytesMut::new() } else { inbox };
        self.stamp(&policy, now);
        if used > 0 || !matches!(step, Step::More) {
            return Poll::Ready(step);
        }
        self.searched = self.inbox.len();
        self.inbox.reserve(SCRATCH / 2);
        // `read_buf` on the trait's poll form: fills the spare room and moves the length.
        let mut read = std::pin::pin!(self.io.read_buf(&mut self.inbox));
        match ready!(read.as_mut().poll(cx)) {
            Ok(0) | Err(_) => Poll::Ready(Step::Drop),
            Ok(_) => Poll::Ready(Step::More),
        }
    }

    /// Uses whole requests from `bytes` until one is admitted or none is left; how many bytes went.
    fn eat(&mut self, bytes: &[u8], policy: &Policy, now: Time) -> (usize, Step) {
        let mut at = 0;
        loop {
            let swallowed = self.skip.min((bytes.len() - at) as u64);
            self.skip -= swallowed;
            self.progress |= swallowed > 0 && self.skip == 0;
            at += swallowed as usize;
            // Empty lines before a request are to be ignored (RFC 9112, 2.2).
            at += bytes[at..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            if at == bytes.len() || self.outbox.len() >= BATCH {
                return (at, Step::More);
            }
            let (used, step) = self.one(&bytes[at..], policy, now);
            at += used;
            match step {
                Some(step) => return (at, step),
                None => (self.searched, self.progress) = (0, true),
            }
        }
    }

    /// Clocks what the bytes so far mean: a head that has begun, or an idle connection. Empty lines mean nothing.
    fn stamp(&mut self, policy: &Policy, now: Time) {
        let begun = !self.inbox.is_empty() || self.skip > 0;
        if self.progress || (begun && !self.in_head) {
            self.restart_deadline(policy, now);
        }
        self.progress = false;
    }

    fn restart_deadline(&mut self, policy: &Policy, now: Time) {
        let listen = &policy.settings.listen;
        self.in_head = !self.inbox.is_empty() || self.skip > 0;
        self.peer.hold.wait(self.in_head || !self.served, now);
        self.deadline.set(now + if self.in_head { listen.header_timeout } else { listen.keepalive_timeout });
    }

    /// Waits for the socket: within the deadline, and not past the end of draining.
    fn park(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<Turn> {
        if self.progress {
            self.stamp(&self.edge.clone().policy.load(), now);
        }
        if self.peer.hold.is_shed() && self.outbox.is_empty() {
            crowd::ended(Reason::ConnectionShed, &self.edge, &self.peer, now);
            return Poll::Ready(Turn::Gone);
        }
        let idle = self.served && self.inbox.is_empty() && self.outbox.is_empty();
        match self.deadline.poll(cx, now, idle) {
            deadline::State::Waiting => Poll::Pending,
            deadline::State::Expired if self.outbox.is_empty() && !self.inbox.is_empty() => {
                self.refuse_head_timeout();
                self.finishing = true;
                cx.waker().wake_by_ref();
                self.deadline.set(now + LINGER.0);
                Poll::Pending
            }
            deadline::State::Expired => Poll::Ready(Turn::Gone),
        }
    }

    /// Writes the outbox; false if the client is gone.
    fn poll_flush_outbox(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.outbox.is_empty() && !self.unflushed {
            return Poll::Ready(true);
        }
        self.unflushed = self.io.is_tls();
        while !self.outbox.is_empty() {
            match ready!(Pin::new(&mut self.io).poll_write(cx, &self.outbox)) {
                Ok(n) if n > 0 => self.outbox.advance(n),
                _ => return Poll::Ready(false),
            }
        }
        if self.unflushed && ready!(Pin::new(&mut self.io).poll_flush(cx)).is_err() {
            return Poll::Ready(false);
        }
        self.unflushed = false;
        // What was advanced over is room again; a buffer grown for a batch is given back.
        if self.outbox.capacity() > 4096 {
            self.outbox = BytesMut::new()
        } else {
            self.outbox.clear()
        }
        Poll::Ready(true)
    }

    /// Hands over the connection's parts, for a protocol that is not HTTP/1.1.
    pub(super) fn into_io(self) -> Transport {
        self.io
    }

    /// After the last reply: FIN, then swallow what is on its way, so that no reset destroys the reply.
    pub(super) async fn linger(&mut self) {
        let _ = tokio::time::timeout(LINGER.0, async {
            if self.io.flush().await.is_err() || self.io.shutdown().await.is_err() {
                return;
            }
            let mut total = 0;
            while let Ok(n) = std::future::poll_fn(|cx| poll_discard(&mut self.io, cx)).await {
                total += n as u64;
                if n == 0 || total > LINGER.1 {
                    return;
                }
            }
        })
        .await;
    }
}

/// Reads to nowhere; how many bytes.
fn poll_discard(io: &mut Transport, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
    let mut scratch = [MaybeUninit::<u8>::uninit(); SCRATCH];
    let mut buf = ReadBuf::uninit(&mut scratch);
    ready!(Pin::new(io).poll_read(cx, &mut buf))?;
    Poll::Ready(Ok(buf.filled().len()))
}
