//! What a sink of the ingress log is handed: a request, or news.

use super::entry::Entry;
use super::news::News;
use super::record::{Outcome, Record};
use crate::base::{clock, rfc3339};
use crate::config::settings::RecordKind;

/// One thing to tell.
#[derive(Clone, Copy, Debug)]
pub enum Story<'a> {
    /// A request: as it was recorded, and as people read it.
    Request(&'a Record, &'a Entry<'a>),
    /// Something else.
    News(&'a News),
}

impl Story<'_> {
    /// When it happened, in milliseconds since 1970.
    pub fn unix_ms(&self) -> u64 {
        let of = |time: &str| rfc3339::to_unix_ms(time).unwrap_or_default();
        match self {
            Self::Request(record, _) => clock::unix_nanos(record.at) / 1_000_000,
            Self::News(News::Ban(news)) => of(&news.time),
            Self::News(News::State(news)) => of(&news.time),
        }
    }

    /// What kind of record it is, as configs choose among them.
    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::Request(record, _) => kind_of(record.outcome),
            Self::News(News::Ban(_)) => RecordKind::Ban,
            Self::News(News::State(_)) => RecordKind::State,
        }
    }
}

/// Refusals are those by weir; what the origin failed was let through.
pub const fn kind_of(outcome: Outcome) -> RecordKind {
    match outcome {
        Outcome::Refused | Outcome::Closed => RecordKind::Refusal,
        Outcome::Forwarded | Outcome::Failed | Outcome::Gone | Outcome::Own => RecordKind::Request,
    }
}
