//! The traffic that a scenario happens in: sessions to place, and the history before them.

use super::networks::{self, Networks};
use super::random::Random;
use super::{Event, Kind, WINDOW, asset};
use crate::flood::history::History;
use crate::simulate::log::{Line, Log};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

/// A pause of this many seconds ends a session.
const PAUSE: f64 = 1800.0;
/// The share of the log's time that is history.
const HISTORY: f64 = 0.6;
/// How long before the window the history ends, in seconds.
const REST: f64 = 600.0;
/// How long before the window somebody may have been that counts as known: what any history remembers, in seconds.
const MEMORY: f64 = 28.0 * 86_400.0;
/// Requests that all sessions together should make in a window.
const ROWS: f64 = 19.0 * WINDOW;
/// The most that sessions are repeated to get there.
const MOST_COPIES: f64 = 16.0;
/// The most lines of a log that are kept in memory.
const MOST_LINES: usize = 2_000_000;

/// What one client did without a long pause; times count from its first request.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) client: IpAddr,
    pub(super) rows: Vec<Event>,
}

impl Session {
    /// Whether a browser loaded at least a page with what belongs to it.
    pub(super) fn is_visit(&self) -> bool {
        self.rows.len() > 3 && self.rows[0].solves
    }
}

/// Sessions and history of a site; from a log or generated.
#[derive(Debug)]
pub struct Background {
    pub(super) sessions: Vec<Session>,
    pub(super) history: Arc<[Event]>,
    pub(super) known: HashSet<IpAddr>,
    pub(super) networks: Networks,
    /// How often each session takes place in a window.
    pub(super) copies: f64,
    /// Seconds by which a request may move: logs of whole seconds hide as much.
    pub(super) jitter: f64,
    pub(super) search: Arc<str>,
    pub(super) login: Arc<str>,
}

impl Background {
    /// The sessions of `log`: its first 60 % are history. Lines labelled as attacks are dropped, and clients that
    /// have no address get a stable one.
    pub fn from_log(log: &mut Log, networks: Networks) -> Result<Self, String> {
        let mut rows = Rows::default();
        while let Some(line) = log.next_line().map_err(|e| e.to_string())? {
            if line.label.as_deref().is_none_or(is_kept) {
                rows.push(line)?;
            }
        }
        let mut events = rows.finish();
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Err("the log has no request to take a background from".into());
        };
        let cut = first.t + HISTORY * (last.t - first.t);
        let jitter = if events.iter().all(|e| e.t.fract() == 0.0) { 0.9 } else { 0.0 };
        let live = events.split_off(events.partition_point(|e| e.t < cut));
        if live.is_empty() {
            return Err("the log has no request after its first 60 %".into());
        }
        Ok(Self::new(events, sessions(live), networks, jitter, None))
    }

    /// A background of `history`, sorted by time, and `sessions`, each `copies` times or as often as gives a busy site.
    pub(super) fn new(
        history: Vec<Event>,
        sessions: Vec<Session>,
        networks: Networks,
        jitter: f64,
        copies: Option<f64>,
    ) -> Self {
        let busy = ROWS / rows_in_window(&sessions).max(1.0);
        let copies = copies.unwrap_or(if busy > 0.9 { busy.round().min(MOST_COPIES) } else { busy });
        let path = |words: &[&str], otherwise| most_frequent(&sessions, words).unwrap_or_else(|| Arc::from(otherwise));
        let (search, login) = (path(&["search"], "/"), path(&["login", "signin", "sign-in"], "/login"));
        let end = history.last().map_or(0.0, |e| e.t);
        let identities = copies.max(1.0) as u64;
        let mut shifted = Vec::with_capacity(history.len() * identities as usize);
        for mut event in history {
            (event.t, event.kind) = (event.t - end - REST, Kind::Known);
            let named = |number| Event { client: identity(&networks, event.client, number), ..event.clone() };
            shifted.extend((0..identities).map(named));
        }
        let remembered = |e: &&Event| History::good_status(e.status) && -e.t < MEMORY;
        let known = shifted.iter().filter(remembered).map(|e| e.client).collect();
        Self { sessions, history: shifted.into(), known, networks, copies, jitter, search, login }
    }

    /// What happened before the window, sorted by time; ends 600 s before it.
    pub fn history(&self) -> &Arc<[Event]> {
        &self.history
    }

    /// Session starts a second.
    pub(super) fn starts(&self) -> f64 {
        self.sessions.len() as f64 * self.copies / WINDOW
    }

    /// Every session, `copies` times, at a moment that `when` draws: as itself, then under its other identities, whom
    /// the history knows as well, then as strangers nearby; over a day they come back instead.
    pub(super) fn place(&self, copies: f64, when: When, random: &mut Random, out: &mut Vec<Event>) {
        let identities = self.copies.max(1.0) as u64;
        for session in &self.sessions {
            let whole = copies as u64;
            let times = whole + u64::from(random.chance(copies - whole as f64));
            for copy in 0..times {
                let number = if when.daily { copy % identities } else { copy };
                let client = match number < identities {
                    true => identity(&self.networks, session.client, number),
                    false => self.networks.near(session.client, random),
                };
                let start = when.draw(random);
                self.run(session, client, start, when.window, random, out);
            }
        }
    }

    /// `session` under the name `client`, from `start` until the window ends.
    pub(super) fn run(
        &self,
        session: &Session,
        client: IpAddr,
        start: f64,
        window: f64,
        random: &mut Random,
        out: &mut Vec<Event>,
    ) {
        for row in &session.rows {
            let t = start + row.t + self.jitter * random.unit();
            if t < window {
                out.push(Event { t, client, ..row.clone() });
            }
        }
    }
}

/// When sessions start.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    /// Seconds from the first start to the last request.
    pub(super) window: f64,
    /// More at noon than at midnight, and clients come back; else all moments are alike.
    pub(super) daily: bool,
}

impl When {
    fn draw(self, random: &mut Random) -> f64 {
        loop {
            let (share, height) = (random.unit(), random.unit());
            let from_noon = 2.0 * share - 1.0;
            if !self.daily || height < 1.0 - 0.8 * from_noon * from_noon {
                return share * self.window;
            }
        }
    }
}

/// One of the identities of a client, 0 being its own; always the same, so that the history can know them too.
fn identity(networks: &Networks, client: IpAddr, number: u64) -> IpAddr {
    match number {
        0 => client,
        _ => networks.near(client, &mut Random::named(number, &client.to_string())),
    }
}

/// The requests that fall into a window, on average, if every session starts once at a random moment of it.
fn rows_in_window(sessions: &[Session]) -> f64 {
    sessions.iter().flat_map(|s| &s.rows).map(|row| (1.0 - row.t / WINDOW).max(0.0)).sum()
}

/// Whether requests of this label belong into a background.
fn is_kept(label: &str) -> bool {
    !matches!(label, "attack" | "bruteforce" | "no_ua") && (label == "declared_bot" || !label.ends_with("_bot"))
}

/// Whether the agent calls itself a crawler.
pub(super) fn is_crawler(agent: &str) -> bool {
    let agent = agent.to_ascii_lowercase();
    ["bot", "spider", "crawl", "slurp"].iter().any(|word| agent.contains(word))
}

/// Whether a client of this agent passes a challenge: a browser, as far as its name goes.
pub(super) fn is_browser(agent: &str) -> bool {
    let names_itself = ["monitor", "Monitor", "+http"].iter().any(|word| agent.contains(word));
    agent.starts_with("Mozilla/") && !names_itself && !is_crawler(agent)
}

/// Lines on their way to become events.
#[derive(Default)]
struct Rows {
    names: HashMap<String, Arc<str>>,
    events: Vec<Event>,
    agents: bool,
}

impl Rows {
    fn push(&mut self, line: Line) -> Result<(), String> {
        if self.events.len() == MOST_LINES {
            return Err(format!("the log has more than {MOST_LINES} usable lines: expected a shorter part of it"));
        }
        self.agents |= !line.user_agent.is_empty();
        let event = Event {
            t: line.t,
            client: line.client.parse().unwrap_or_else(|_| networks::of_name(&line.client)),
            method: self.name(line.method),
            path: self.name(line.path),
            has_query: line.has_query,
            status: line.status,
            bytes: line.bytes,
            solves: is_browser(&line.user_agent),
            user_agent: self.name(line.user_agent),
            kind: Kind::New,
        };
        self.events.push(event);
        Ok(())
    }

    fn name(&mut self, text: String) -> Arc<str> {
        self.names.entry(text).or_insert_with_key(|text| Arc::from(text.as_str())).clone()
    }

    /// The events by time. Where the whole log names no agent, everybody is a browser.
    fn finish(mut self) -> Vec<Event> {
        if !self.agents {
            let agent: Arc<str> = Arc::from(super::attackers::AGENTS[0]);
            for event in &mut self.events {
                (event.user_agent, event.solves) = (agent.clone(), true);
            }
        }
        self.events.sort_by(|a, b| a.t.total_cmp(&b.t));
        self.events
    }
}

/// `events`, which are sorted, cut where a client pauses; in the order of their starts.
fn sessions(events: Vec<Event>) -> Vec<Session> {
    let mut sessions: Vec<Session> = vec![];
    let mut open: HashMap<IpAddr, (usize, f64, f64)> = HashMap::new();
    for mut event in events {
        let t = event.t;
        let (at, start) = match open.get(&event.client) {
            Some(&(at, start, last)) if t - last <= PAUSE => (at, start),
            _ => {
                sessions.push(Session { client: event.client, rows: vec![] });
                (sessions.len() - 1, t)
            }
        };
        open.insert(event.client, (at, start, t));
        event.t = t - start;
        sessions[at].rows.push(event);
    }
    sessions
}

/// The page that holds one of `words` and is asked for most.
fn most_frequent(sessions: &[Session], words: &[&str]) -> Option<Arc<str>> {
    let mut counts: HashMap<&Arc<str>, usize> = HashMap::new();
    for row in sessions.iter().flat_map(|s| &s.rows) {
        if words.iter().any(|word| row.path.contains(word)) && !asset(&row.path) {
            *counts.entry(&row.path).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|&(path, count)| (count, path)).map(|(path, _)| path.clone())
}
