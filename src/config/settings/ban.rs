//! `[ban]`: who is turned away for a time, and for how long.

use super::PathPattern;
use crate::base::units::Rate;
use std::path::PathBuf;
use std::time::Duration;

/// `[ban]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ban {
    /// Whether the ladder works: if not, nobody climbs it and its bans do not hold. An operator's always do.
    pub enabled: bool,
    /// How long the first step lasts: every request is answered 403.
    pub refuse: Duration,
    /// How long the second step lasts: connections are closed without a reply.
    pub close: Duration,
    /// How long the first ban lasts, the second, and so on.
    pub ladder: Vec<Duration>,
    /// The longest that a past step is remembered.
    pub forget_after: Duration,
    /// The most clients that the ladder takes on in a minute.
    pub max_per_minute: u32,
    /// From how many banned members on a network may be banned whole; 0 bans no network.
    pub rollup_members: u32,
    /// Paths that no client has a reason to ask for; one request is enough.
    pub honeypot: Vec<PathPattern>,
    /// Paths where people log in; a POST that fails there is a guess.
    pub login_paths: Vec<PathPattern>,
    /// Requests refused by a limit of the client's own, or while it is banned.
    pub refusals: Threshold,
    /// Answers 4xx of the origin.
    pub client_errors: Threshold,
    /// Malformed or ambiguous requests, and resets of HTTP/2 streams beyond their bound.
    pub protocol: Threshold,
    /// Failed logins.
    pub login: Threshold,
    /// Heads and bodies that a deadline cut off.
    pub slow: Threshold,
    /// Where the bans outlive the process.
    pub file: Option<PathBuf>,
}

/// How much of one offence is borne.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// So many are forgiven as time goes.
    pub rate: Rate,
    /// So many at once make a suspect; 0 does not count this offence.
    pub burst: u32,
}
