//! One request as a flow: what a record of NetFlow or IPFIX has room for.

use crate::base::clock;
use crate::config::settings::Addresses;
use crate::event::record::{Outcome, Record};
use ipnet::{Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A request, from the client to weir.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The client, or its network.
    pub client: IpAddr,
    /// Its port; 0 where it is not known.
    pub client_port: u16,
    /// Where weir heard it, in the client's family; unspecified where it is not known.
    pub local: IpAddr,
    /// The port there; 0 where it is not known.
    pub local_port: u16,
    /// Request body bytes.
    pub bytes_in: u64,
    /// Response body bytes.
    pub bytes_out: u64,
    /// When the request's head was whole: milliseconds since 1970.
    pub start_ms: u64,
    /// When it ended.
    pub end_ms: u64,
    /// Whether weir refused it.
    pub refused: bool,
    /// Whether it is one of the sampled kind: passed on to the origin and answered.
    pub sampled: bool,
    /// Status sent; 0 where there was no reply.
    pub status: u16,
    /// The reason's code.
    pub reason: &'static str,
}

impl Flow {
    /// What is told of `record`, its client's address written as asked.
    pub fn new(record: &Record, addresses: Addresses) -> Self {
        let client = written(record.client.to_canonical(), addresses);
        let end = clock::unix_nanos(record.at);
        let took = u64::try_from(record.duration.as_nanos()).unwrap_or(u64::MAX);
        Self {
            client,
            client_port: record.client_port,
            local: like(client, record.local.map(|local| local.ip().to_canonical())),
            local_port: record.local.map_or(0, |local| local.port()),
            bytes_in: record.bytes_in,
            bytes_out: record.bytes_out,
            start_ms: end.saturating_sub(took) / 1_000_000,
            end_ms: end / 1_000_000,
            refused: matches!(record.outcome, Outcome::Refused | Outcome::Closed),
            sampled: record.outcome == Outcome::Forwarded,
            status: record.status,
            reason: record.reason,
        }
    }
}

/// There is room for an address only: one that is to be hidden loses its host part, however it is to be hidden.
fn written(client: IpAddr, addresses: Addresses) -> IpAddr {
    match (addresses, client) {
        (Addresses::Whole, client) => client,
        (_, IpAddr::V4(client)) => Ipv4Net::new_assert(client, 24).network().into(),
        (_, IpAddr::V6(client)) => Ipv6Net::new_assert(client, 48).network().into(),
    }
}

/// `local` in the family of `client`, as a record has one: behind a load balancer they may differ.
fn like(client: IpAddr, local: Option<IpAddr>) -> IpAddr {
    match (client, local) {
        (IpAddr::V4(_), Some(local @ IpAddr::V4(_))) | (IpAddr::V6(_), Some(local @ IpAddr::V6(_))) => local,
        (IpAddr::V6(_), Some(IpAddr::V4(local))) => local.to_ipv6_mapped().into(),
        (IpAddr::V4(_), _) => Ipv4Addr::UNSPECIFIED.into(),
        (IpAddr::V6(_), None) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;
    use std::time::Duration;

    fn flow(client: &str, local: Option<&str>, addresses: Addresses) -> Flow {
        let record = Record {
            client: client.parse().unwrap(),
            local: local.map(|l| l.parse().unwrap()),
            duration: Duration::from_millis(1_500),
            ..Record::blank(Time::from_nanos(100_000_000_000_000))
        };
        Flow::new(&record, addresses)
    }

    #[test]
    fn both_ends_are_of_one_family() {
        for (client, local, wanted) in [
            ("192.0.2.7", Some("10.0.1.2:80"), "10.0.1.2"),
            ("192.0.2.7", Some("[::ffff:10.0.1.2]:80"), "10.0.1.2"),
            ("192.0.2.7", Some("[2001:db8::1]:80"), "0.0.0.0"),
            ("192.0.2.7", None, "0.0.0.0"),
            ("2001:db8::7", Some("10.0.1.2:80"), "::ffff:10.0.1.2"),
            ("2001:db8::7", Some("[2001:db8::1]:80"), "2001:db8::1"),
            ("2001:db8::7", None, "::"),
        ] {
            let flow = flow(client, local, Addresses::Whole);
            assert_eq!(flow.local, wanted.parse::<IpAddr>().unwrap(), "{client} {local:?}");
            assert_eq!((flow.client.to_string().as_str(), flow.end_ms - flow.start_ms), (client, 1_500));
        }
    }

    #[test]
    fn hidden_clients_are_networks() {
        for addresses in [Addresses::Truncated, Addresses::Hashed] {
            assert_eq!(flow("192.0.2.7", None, addresses).client.to_string(), "192.0.2.0");
            assert_eq!(flow("2001:db8:1:2::7", None, addresses).client.to_string(), "2001:db8:1::");
        }
    }
}
