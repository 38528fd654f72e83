//! One request's story: fixed size and `Copy`, so that telling it allocates nothing.

use crate::base::clock::Time;
use crate::base::units::Rate;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// A short text held in place; what does not fit is cut off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<const N: usize> {
    len: u8,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    /// No text.
    pub const EMPTY: Self = Self { len: 0, bytes: [0; N] };

    /// The first `N` bytes of `text`.
    pub fn new(text: &[u8]) -> Self {
        const { assert!(N < 256) }
        let len = text.len().min(N);
        let mut bytes = [0; N];
        bytes[..len].copy_from_slice(&text[..len]);
        Self { len: len as u8, bytes }
    }

    /// The text; what is not UTF-8 (or was cut inside a character) is replaced.
    pub fn to_text(&self) -> std::borrow::Cow<'_, str> {
        let bytes = &self.bytes[..usize::from(self.len)];
        // Nearly always it is UTF-8, which this sees faster.
        std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Into::into)
    }
}

impl<const N: usize> std::fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_text().fmt(f)
    }
}

/// How a request ended, in the widest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered by the origin.
    Forwarded,
    /// Refused by weir with a reply.
    Refused,
    /// Refused by weir without a reply.
    Closed,
    /// Admitted, but the origin failed.
    Failed,
    /// The client left.
    Gone,
    /// weir itself, as was asked.
    Own,
}

/// What the client spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2.
    Http2,
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// When it ended.
    pub at: Time,
    /// The client's whole address.
    pub client: IpAddr,
    /// The client's port; 0 where nobody told.
    pub client_port: u16,
    /// The connection's peer.
    pub peer: IpAddr,
    /// Where the connection came in; none where that is not known.
    pub local: Option<SocketAddr>,
    /// How it ended.
    pub outcome: Outcome,
    /// The reason's code.
    pub reason: &'static str,
    /// The limit or list that decided; empty where none did.
    pub rule: Text<40>,
    /// Names of limits that would have refused it, observed only: a bit mask over limit indices.
    pub observed: u64,
    /// Status sent; 0 where there was no reply.
    pub status: u16,
    /// What the client spoke.
    pub protocol: Protocol,
    /// Method.
    pub method: Text<12>,
    /// Host header or `:authority`.
    pub host: Text<64>,
    /// Path without its query.
    pub path: Text<160>,
    /// User agent.
    pub user_agent: Text<120>,
    /// The flood's state; empty where floods are not looked for.
    pub state: &'static str,
    /// The client's rank; empty where nobody asked for it.
    pub rank: &'static str,
    /// With a refusal by the flood or for want of capacity: what was offered in that second, and the capacity.
    pub pressure: Option<(f32, f32)>,
    /// How often the refused key may come, where a limit refused.
    pub limit_rate: Option<Rate>,
    /// How many at once the refused key may send; 0 where no limit refused.
    pub limit_burst: u32,
    /// After how long the client may come again.
    pub retry_after: Duration,
    /// Request body bytes.
    pub bytes_in: u64,
    /// Response body bytes.
    pub bytes_out: u64,
    /// From the whole head to the end.
    pub duration: Duration,
    /// From the whole head to the origin's first byte.
    pub origin_latency: Duration,
    /// Who answered.
    pub origin: Option<SocketAddr>,
    /// Request id, as carried to the origin; 0 where none was made.
    pub request_id: u128,
}

impl Record {
    /// A record with nothing in it yet.
    pub fn blank(at: Time) -> Self {
        let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self {
            at,
            client: nobody,
            client_port: 0,
            peer: nobody,
            local: None,
            outcome: Outcome::Forwarded,
            reason: "",
            rule: Text::EMPTY,
            observed: 0,
            status: 0,
            protocol: Protocol::Http11,
            method: Text::EMPTY,
            host: Text::EMPTY,
            path: Text::EMPTY,
            user_agent: Text::EMPTY,
            state: "",
            rank: "",
            pressure: None,
            limit_rate: None,
            limit_burst: 0,
            retry_after: Duration::ZERO,
            bytes_in: 0,
            bytes_out: 0,
            duration: Duration::ZERO,
            origin_latency: Duration::ZERO,
            origin: None,
            request_id: 0,
        }
    }
}
