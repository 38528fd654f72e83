//! Whose requests there were of late, so that a report of an address, a port and a time finds them.
//!
//! Fixed in size. Every address has its place in one of the sets, so that a client with many connections pushes out
//! its neighbours' and its own, and nobody else's.

use super::report::Report;
use crate::base::clock;
use crate::event::record::Outcome;
use crate::event::story::Story;
use crate::sink::outlet::{Outlet, OutletStatus};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// How many sets, and how many connections each holds: 65,536 in all.
const SETS: usize = 1_024;
const WAYS: usize = 64;

/// How far a report's time and a request's may lie apart, in milliseconds: clocks differ, and sessions are told of when
/// they end.
const NEAR: u64 = 120_000;

/// Requests of late, by connection.
pub struct Seen {
    sets: Vec<Mutex<VecDeque<Connection>>>,
    hasher: RandomState,
}

/// Requests of one address and port.
#[derive(Clone, Copy, Debug)]
struct Connection {
    client: IpAddr,
    port: u16,
    /// When its first and its last request ended: milliseconds since 1970.
    first: u64,
    last: u64,
    requests: u64,
    refused: u64,
    request_id: u128,
}

/// The requests that a report belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// `port` (the address and its port), `address` (the report names no port, or nothing came from that one), or
    /// `nothing`.
    pub by: String,
    /// How many requests.
    pub requests: u64,
    /// How many of them weir refused.
    pub refused: u64,
    /// The last one's id; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// How many connections of this address there were at that time: many clients may share it.
    pub connections: u64,
}

impl Default for Seen {
    fn default() -> Self {
        Self { sets: (0..SETS).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }
}

impl Seen {
    /// Takes in a request that ended `at`.
    fn add(&self, client: IpAddr, port: u16, at: u64, refused: bool, request_id: u128) {
        let mut set = self.set(client);
        let known = set.iter().position(|c| (c.client, c.port) == (client, port) && at.saturating_sub(c.last) <= NEAR);
        let mut connection = match known.and_then(|place| set.remove(place)) {
            Some(connection) => connection,
            None => Connection { client, port, first: at, last: at, requests: 0, refused: 0, request_id: 0 },
        };
        connection.last = connection.last.max(at);
        connection.requests += 1;
        connection.refused += u64::from(refused);
        connection.request_id = request_id;
        if set.len() == WAYS {
            set.pop_front();
        }
        set.push_back(connection);
    }

    /// The requests that `report` belongs to.
    pub fn join(&self, report: &Report) -> Joined {
        let set = self.set(report.address);
        let near = |c: &&Connection| {
            let (from, to) = (c.first.saturating_sub(NEAR), c.last.saturating_add(NEAR));
            c.client == report.address && (from..=to).contains(&report.at)
        };
        let connections: Vec<&Connection> = set.iter().filter(near).collect();
        let of_port: Vec<&Connection> =
            connections.iter().copied().filter(|c| report.port.is_some_and(|port| port == c.port)).collect();
        let (by, chosen) = match (of_port.is_empty(), connections.is_empty()) {
            (false, _) => ("port", &of_port),
            (true, false) => ("address", &connections),
            (true, true) => ("nothing", &connections),
        };
        let last = chosen.iter().max_by_key(|c| c.last).filter(|c| c.request_id != 0);
        Joined {
            by: by.into(),
            requests: chosen.iter().map(|c| c.requests).sum(),
            refused: chosen.iter().map(|c| c.refused).sum(),
            request_id: last.map_or(String::new(), |c| format!("{:032x}", c.request_id)),
            connections: connections.len() as u64,
        }
    }

    fn set(&self, client: IpAddr) -> std::sync::MutexGuard<'_, VecDeque<Connection>> {
        let place = self.hasher.hash_one(client) as usize % SETS;
        self.sets[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet for Seen {
    fn take(&self, story: &Story<'_>) {
        if let Story::Request(record, _) = story {
            let refused = matches!(record.outcome, Outcome::Refused | Outcome::Closed);
            let at = clock::unix_nanos(record.at) / 1_000_000;
            self.add(record.client.to_canonical(), record.client_port, at, refused, record.request_id);
        }
    }

    fn status(&self) -> OutletStatus {
        OutletStatus { name: "aviatrix-join".into(), to: "memory".into(), ..OutletStatus::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::AviatrixReport;

    const AT: u64 = 1_000_000_000;

    fn report(address: &str, port: Option<u16>, at: u64) -> Report {
        let (gateway, what) = (String::new(), String::new());
        let address = address.parse().unwrap();
        Report { kind: AviatrixReport::Suricata, address, port, to: None, at, gateway, what, counts: true }
    }

    #[test]
    fn the_port_tells_clients_behind_one_address_apart() {
        let (seen, office) = (Seen::default(), "192.0.2.1".parse().unwrap());
        for n in 0..3 {
            seen.add(office, 1_111, AT + n, n == 2, 7 + u128::from(n));
        }
        seen.add(office, 2_222, AT, false, 99);
        seen.add("192.0.2.2".parse().unwrap(), 1_111, AT, false, 1);
        let joined = seen.join(&report("192.0.2.1", Some(1_111), AT + 50));
        let id = format!("{:032x}", 9);
        assert_eq!(joined, Joined { by: "port".into(), requests: 3, refused: 1, request_id: id, connections: 2 });
        for port in [None, Some(3_333)] {
            let joined = seen.join(&report("192.0.2.1", port, AT));
            assert_eq!((joined.by.as_str(), joined.requests, joined.connections), ("address", 4, 2));
        }
        for (address, at) in [("192.0.2.3", AT), ("192.0.2.1", AT + NEAR + 10), ("192.0.2.1", AT - NEAR - 10)] {
            assert_eq!(seen.join(&report(address, None, at)).by, "nothing", "{address} {at}");
        }
    }

    #[test]
    fn a_port_that_is_used_again_is_another_connection() {
        let (seen, client) = (Seen::default(), "192.0.2.1".parse().unwrap());
        seen.add(client, 1, AT, false, 0);
        seen.add(client, 1, AT + 10 * NEAR, false, 0);
        let joined = seen.join(&report("192.0.2.1", Some(1), AT));
        assert_eq!((joined.requests, joined.request_id.as_str()), (1, ""));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes() {
        let (seen, client) = (Seen::default(), "192.0.2.1".parse().unwrap());
        for n in 0..10_000u16 {
            seen.add(client, n, AT, false, 0);
        }
        assert_eq!(seen.join(&report("192.0.2.1", Some(9_999), AT)).connections, WAYS as u64);
        assert_eq!(seen.join(&report("192.0.2.1", Some(1), AT)).by, "address");
        assert!(SETS * WAYS * size_of::<Connection>() < 6 << 20);
    }
}
