//! What a decision is made of: lists, a limit's table, counts of what is open, the origin's budget; and what is left
//! behind of it: counters and records.

use super::{Part, Run, again, on_each};
use crate::access::cidr_set::CidrSet;
use crate::base::clock::Time;
use crate::base::units::{Rate, Share};
use crate::client::key::ClientKey;
use crate::dice::Dice;
use crate::event::log_gate::LogGate;
use crate::event::queue::Queue;
use crate::event::record::Record;
use crate::limit::budget::Budget;
use crate::limit::gcra::Quota;
use crate::limit::in_flight::InFlight;
use crate::limit::seeds::Seeds;
use crate::limit::table::{Spot, Table};
use crate::verdict::counters::Counters;
use crate::verdict::reason::Reason;
use crate::world::{NETWORKS, off_lists, spread};
use ipnet::{IpNet, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

pub(super) const PARTS: &[Part] = &[
    Part { name: "list of 10 networks", ready: || list(spread(10, 1)) },
    Part { name: "list of 1,000 networks", ready: || list(spread(1_000, 1)) },
    Part { name: "list of 100,000 networks", ready: || list(spread(NETWORKS, 1)) },
    Part { name: "list of 100,000 networks, IPv6", ready: || list(spread_v6(NETWORKS)) },
    Part { name: "limit, known client", ready: || limit(Rate::per_second(100_000), 100_000, 10_000) },
    Part { name: "limit, every client new", ready: || limit(Rate::per_second(10), 100, u64::MAX) },
    Part { name: "limit, refused", ready: || limit(HOURLY, 1, 1_000) },
    Part { name: "limit, refused, 8 at a time", ready: || batched(HOURLY, 1) },
    Part { name: "in flight, enter and leave", ready: in_flight },
    Part { name: "origin's budget", ready: budget },
    Part { name: "counters, one refusal", ready: counters },
    Part { name: "log gate, held back", ready: held_back },
    Part { name: "event queue, a record in and out", ready: event },
];

/// Half of the addresses looked up are in the list.
fn list(nets: Vec<IpNet>) -> Run {
    let mut dice = Dice::new(2);
    let addresses: Vec<IpAddr> = (0..16_384)
        .map(|n| match (n % 2, nets[0]) {
            (0, _) => nets[dice.roll() as usize % nets.len()].addr(),
            (_, IpNet::V4(_)) => Ipv4Addr::from(off_lists(dice.roll() as u32)).into(),
            (_, IpNet::V6(_)) => Ipv6Addr::from(u128::from(dice.roll() << 31 | 1 << 61) << 64).into(),
        })
        .collect();
    let set = CidrSet::build(nets);
    on_each(addresses, move |address| set.contains(*address))
}

/// Networks of /48, most of them in a few crowded parts of the address space.
fn spread_v6(count: u32) -> Vec<IpNet> {
    let mut dice = Dice::new(3);
    let mut net = || {
        let high = 0x2001_0db8_0000 | u128::from(dice.roll() % 200) << 24 | u128::from(dice.roll() & 0xff_ffff);
        Ipv6Net::new(Ipv6Addr::from(high << 80), 48).map_or_else(|_| IpNet::default(), IpNet::V6)
    };
    (0..count).map(|_| net()).collect()
}

const HOURLY: Rate = Rate { count: 1, period: Duration::from_secs(3600) };

const START: Time = Time::from_nanos(1 << 50);

/// Twice the slots that a million clients in debt need.
const SLOTS: u32 = 2 << 20;

/// Look-up and charge of one of `clients`; those of a small number are known before.
fn limit(rate: Rate, burst: u32, clients: u64) -> Run {
    let quota = Quota::new(rate, burst);
    let table = Table::new(SLOTS, &quota, Seeds::fixed(1));
    let (mut n, mut now) = (0u64, START);
    let mut take = move || {
        n = if n + 1 < clients { n + 1 } else { 0 };
        now = now + Duration::from_nanos(1_000);
        let key = ClientKey::new(Ipv4Addr::from(n as u32).into(), 64).bits();
        table.take(table.locate(key), &quota, now)
    };
    if clients < u64::MAX {
        for _ in 0..clients {
            take();
        }
    }
    again(take)
}

/// As a worker that knows what comes next: every line is asked for before the first is needed. One time is 8 clients.
fn batched(rate: Rate, burst: u32) -> Run {
    let quota = Quota::new(rate, burst);
    let table = Table::new(SLOTS, &quota, Seeds::fixed(1));
    let mut n = 0;
    let mut take = move || {
        n = if n + 8 < 1_000 { n + 8 } else { 0 };
        let spots: [Spot; 8] = std::array::from_fn(|i| {
            let spot = table.locate(ClientKey::new(Ipv4Addr::from(n + i as u32).into(), 64).bits());
            table.prefetch(spot);
            spot
        });
        spots.map(|spot| table.take(spot, &quota, START).admits())
    };
    for _ in 0..200 {
        take();
    }
    again(take)
}

fn in_flight() -> Run {
    let open = InFlight::new(65_536, Seeds::fixed(1));
    let keys: Vec<u128> = (0..1_000u32).map(|n| ClientKey::new(Ipv4Addr::from(n).into(), 64).bits()).collect();
    on_each(keys, move |key| open.try_enter(*key, 512, 64).map(|()| open.leave(*key)))
}

fn budget() -> Run {
    let (budget, quota) = (Budget::new(), Quota::new(Rate::per_second(100_000), 5_000));
    let mut now = START;
    again(move || {
        now = now + Duration::from_nanos(100_000);
        budget.enter(&quota, now, Share(1_000), 100)
    })
}

fn counters() -> Run {
    let counters = Counters::new();
    again(move || {
        counters.ended(Reason::Limit);
        counters.refused_by(3);
    })
}

fn held_back() -> Run {
    let gate = LogGate::new(Rate { count: 1, period: Duration::from_secs(60) }, Share(0));
    gate.refused(START);
    again(move || gate.refused(START))
}

fn event() -> Run {
    let queue = Queue::new();
    again(move || {
        queue.send(Record::blank(START));
        queue.drain(1, |record| {
            std::hint::black_box(record.at);
        })
    })
}
