//! The history of good clients in virtual time: its rules, an exact oracle, attackers, its file.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(not(loom))]

#[path = "history/attack.rs"]
mod attack;
#[path = "history/file.rs"]
mod file;
#[path = "history/oracle.rs"]
mod oracle;
#[path = "history/rules.rs"]
mod rules;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use weir::base::clock::Time;
use weir::client::key::ClientKey;
use weir::flood::history::{History, Known, Sizes, Standing};
use weir::limit::seeds::Seeds;

/// Unix time at zero, at the beginning of a ten-minute slot.
const UNIX_ZERO: u64 = 1_750_000_200;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const SMALL: Sizes = Sizes { clients: 1024, net24: 1024, net16: 1024 };

fn at(seconds: u64) -> Time {
    Time::from_nanos(seconds * 1_000_000_000)
}

fn history(sizes: Sizes) -> History {
    History::new(sizes, Seeds::fixed(1), UNIX_ZERO)
}

fn key(address: &str) -> ClientKey {
    ClientKey::new(address.parse().unwrap(), 64)
}

/// The `n`th address, each in a /24 of its own while `n` is below 2^24, from 0.0.0.0 on.
fn spread(n: u32) -> ClientKey {
    ClientKey::new(IpAddr::V4(Ipv4Addr::from(n.rotate_left(8))), 64)
}

fn known(history: &History, client: ClientKey, seconds: u64) -> Known {
    history.known(history.locate(client), at(seconds))
}

fn standing(history: &History, client: ClientKey, seconds: u64) -> Standing {
    known(history, client, seconds).standing
}

/// Lets time pass as a running weir does: with a sweep at least every hour.
fn pass(history: &History, from: u64, to: u64) {
    for seconds in (from..to).step_by(HOUR as usize).skip(1) {
        history.sweep(at(seconds));
    }
    assert!(Duration::from_secs(HOUR) < History::SWEEP_PERIOD);
    history.sweep(at(to));
}
