//! Attacks and crowds to judge a config by, made from the traffic of a log or of a generated site; a seed decides all.

mod attack;
mod attackers;
mod background;
mod catalog;
mod crowd;
mod generated;
mod networks;
mod random;
mod site;
mod stage;
#[cfg(test)]
mod tests;
pub mod tsv;

pub use attackers::Attackers;
pub use background::Background;
pub use catalog::{build, names};
pub use networks::Networks;
pub use random::Random;

use std::net::IpAddr;
use std::sync::Arc;

/// Seconds that a scenario lasts, unless it says otherwise.
pub const WINDOW: f64 = 2400.0;
/// When an attack or a crowd begins.
pub const ONSET: f64 = 1200.0;
/// How long it lasts.
pub const LENGTH: f64 = 240.0;
/// The origin's capacity that the scenarios are made for, in requests a second.
pub const CAPACITY: f64 = 300.0;

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A client that got a good answer (below 500, and not 401, 403 or 429) within the 28 days before the scenario,
    /// whether the filter may know that (the scenario's history) or not.
    Known,
    /// A client that came for the first time.
    New,
    /// An attacker.
    Attacker,
}

/// One request of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When, in seconds from the scenario's start, in whole microseconds; negative in a history.
    pub t: f64,
    /// Who.
    pub client: IpAddr,
    /// Method.
    pub method: Arc<str>,
    /// Path, without its query.
    pub path: Arc<str>,
    /// Whether a query followed it.
    pub has_query: bool,
    /// Status that the origin answers.
    pub status: u16,
    /// Bytes that the origin answers.
    pub bytes: u64,
    /// User agent.
    pub user_agent: Arc<str>,
    /// Whether this client passes a challenge.
    pub solves: bool,
    /// Who it really is.
    pub kind: Kind,
}

/// Traffic with or without an attack, and what is known about it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What decided it.
    pub seed: u64,
    /// What happened before, sorted by time.
    pub history: Arc<[Event]>,
    /// The requests, sorted by time.
    pub events: Vec<Event>,
    /// When the attack, or the crowd, begins.
    pub onset: f64,
    /// When it ends.
    pub end: f64,
    /// Whether it is an attack.
    pub attacked: bool,
    /// Whether it grows, so that detection counts from where it comes near the capacity and not from the onset.
    pub grows: bool,
    /// Whether the filter may challenge.
    pub challenge: bool,
}

/// Whether `path` is a part of a page rather than a page.
pub(super) fn asset(path: &str) -> bool {
    const ENDINGS: [&str; 17] = [
        "css", "js", "png", "jpg", "jpeg", "gif", "ico", "svg", "woff", "woff2", "ttf", "eot", "webp", "swf", "mp4",
        "pdf", "map",
    ];
    path.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.iter().any(|e| ending.eq_ignore_ascii_case(e)))
}
