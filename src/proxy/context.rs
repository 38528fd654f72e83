//! What one admitted request carries through Pingora's phases.

use super::body::Meter;
use super::crowd::Stream;
use super::edge::{Peer, Place, Story};
use crate::base::clock::Time;
use crate::origin::{Pick, Tried};
use crate::verdict::Policy;
use crate::verdict::reason::Reason;
use std::net::SocketAddr;
use std::sync::Arc;

/// What one admitted request carries through Pingora's phases.
pub(super) struct Context {
    pub(super) policy: Arc<Policy>,
    pub(super) peer: Option<Arc<Peer>>,
    pub(super) story: Option<Story>,
    /// An HTTP/2 request's place in flight; an HTTP/1.1 request's is held by its gate.
    pub(super) place: Option<Place>,
    /// An HTTP/2 request's part of its connection.
    pub(super) stream: Option<Stream>,
    /// The largest piece of the answer so far.
    pub(super) piece: usize,
    pub(super) meter: Meter,
    /// The endpoint in use.
    pub(super) pick: Option<Pick>,
    pub(super) tried: Tried,
    /// Attempts made.
    pub(super) attempts: u8,
    /// The last endpoint, for the log.
    pub(super) origin: Option<SocketAddr>,
    pub(super) first_byte: Option<Time>,
    pub(super) bytes_out: u64,
    pub(super) request_id: u128,
    /// How it ended, if not well.
    pub(super) ended: Option<Reason>,
    /// weir refused it before the origin was asked, and has counted that.
    pub(super) refused: bool,
    /// The connection now carries another protocol.
    pub(super) upgraded: bool,
}

impl Context {
    pub(super) fn new(policy: Arc<Policy>) -> Self {
        Self {
            policy,
            peer: None,
            story: None,
            place: None,
            stream: None,
            piece: 0,
            meter: Meter::new(Time::default()),
            pick: None,
            tried: Tried::default(),
            attempts: 0,
            origin: None,
            first_byte: None,
            bytes_out: 0,
            request_id: 0,
            ended: None,
            refused: false,
            upgraded: false,
        }
    }
}
