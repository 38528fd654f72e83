//! The fields of records and of their templates: one list, which both are written from, so that they never part.

use super::flow::Flow;
use std::net::IpAddr;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// NetFlow version 9.
    V9,
    /// IPFIX, which is version 10.
    Ipfix,
}

/// The private enterprise number of weir's own field: the one for examples (RFC 5612).
pub const ENTERPRISE: u32 = 32_473;
/// The number of the field for the reason: IPFIX, under [`ENTERPRISE`].
pub const IPFIX_REASON: u16 = 1;
/// The number of the field for the reason: NetFlow version 9, in the range that is the vendors'.
pub const V9_REASON: u16 = 50_001;
/// The bytes of a reason; what is left is zeros.
pub const REASON_LEN: usize = 20;

/// The enterprise number of fields of the way back (RFC 5103).
const REVERSE: u32 = 29_305;

/// The sampler of requests that were passed on, of which a share has a record.
pub(super) const PASSED_ON: u8 = 1;
/// The sampler of all others: each has a record, up to a rate.
pub(super) const ALL_OTHERS: u8 = 2;

/// What a packet carries of a body: Ethernet's 1,500 bytes less the headers of IPv4 and TCP with timestamps.
const SEGMENT: u64 = 1_448;

/// Milliseconds since the exporter began; it wraps after 49 days, as every exporter's does.
pub(super) const fn uptime(at_ms: u64, boot_ms: u64) -> u32 {
    at_ms.saturating_sub(boot_ms) as u32
}

impl Version {
    pub(super) const fn header_len(self) -> usize {
        match self {
            Self::V9 => 20,
            Self::Ipfix => 16,
        }
    }
}

/// A field of a template: its number, whose it is, its length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) id: u16,
    pub(super) enterprise: Option<u32>,
    pub(super) len: u16,
}

/// A field of everybody's.
const fn field(id: u16, len: u16) -> Field {
    Field { id, enterprise: None, len }
}

/// Calls `put` with each field of a flow's record and its value, in order.
pub(super) fn fields(version: Version, flow: &Flow, boot_ms: u64, put: &mut dyn FnMut(Field, &[u8])) {
    match (flow.client, flow.local) {
        (IpAddr::V4(client), IpAddr::V4(local)) => {
            put(field(8, 4), &client.octets());
            put(field(12, 4), &local.octets());
        }
        (client, local) => {
            put(field(27, 16), &as_ipv6(client));
            put(field(28, 16), &as_ipv6(local));
        }
    }
    put(field(7, 2), &flow.client_port.to_be_bytes());
    put(field(11, 2), &flow.local_port.to_be_bytes());
    // TCP, inwards.
    put(field(4, 1), &[6]);
    put(field(61, 1), &[0]);
    let (back, back_packets) = match version {
        Version::V9 => (field(23, 8), field(24, 8)),
        Version::Ipfix => {
            let reverse = |id| Field { id, enterprise: Some(REVERSE), len: 8 };
            (reverse(1), reverse(2))
        }
    };
    put(field(1, 8), &flow.bytes_in.to_be_bytes());
    put(field(2, 8), &packets(flow.bytes_in).to_be_bytes());
    put(back, &flow.bytes_out.to_be_bytes());
    put(back_packets, &packets(flow.bytes_out).to_be_bytes());
    match version {
        Version::V9 => {
            put(field(22, 4), &uptime(flow.start_ms, boot_ms).to_be_bytes());
            put(field(21, 4), &uptime(flow.end_ms, boot_ms).to_be_bytes());
        }
        Version::Ipfix => {
            put(field(152, 8), &flow.start_ms.to_be_bytes());
            put(field(153, 8), &flow.end_ms.to_be_bytes());
        }
    }
    // Denied, or created.
    put(field(233, 1), &[if flow.refused { 3 } else { 1 }]);
    let sampler = if flow.sampled { PASSED_ON } else { ALL_OTHERS };
    put(version.sampler(), &[sampler]);
    put(field(457, 2), &flow.status.to_be_bytes());
    let mut reason = [0; REASON_LEN];
    let text = flow.reason.as_bytes();
    let len = text.len().min(REASON_LEN);
    reason[..len].copy_from_slice(&text[..len]);
    put(version.reason(), &reason);
}

impl Version {
    const fn reason(self) -> Field {
        let len = REASON_LEN as u16;
        match self {
            Self::V9 => field(V9_REASON, len),
            Self::Ipfix => Field { id: IPFIX_REASON, enterprise: Some(ENTERPRISE), len },
        }
    }

    const fn sampler(self) -> Field {
        match self {
            Self::V9 => field(48, 1),
            Self::Ipfix => field(302, 1),
        }
    }
}

fn as_ipv6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// The fewest packets that carry a body: a proxy sees none.
const fn packets(bytes: u64) -> u64 {
    if bytes == 0 { 1 } else { bytes.div_ceil(SEGMENT) }
}

impl Version {
    /// Scope; sampler, its kind, one in how many; with IPFIX also the probability itself.
    pub(super) fn sampler_fields(self) -> Vec<Field> {
        match self {
            Self::V9 => vec![field(1, 4), field(48, 1), field(49, 1), field(50, 4)],
            Self::Ipfix => vec![field(302, 1), field(304, 2), field(305, 4), field(306, 4), field(311, 8)],
        }
    }

    /// Scope; flows sent, and requests that had none.
    pub(super) fn totals_fields(self) -> Vec<Field> {
        let scope = match self {
            Self::V9 => field(1, 4),
            Self::Ipfix => field(149, 4),
        };
        vec![scope, field(42, 8), field(166, 8)]
    }
}

/// Something to take a template from.
pub(super) const fn nobody(address: IpAddr) -> Flow {
    Flow {
        client: address,
        client_port: 0,
        local: address,
        local_port: 0,
        bytes_in: 0,
        bytes_out: 0,
        start_ms: 0,
        end_ms: 0,
        refused: false,
        sampled: false,
        status: 0,
        reason: "",
    }
}
