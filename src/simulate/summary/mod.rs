//! What a trial came to, as JSON and as the text for people are made from it.

mod make;

use serde::Serialize;

/// What a trial came to.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The log.
    pub log: LogView,
    /// What came before it.
    pub history: Option<HistoryView>,
    /// Who passes a challenge: `as-logged`, `browsers-pass` or `off`.
    pub challenge: &'static str,
    /// What each config did.
    pub configs: Vec<ConfigView>,
    /// Where two configs differ.
    pub differences: Option<Differences>,
    /// What one should know about the figures.
    pub notes: Vec<String>,
}

/// Where the second config differs from the first.
#[derive(Clone, Debug, Serialize)]
pub struct Differences {
    /// Requests with another verdict.
    pub requests: u64,
    /// Requests that only the first passes on.
    pub only_first_forwards: u64,
    /// Requests that only the second passes on.
    pub only_second_forwards: u64,
    /// Clients of whom only the first turns something away.
    pub clients_only_first_refuses: usize,
    /// Clients of whom only the second turns something away.
    pub clients_only_second_refuses: usize,
}

/// A log.
#[derive(Clone, Debug, Serialize)]
pub struct LogView {
    /// Lines that are requests.
    pub requests: u64,
    /// Lines that could not be used.
    pub faults: u64,
    /// The first of them.
    pub first_faults: Vec<String>,
    /// Lines out of order by more than can be put right.
    pub late: u64,
    /// Formats.
    pub formats: Vec<&'static str>,
    /// When the first request came, in seconds since 1970.
    pub first: f64,
    /// When the last came.
    pub last: f64,
    /// Clients.
    pub clients: usize,
    /// Whether there were more than can be told apart.
    pub more_clients: bool,
}

/// A history.
#[derive(Clone, Debug, Serialize)]
pub struct HistoryView {
    /// Lines that are requests.
    pub requests: u64,
    /// Lines that could not be used.
    pub faults: u64,
    /// Requests that did not come before the log, and were passed over.
    pub overlap: u64,
}

/// What a config did.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigView {
    /// Its file.
    pub config: String,
    /// The origin's capacity, in requests a second.
    pub capacity: f64,
    /// Requests by verdict.
    pub verdicts: Verdicts,
    /// Why requests ended as they did, the most frequent first.
    pub reasons: Vec<ReasonView>,
    /// What limits that only observe would have refused.
    pub observed: Vec<ObservedView>,
    /// Challenges given and passed.
    pub challenged: u64,
    /// See `challenged`.
    pub passed: u64,
    /// Steps of the ban ladder that were taken.
    pub bans: u64,
    /// Forwarded requests that waited for their turn at the origin.
    pub waited: u64,
    /// The longest wait, in seconds.
    pub longest_wait: f64,
    /// The busiest second before weir.
    pub peak_offered: PeakView,
    /// The busiest second at the origin.
    pub peak_forwarded: PeakView,
    /// Seconds in each state, from the first request to the last.
    pub state_seconds: States,
    /// Changes of state.
    pub changes: Vec<ChangeView>,
    /// Clients that were refused anything.
    pub refused_clients: usize,
    /// Those refused most.
    pub top: Vec<ClientView>,
    /// Over time.
    pub series: SeriesView,
}

/// Requests by verdict.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Verdicts {
    /// Passed on to the origin.
    pub forward: u64,
    /// Refused.
    pub refuse: u64,
    /// Challenged, and not passed.
    pub challenge: u64,
    /// Closed without a reply.
    pub close: u64,
}

impl Verdicts {
    /// All that were not passed on.
    pub fn turned_away(&self) -> u64 {
        self.refuse + self.challenge + self.close
    }
}

/// A reason.
#[derive(Clone, Debug, Serialize)]
pub struct ReasonView {
    /// Its code.
    pub reason: &'static str,
    /// The limit, where it was one.
    pub limit: Option<String>,
    /// Requests.
    pub count: u64,
    /// Their share of all.
    pub share: f64,
    /// Clients it was said to; none for what was forwarded.
    pub clients: Option<usize>,
}

/// What an observing limit would have refused.
#[derive(Clone, Debug, Serialize)]
pub struct ObservedView {
    /// The limit.
    pub limit: String,
    /// Requests.
    pub count: u64,
}

/// A second.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PeakView {
    /// Requests.
    pub count: u32,
    /// When, in seconds since 1970.
    pub at: f64,
}

/// Seconds in each state.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct States {
    /// Normal.
    pub normal: f64,
    /// Elevated.
    pub elevated: f64,
    /// Attack.
    pub attack: f64,
    /// Overload.
    pub overload: f64,
}

/// A change of state.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeView {
    /// When, in seconds since 1970.
    pub at: f64,
    /// From what.
    pub from: &'static str,
    /// To what.
    pub to: &'static str,
    /// Why: a code.
    pub cause: &'static str,
    /// Why: for people.
    pub text: &'static str,
    /// The figures of the moment.
    pub evidence: String,
}

/// A client that was refused.
#[derive(Clone, Debug, Serialize)]
pub struct ClientView {
    /// Its address, or its name where it has none.
    pub client: String,
    /// Its requests.
    pub requests: u64,
    /// How many were refused.
    pub refused: u64,
    /// When the first of these came, in seconds since 1970.
    pub first: f64,
    /// When the last came.
    pub last: f64,
    /// Why, the most frequent first.
    pub reasons: Vec<ReasonView>,
}

/// Curves.
#[derive(Clone, Debug, Serialize)]
pub struct SeriesView {
    /// When the first point begins, in seconds since 1970.
    pub start: u64,
    /// Seconds a point.
    pub width: u64,
    /// The points.
    pub points: Vec<PointView>,
}

/// Some seconds taken together.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PointView {
    /// Requests.
    pub offered: u64,
    /// Requests that reached the origin.
    pub forwarded: u64,
    /// The busiest second of it.
    pub most_offered: u32,
    /// The second of it in which most reached the origin.
    pub most_forwarded: u32,
    /// The gravest state.
    pub state: &'static str,
}
