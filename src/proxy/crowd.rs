//! Connections that only wait, and which of them make room when there is little left.

use super::edge::{Edge, Peer};
use super::record;
use crate::base::clock::{self, Time};
use crate::client::key::ClientKey;
use crate::verdict::Policy;
use crate::verdict::reason::Reason;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

/// How often each worker looks whether room is short.
const EVERY: Duration = Duration::from_millis(100);
/// A connection that has waited no longer is left alone: it may be a page on its way.
const YOUNG: Duration = Duration::from_secs(1);

/// What one connection holds, and what for. Every ordering here is Relaxed: nothing is published through these cells,
/// and a reader that is late by a moment does nothing worse than to wait for the next look.
#[derive(Debug, Default)]
pub(super) struct Hold {
    /// Since when it waits for a request, in nanoseconds, and in the lowest bit whether it was never served; 0 while
    /// it is at work.
    waiting: AtomicU64,
    /// The last client seen on it, folded.
    client: AtomicU64,
    /// HTTP/2 streams under way.
    streams: AtomicU32,
    /// When bytes last waited for the client, in nanoseconds.
    blocked: AtomicU64,
    shed: AtomicBool,
    cut: AtomicBool,
}

impl Hold {
    /// It waits for its first request, or the rest of one, if `unserved`; else it is idle.
    pub(super) fn wait(&self, unserved: bool, now: Time) {
        // Relaxed: see `Hold`.
        self.waiting.store((now.nanos() | 1) - u64::from(!unserved), Ordering::Relaxed);
    }

    /// This client was the last to ask for something.
    pub(super) fn seen(&self, client: ClientKey) {
        // Relaxed: see `Hold`.
        self.client.store(fold(client), Ordering::Relaxed);
    }

    /// It is at work.
    pub(super) fn work(&self) {
        // Relaxed: see `Hold`.
        self.waiting.store(0, Ordering::Relaxed);
        // Relaxed: as above. A request that came at the last moment is answered, as others are.
        self.shed.store(false, Ordering::Relaxed);
    }

    /// Whether it is to make room.
    pub(super) fn is_shed(&self) -> bool {
        // Relaxed: see `Hold`.
        self.shed.load(Ordering::Relaxed)
    }

    /// Its client takes too little of what is sent.
    pub(super) fn cut(&self) {
        // Relaxed: see `Hold`.
        self.cut.store(true, Ordering::Relaxed);
    }

    /// Whether it was given up because its client takes too little.
    pub(super) fn is_cut(&self) -> bool {
        // Relaxed: see `Hold`.
        self.cut.load(Ordering::Relaxed)
    }

    /// Bytes wait for the client.
    pub(super) fn blocked(&self, now: Time) {
        // Relaxed: see `Hold`.
        self.blocked.store(now.nanos(), Ordering::Relaxed);
    }

    /// Among how many streams the connection's own slowness is divided: all that are under way, if bytes waited for
    /// the client of late, else one.
    pub(super) fn sharers(&self, now: Time, lately: Duration) -> u32 {
        // Relaxed: see `Hold`.
        let at = self.blocked.load(Ordering::Relaxed);
        if at == 0 || now.since(Time::from_nanos(at)) > lately {
            return 1;
        }
        // Relaxed: see `Hold`.
        self.streams.load(Ordering::Relaxed).max(1)
    }
}

/// One HTTP/2 stream under way.
pub(super) struct Stream(Arc<Peer>);

impl Stream {
    /// Its head is whole.
    pub(super) fn begin(peer: &Arc<Peer>) -> Self {
        // Relaxed: see `Hold`.
        peer.hold.streams.fetch_add(1, Ordering::Relaxed);
        peer.hold.work();
        Self(peer.clone())
    }

    /// Among how many streams the connection's own slowness is divided.
    pub(super) fn sharers(&self, policy: &Policy) -> usize {
        self.0.hold.sharers(clock::now(), policy.settings.listen.send_grace) as usize
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Relaxed: see `Hold`.
        if self.0.hold.streams.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.hold.wait(false, clock::now());
        }
    }
}

/// One worker's connections. The lock is its own: it is taken when a connection opens, when it ends and, with room
/// short, by the worker's own look.
#[derive(Default)]
pub(super) struct Crowd(Mutex<Members>);

#[derive(Default)]
struct Members {
    all: Vec<Option<(Arc<Peer>, Waker)>>,
    free: Vec<usize>,
}

/// A connection's place in the crowd.
pub(super) struct Member {
    crowd: Arc<Crowd>,
    at: usize,
}

impl Crowd {
    /// Counts a connection in; `waker` wakes its task.
    pub(super) fn join(self: &Arc<Self>, peer: Arc<Peer>, waker: Waker) -> Member {
        let mut members = self.members();
        let at = members.free.pop().unwrap_or(members.all.len());
        if at == members.all.len() {
            members.all.push(None);
        }
        members.all[at] = Some((peer, waker));
        drop(members);
        Member { crowd: self.clone(), at }
    }

    /// Looks again and again whether room is short. Never ends.
    pub(super) async fn watch(&self, edge: &Edge) {
        let mut looks = tokio::time::interval(EVERY);
        loop {
            looks.tick().await;
            let excess = edge.too_many_connections(&edge.policy.load());
            if excess > 0 {
                self.shed(excess, edge.state.connections.total(), clock::now());
            }
        }
    }

    /// Makes this worker's part of the room that is missing.
    fn shed(&self, excess: u32, open: u32, now: Time) {
        let members = self.members();
        let all: Vec<_> = members.all.iter().flatten().collect();
        let part = (excess as usize * all.len()).div_ceil(open.max(1) as usize);
        let peers: Vec<&Peer> = all.iter().map(|(peer, _)| &**peer).collect();
        for at in choose(&peers, part, now) {
            // Relaxed: see `Hold`.
            all[at].0.hold.shed.store(true, Ordering::Relaxed);
            all[at].1.wake_by_ref();
        }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut members = self.crowd.members();
        members.all[self.at] = None;
        members.free.push(self.at);
    }
}

/// The `most` connections that make room first: those of clients that hold more waiting ones than most clients do,
/// then others; of either those that were never served, then the oldest. Those of a trusted proxy come last, as its
/// next request may be on its way already.
fn choose(peers: &[&Peer], most: usize, now: Time) -> Vec<usize> {
    let mut waiting: Vec<(usize, u64, bool, Time)> = Vec::new();
    for (at, peer) in peers.iter().enumerate() {
        // Relaxed: see `Hold`.
        let since = peer.hold.waiting.load(Ordering::Relaxed);
        let (unserved, begun) = (since & 1 == 1, Time::from_nanos(since));
        if since != 0 && now.since(begun) >= YOUNG {
            waiting.push((at, client_of(peer), !unserved, begun));
        }
    }
    let mut held: HashMap<u64, usize> = HashMap::new();
    waiting.iter().for_each(|(_, client, ..)| *held.entry(*client).or_default() += 1);
    let fair = waiting.len().div_ceil(held.len().max(1));
    waiting.sort_unstable_by_key(|(at, client, served, since)| {
        (peers[*at].trusted, held[client] <= fair, *served, *since)
    });
    waiting.into_iter().take(most).map(|(at, ..)| at).collect()
}

/// Behind a trusted proxy the last client seen, else the peer.
fn client_of(peer: &Peer) -> u64 {
    if !peer.trusted {
        return fold(ClientKey::new(peer.address, 64));
    }
    // Relaxed: see `Hold`.
    peer.hold.client.load(Ordering::Relaxed)
}

fn fold(client: ClientKey) -> u64 {
    let bits = client.bits();
    (bits >> 64) as u64 ^ bits as u64
}

/// Counts and tells that a connection ended without a reply.
pub(super) fn ended(reason: Reason, edge: &Edge, peer: &Peer, now: Time) {
    edge.state.counters.ended(reason);
    if edge.log_gate.refused(now) {
        edge.events.send(record::of_bad_head(reason, peer, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::budget::Budget;

    const NOW: Time = Time::from_nanos(1_000_000_000_000);

    fn peer(address: &str, trusted: bool, idle_secs: Option<u64>, unserved: bool) -> Peer {
        let peer = Peer {
            address: address.parse().unwrap(),
            port: 40_000,
            local: None,
            proxied: None,
            trusted,
            tls: false,
            resets: Budget::new(),
            condemned: AtomicBool::new(false),
            hold: Hold::default(),
        };
        if let Some(secs) = idle_secs {
            peer.hold.wait(unserved, NOW - Duration::from_secs(secs));
        }
        peer
    }

    #[test]
    fn hoarders_go_first_then_the_oldest_and_a_proxy_last() {
        let peers = [
            peer("10.0.0.1", true, Some(70), false),
            peer("192.0.2.1", false, Some(60), false),
            peer("192.0.2.2", false, None, false),
            peer("192.0.2.66", false, Some(3), false),
            peer("192.0.2.66", false, Some(5), true),
            peer("192.0.2.66", false, Some(4), false),
            peer("192.0.2.3", false, Some(30), false),
            peer("192.0.2.4", false, Some(2), true),
        ];
        let peers: Vec<_> = peers.iter().collect();
        assert_eq!(choose(&peers, 9, NOW), [4, 5, 3, 7, 1, 6, 0]);
        assert_eq!(choose(&peers, 2, NOW), [4, 5]);
    }

    #[test]
    fn who_works_or_has_just_come_is_left_alone() {
        let peers = [peer("192.0.2.1", false, Some(0), true), peer("192.0.2.2", false, None, false)];
        assert_eq!(choose(&peers.iter().collect::<Vec<_>>(), 9, NOW), [] as [usize; 0]);
        peers[0].hold.wait(false, NOW - YOUNG);
        assert_eq!(choose(&peers.iter().collect::<Vec<_>>(), 9, NOW), [0]);
        peers[0].hold.work();
        assert_eq!(choose(&peers.iter().collect::<Vec<_>>(), 9, NOW), [] as [usize; 0]);
    }

    #[test]
    fn streams_share_the_slowness_of_a_connection_that_is_blocked() {
        let peer = Arc::new(peer("192.0.2.1", false, None, false));
        let streams: Vec<_> = (0..3).map(|_| Stream::begin(&peer)).collect();
        let second = Duration::from_secs(1);
        assert_eq!(peer.hold.sharers(NOW, second), 1);
        peer.hold.blocked(NOW);
        assert_eq!(peer.hold.sharers(NOW, second), 3);
        assert_eq!(peer.hold.sharers(NOW + second * 2, second), 1);
        drop(streams);
        assert_eq!(choose(&[&peer], 1, clock::now() + YOUNG), [0], "idle again");
    }
}
