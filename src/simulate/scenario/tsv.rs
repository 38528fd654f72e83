//! Scenarios as the TSV log that `weir simulate` reads.

use super::{Event, Kind};
use std::borrow::Cow;
use std::io::{self, Write};

/// When a scenario begins, in seconds since 1970.
pub const EPOCH: i64 = 1_700_000_000;

/// The header line's columns.
const COLUMNS: &str = "t\tip\tmethod\tpath\thas_query\tstatus\tbytes\tuser_agent\tchallenge\tlabel";

/// Writes `events` under a header line.
pub fn write<'a>(events: impl IntoIterator<Item = &'a Event>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{COLUMNS}")?;
    for e in events {
        let micros = (e.t * 1e6).round() as i64 + EPOCH * 1_000_000;
        let label = match e.kind {
            Kind::Known => "known",
            Kind::New => "new",
            Kind::Attacker => "attack",
        };
        writeln!(
            out,
            "{}.{:06}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{label}",
            micros.div_euclid(1_000_000),
            micros.rem_euclid(1_000_000),
            e.client,
            plain(&e.method),
            plain(&e.path),
            u8::from(e.has_query),
            e.status,
            e.bytes,
            plain(&e.user_agent),
            u8::from(e.solves),
        )?;
    }
    Ok(())
}

/// `text` without what would end its column.
fn plain(text: &str) -> Cow<'_, str> {
    match text.contains(['\t', '\n', '\r']) {
        true => Cow::Owned(text.replace(['\t', '\n', '\r'], " ")),
        false => Cow::Borrowed(text),
    }
}
