//! What all connections share.

use super::crowd::Hold;
use super::reply::Replies;
use crate::base::clock::Time;
use crate::client::key::ClientKey;
use crate::event::log_gate::LogGate;
use crate::event::queue::Queue;
use crate::flood::cost::Route;
use crate::limit::budget::Budget;
use crate::origin::Pool;
use crate::verdict::{Policy, State};
use arc_swap::ArcSwap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// What all connections share.
pub struct Edge {
    /// The config in force.
    pub policy: Arc<ArcSwap<Policy>>,
    /// What outlives reloads.
    pub state: Arc<State>,
    /// The origin's endpoints.
    pub pool: Arc<Pool>,
    /// Bodies of refusals.
    pub replies: ArcSwap<Replies>,
    /// Where records go.
    pub events: Arc<Queue>,
    /// Which requests are logged.
    pub log_gate: Arc<LogGate>,
    /// Whether weir is on its way out: answers carry `Connection: close`.
    pub draining: AtomicBool,
    /// What the file descriptors allow, whatever the config says.
    pub max_connections: u32,
    /// Turns true when idle connections are to be closed.
    pub closing: watch::Receiver<bool>,
}

impl Edge {
    /// Whether weir is on its way out.
    pub fn is_draining(&self) -> bool {
        // Relaxed: a hint; a request that misses it by a moment is served as before.
        self.draining.load(Ordering::Relaxed)
    }

    /// The most connections that may be open.
    pub(super) fn most_connections(&self, policy: &Policy) -> u32 {
        policy.settings.listen.max_connections.min(self.max_connections)
    }

    /// How many connections there are beyond the share of the cap that may wait in peace.
    pub(super) fn too_many_connections(&self, policy: &Policy) -> u32 {
        self.state.connections.total().saturating_sub(near(self.most_connections(policy)))
    }

    /// Whether connections or requests in flight are near their caps.
    pub(super) fn is_near_caps(&self, policy: &Policy) -> bool {
        self.too_many_connections(policy) > 0
            || self.state.in_flight.total() > near(policy.settings.origin.max_in_flight)
    }
}

/// Above this a cap is near: 80 % of it.
fn near(cap: u32) -> u32 {
    cap - cap / 5
}

/// What is known of one connection.
#[derive(Debug)]
pub(super) struct Peer {
    /// The socket's other end.
    pub(super) address: IpAddr,
    /// Its port.
    pub(super) port: u16,
    /// Where the connection came in; known where flows are told.
    pub(super) local: Option<SocketAddr>,
    /// The address of a PROXY protocol header.
    pub(super) proxied: Option<SocketAddr>,
    /// Whether the peer is a trusted proxy.
    pub(super) trusted: bool,
    /// Whether the connection is under TLS.
    pub(super) tls: bool,
    /// HTTP/2 streams that the client reset, less what time forgave.
    pub(super) resets: Budget,
    /// The connection is to die: its sender abuses HTTP/2.
    pub(super) condemned: AtomicBool,
    /// What it holds, and what for.
    pub(super) hold: Hold,
}

impl Peer {
    /// The address of a PROXY protocol header.
    pub(super) fn proxied_address(&self) -> Option<IpAddr> {
        self.proxied.map(|source| source.ip())
    }
}

/// Holds a client's place among the requests in flight.
pub(super) struct Place {
    state: Arc<State>,
    client: ClientKey,
}

impl Place {
    /// For a request that `decide` let through.
    pub(super) fn taken(state: &Arc<State>, client: ClientKey) -> Self {
        Self { state: state.clone(), client }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.state.in_flight.leave(self.client.bits());
    }
}

/// What the data plane remembers of an admitted request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Story {
    /// When its head was whole.
    pub(super) started: Time,
    /// The client's whole address.
    pub(super) address: IpAddr,
    /// The client.
    pub(super) client: ClientKey,
    /// Why it was let through.
    pub(super) reason: crate::verdict::reason::Reason,
    /// The flood's state at the time.
    pub(super) state: &'static str,
    /// The client's rank.
    pub(super) rank: &'static str,
    /// Limits that would have refused it.
    pub(super) observed: u64,
    /// What it is likely to cost the origin.
    pub(super) route: Route,
    /// How long it waits in line for the origin.
    pub(super) delay: Duration,
    /// The answer is to bring a cookie.
    pub(super) probe: bool,
}
