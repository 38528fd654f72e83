//! A request as JSON: byte for byte what serde makes of an [`Entry`], in a fraction of the instructions.

use super::text;
use crate::event::address::Name;
use crate::event::entry::Entry;
use std::io;

/// What a line takes.
const USUAL: usize = 1_024;

/// Appends `entry` to `out`.
///
/// # Errors
/// Never, into a vector.
pub(super) fn entry(e: &Entry<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let some = |n: u16| (n != 0).then_some(u64::from(n));
    out.reserve(USUAL);
    let mut object = Object { out, result: Ok(()) };
    object.word("{\"time\":\"", &e.time);
    object.word(",\"kind\":\"", &e.kind);
    object.name(",\"client\":\"", e.client);
    object.some_number(",\"client_port\":", some(e.client_port));
    object.name(",\"peer\":\"", e.peer);
    object.word(",\"outcome\":\"", &e.outcome);
    object.word(",\"reason\":\"", &e.reason);
    object.some_text(",\"rule\":\"", &e.rule);
    if !e.observed.is_empty() {
        object.out.extend_from_slice(b",\"observed\":");
        object.serde(&e.observed);
    }
    object.some_number(",\"status\":", some(e.status));
    object.word(",\"protocol\":\"", &e.protocol);
    object.text(",\"method\":\"", &e.method);
    object.text(",\"host\":\"", &e.host);
    object.text(",\"path\":\"", &e.path);
    object.text(",\"user_agent\":\"", &e.user_agent);
    object.some_word(",\"request_id\":\"", &e.request_id);
    if let Some(origin) = e.origin {
        object.out.extend_from_slice(b",\"origin\":\"");
        text::socket(origin, object.out);
        object.out.push(b'"');
    }
    object.float(",\"duration_ms\":", Some(e.duration_ms));
    object.float(",\"origin_ms\":", e.origin_ms);
    object.some_number(",\"bytes_in\":", Some(e.bytes_in));
    object.some_number(",\"bytes_out\":", Some(e.bytes_out));
    object.some_word(",\"state\":\"", &e.state);
    object.some_word(",\"rank\":\"", &e.rank);
    object.float(",\"offered\":", e.offered);
    object.float(",\"capacity\":", e.capacity);
    object.float(",\"retry_after_s\":", e.retry_after_s);
    object.some_word(",\"limit_rate\":\"", &e.limit_rate);
    object.some_number(",\"limit_burst\":", e.limit_burst.map(u64::from));
    object.out.push(b'}');
    object.result
}

/// An object that is being written: every key comes with all that stands before its value.
struct Object<'a> {
    out: &'a mut Vec<u8>,
    result: io::Result<()>,
}

impl Object<'_> {
    fn serde(&mut self, value: &impl serde::Serialize) {
        if let Err(error) = serde_json::to_writer(&mut *self.out, value) {
            self.result = Err(error.into());
        }
    }

    /// One of weir's own words, in which there is nothing to escape. Every key of a text ends with its first quote.
    #[inline]
    fn word(&mut self, key: &str, value: &str) {
        debug_assert!(text::is_plain(value), "{key}{value}");
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(value.as_bytes());
        self.out.push(b'"');
    }

    #[inline]
    fn some_word(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.word(key, value);
        }
    }

    /// What a client sent.
    fn text(&mut self, key: &str, value: &str) {
        if text::is_plain(value) {
            return self.word(key, value);
        }
        self.out.extend_from_slice(&key.as_bytes()[..key.len() - 1]);
        self.serde(&value);
    }

    fn some_text(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.text(key, value);
        }
    }

    fn name(&mut self, key: &str, name: Name) {
        self.out.extend_from_slice(key.as_bytes());
        match name {
            Name::Address(address) => text::address(address, self.out),
            Name::Hashed(_) => self.out.extend_from_slice(name.to_string().as_bytes()),
        }
        self.out.push(b'"');
    }

    fn some_number(&mut self, key: &str, value: Option<u64>) {
        if let Some(value) = value {
            self.out.extend_from_slice(key.as_bytes());
            text::number(value, self.out);
        }
    }

    fn float(&mut self, key: &str, value: Option<f64>) {
        let Some(value) = value else { return };
        self.out.extend_from_slice(key.as_bytes());
        // Nearly all are thousandths, written with as many decimals as they need, and at least one.
        let thousandths = (value * 1_000.0) as u64;
        if (0.0..1e12).contains(&value) && thousandths as f64 / 1_000.0 == value {
            text::thousandths(thousandths, self.out);
            let zeros = self.out.iter().rev().take(2).take_while(|b| **b == b'0').count();
            self.out.truncate(self.out.len() - zeros);
        } else {
            self.serde(&value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;
    use crate::base::units::Rate;
    use crate::event::record::{Outcome, Record, Text};
    use proptest::prelude::*;
    use std::time::Duration;

    fn same(record: &Record) -> Result<(), TestCaseError> {
        let mut read = Entry::new(record, &[Some("per \"client\"".into())]);
        for name in [read.client, Name::Hashed(record.request_id)] {
            read.client = name;
            let mut out = Vec::new();
            entry(&read, &mut out).unwrap();
            prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&read).unwrap());
        }
        Ok(())
    }

    #[test]
    fn what_is_blank_is_written_as_serde_does() {
        same(&Record::blank(Time::from_nanos(0))).unwrap();
    }

    proptest! {
        #[test]
        fn whatever_there_is_is_written_as_serde_does(
            texts in prop::array::uniform5(prop::collection::vec(any::<u8>(), 0..30)),
            numbers in any::<(u16, u16, u64, u64, u32, u64, u128)>(),
            addresses in any::<(std::net::IpAddr, std::net::IpAddr, std::net::SocketAddr)>(),
            times in any::<(u32, u64, u32)>(),
            pressure in prop::option::of((0.0f32..1e30, -1.0f32..1e3)),
        ) {
            let mut record = Record::blank(Time::from_nanos(times.1 >> 2));
            let [rule, method, host, path, agent] = texts;
            (record.rule, record.method, record.host) = (Text::new(&rule), Text::new(&method), Text::new(&host));
            (record.path, record.user_agent) = (Text::new(&path), Text::new(&agent));
            (record.client_port, record.status, record.bytes_in) = (numbers.0, numbers.1, numbers.2);
            (record.bytes_out, record.limit_burst) = (numbers.3, numbers.4);
            (record.observed, record.request_id) = (numbers.5, numbers.6);
            (record.client, record.peer, record.origin) = (addresses.0, addresses.1, Some(addresses.2));
            record.duration = Duration::from_micros(times.0.into());
            record.origin_latency = Duration::from_micros(times.1);
            record.retry_after = Duration::from_millis(times.2.into());
            (record.pressure, record.outcome) = (pressure, Outcome::Refused);
            (record.state, record.limit_rate) = ("attack", Some(Rate::per_second(7)));
            same(&record)?;
        }
    }
}
