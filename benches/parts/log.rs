//! What the drain does of a request for the ingress log: off the request's path, on the same processors.

use super::{Part, Run, again};
use crate::base::clock::Time;
use crate::config::load_str;
use crate::config::settings::Addresses;
use crate::event::address::Writing;
use crate::event::entry::Entry;
use crate::event::record::{Record, Text};
use crate::event::story::Story;
use crate::sink::{lines, syslog_sender};
use std::time::Duration;

pub(super) const PARTS: &[Part] = &[
    Part { name: "log, an entry", ready: entry },
    Part { name: "log, an entry as JSON", ready: || json(Addresses::Whole) },
    Part { name: "log, an entry as JSON, address hashed", ready: || json(Addresses::Hashed) },
    Part { name: "log, an entry in an ALB's columns", ready: alb },
    Part { name: "log, an entry by syslog", ready: syslog },
];

/// A browser's request behind an ALB, passed on.
fn record() -> Record {
    let mut record = Record::blank(Time::from_nanos(1 << 50));
    (record.client, record.client_port) = ([203, 0, 113, 195].into(), 40_123);
    (record.peer, record.local) = ([10, 0, 1, 20].into(), Some(([10, 0, 2, 3], 8080).into()));
    (record.reason, record.status, record.state, record.rank) = ("forwarded", 200, "normal", "credited");
    (record.method, record.host) = (Text::new(b"GET"), Text::new(b"www.example.com"));
    record.path = Text::new(b"/search/results");
    record.user_agent = Text::new(b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
    record.origin = Some(([10, 0, 3, 4], 9000).into());
    (record.duration, record.origin_latency) = (Duration::from_micros(25_341), Duration::from_micros(24_907));
    (record.bytes_out, record.request_id) = (18_734, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    record
}

fn writing(addresses: Addresses) -> Writing {
    let key = std::env::temp_dir().join("weir-bench-key");
    std::fs::write(&key, [b'k'; 32]).expect("a temporary file can be written");
    let text = format!("[origin]\naddresses = [\"192.0.2.1:80\"]\n[log]\naddress_key_file = \"{}\"\n", key.display());
    let log = load_str(&text, "bench").expect("a sound config").settings.log;
    Writing::new(addresses, &log)
}

fn entry() -> Run {
    let record = record();
    again(move || Entry::new(&record, &[]).time.len())
}

fn json(addresses: Addresses) -> Run {
    let (record, writing) = (record(), writing(addresses));
    let mut line = Vec::with_capacity(4_096);
    again(move || {
        line.clear();
        lines::json(&Story::Request(&record, &Entry::new(&record, &[])), &writing, &mut line).is_ok()
    })
}

fn alb() -> Run {
    let (record, mut line) = (record(), String::with_capacity(4_096));
    again(move || {
        line.clear();
        lines::alb::line(&record, &Entry::new(&record, &[]), &mut line);
        line.len()
    })
}

fn syslog() -> Run {
    let (record, writing) = (record(), writing(Addresses::Whole));
    let message = syslog_sender();
    again(move || message(&Story::Request(&record, &Entry::new(&record, &[])), &writing).len())
}
