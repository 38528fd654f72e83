//! `[flood.challenge]`, checked.

use super::{PathPattern, Secret};
use std::time::Duration;

/// `[flood.challenge]`: what a newcomer is asked for in an attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Whether anybody is asked.
    pub enabled: bool,
    /// What is asked for.
    pub form: Form,
    /// What the keys are derived from; without it, random and this process's own.
    pub secret: Option<Secret>,
    /// How long a key signs.
    pub rotate_every: Duration,
    /// How long a cookie is good; not above `rotate_every`.
    pub lifetime: Duration,
    /// Leading zero bits that a proof of work must have.
    pub difficulty: u8,
    /// Paths that are never challenged.
    pub exempt: Vec<PathPattern>,
    /// Lower-case names of headers whose senders are never challenged.
    pub exempt_headers: Vec<String>,
}

/// What a newcomer is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// To bring back a cookie over a redirect.
    Redirect,
    /// To calculate as well.
    Work,
}

impl Form {
    /// The strength of a cookie that shows it: 1 or 2.
    pub const fn strength(self) -> u8 {
        match self {
            Self::Redirect => 1,
            Self::Work => 2,
        }
    }
}
