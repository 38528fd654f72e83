//! From suspects to bans: refuse, close, then ever longer bans; and who is never banned.
//!
//! A client that offends again while a past step is remembered goes one step up; who keeps still comes down again, a
//! step at a time. Requests that were on their way when a step fell are not held against the client.

use super::book::{Book, Evidence, Record};
use super::network::Network;
use super::offences::Suspect;
use super::set::{Step, Who};
use crate::base::clock::Time;
use crate::client::key::ClientKey;
use crate::config::settings::Ban as Settings;
use std::collections::VecDeque;
use std::time::Duration;

/// How long after a step the next one can follow: a page's requests are on their way by then, or answered.
const GRACE: Duration = Duration::from_secs(2);

/// An operator's lift of a finding's ban is remembered as long as GuardDuty keeps its findings.
const LIFT_MEMORY: Duration = Duration::from_secs(90 * 86_400);

/// A past step counts for so many times as long as it lasted.
const MEMORY: u32 = 60;

/// The most suspects that wait for the cap.
const WAITING: usize = 4_096;

/// How long they wait: what was long ago is no reason to ban.
const PATIENCE: Duration = Duration::from_secs(60);

const MINUTE: Duration = Duration::from_secs(60);

/// What is known of clients and networks elsewhere.
pub trait Standing {
    /// Why nobody in `network` may be banned, if so: it is on a list, a proxy, the origin.
    fn exempt(&self, network: Network) -> Option<String>;
    /// How the client is known.
    fn of(&self, client: ClientKey) -> Regard;
}

/// How a client is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regard {
    /// Not at all.
    Stranger,
    /// It was seen lately.
    Seen,
    /// It is known for good requests: the ladder goes no further than closing its connections.
    Good,
}

/// What the ladder goes by.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The config.
    pub settings: &'a Settings,
    /// How many leading bits of an IPv6 address make one client.
    pub ipv6_prefix: u8,
    /// Whether nobody is to be banned now: an operator paused it, or the origin is overloaded by people.
    pub hold: bool,
}

/// How often the ladder did what, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Suspects that may not be banned.
    pub spared: u64,
    /// Suspects that had to wait for `max_per_minute`.
    pub capped: u64,
    /// Of those, how many waited in vain.
    pub given_up: u64,
}

/// What becomes of suspects.
#[derive(Debug, Default)]
pub struct Ladder {
    /// When clients were taken on in the last minute.
    taken: VecDeque<Time>,
    waiting: VecDeque<Suspect>,
    tally: Tally,
}

impl Ladder {
    /// Lets each suspect climb one step, writes that into `book`, and tells every new record.
    pub fn judge(
        &mut self,
        suspects: impl Iterator<Item = Suspect>,
        book: &mut Book,
        terms: &Terms<'_>,
        standing: &dyn Standing,
        now: Time,
    ) -> Vec<Record> {
        if terms.hold || !terms.settings.enabled {
            self.waiting.clear();
            self.tally.spared += suspects.count() as u64;
            return Vec::new();
        }
        self.forget_taken(now);
        let before = self.waiting.len();
        self.waiting.retain(|s| now.since(s.at) <= PATIENCE);
        self.tally.given_up += (before - self.waiting.len()) as u64;
        let mut raised = Vec::new();
        while self.has_room(terms)
            && let Some(suspect) = self.waiting.pop_front()
        {
            self.climb(suspect, book, terms, standing, now, &mut raised);
        }
        for suspect in suspects {
            self.climb(suspect, book, terms, standing, now, &mut raised);
        }
        for network in around(&raised, terms) {
            if self.has_room(terms)
                && let Some(record) = roll_up(network, book, terms, standing, now)
            {
                self.taken.push_back(now);
                self.write(record, book, now, &mut raised);
            }
        }
        raised
    }

    /// Forgets what is over and no longer counts, and bans of networks whose members do not justify them any more.
    ///
    /// What of these held until now.
    pub fn tidy(&self, book: &mut Book, terms: &Terms<'_>, now: Time) -> Vec<Record> {
        let unjustified = |r: &Record| {
            // What another task says of its members is for that task to take back.
            r.who == Who::Members
                && r.from.is_none()
                && members(book, r.network, terms, now).len() < terms.settings.rollup_members as usize
        };
        let gone: Vec<Network> = book.records().filter(|r| unjustified(r)).map(|r| r.network).collect();
        let held = gone.into_iter().filter_map(|network| book.remove(network)).filter(|r| r.is_active(now)).collect();
        let lifted = |r: &Record| r.lifted.is_some_and(|at| now.since(at) < LIFT_MEMORY);
        let counts = |r: &Record| r.who == Who::Ladder && remembered(r, terms.settings, now).is_some();
        book.retain(|r| r.is_active(now) || lifted(r) || counts(r));
        held
    }

    /// How often it did what.
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// How many suspects wait for the cap.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// One step up for one suspect, if there is room for another client.
    fn climb(
        &mut self,
        suspect: Suspect,
        book: &mut Book,
        terms: &Terms<'_>,
        standing: &dyn Standing,
        now: Time,
        raised: &mut Vec<Record>,
    ) {
        let Some(record) = self.next_step(&suspect, book, terms, standing, now) else { return };
        if !book.get(record.network).is_some_and(|old| old.is_active(now)) {
            if !self.has_room(terms) {
                return self.wait(suspect);
            }
            self.taken.push_back(now);
        }
        self.write(record, book, now, raised);
    }

    /// What the suspect comes to; none where it is spared, or was dealt with a moment ago.
    fn next_step(
        &mut self,
        suspect: &Suspect,
        book: &Book,
        terms: &Terms<'_>,
        standing: &dyn Standing,
        now: Time,
    ) -> Option<Record> {
        let network = Network::of_client(suspect.client, terms.ipv6_prefix);
        if standing.exempt(network).is_some() {
            self.tally.spared += 1;
            return None;
        }
        let old = book.get(network);
        if old.is_some_and(|r| r.is_active(now) && (own_word(r) || now.since(r.since) < GRACE)) {
            return None;
        }
        let highest = if standing.of(suspect.client) == Regard::Good { Step::CLOSE } else { top(terms.settings) };
        let step = old.and_then(|r| remembered(r, terms.settings, now)).map_or(Step::REFUSE, |s| Step(s.0 + 1));
        let step = step.min(highest);
        // What holds already is never shortened.
        let until = (now + lifetime(step, terms.settings)).max(old.map_or(now, |r| r.until));
        let hits = old.filter(|r| r.is_active(now)).map_or(0, Record::hits);
        let mut record = Record::new(network, step, Who::Ladder, now, until).with_hits(hits);
        let Suspect { kind, threshold, path, at, .. } = *suspect;
        record.evidence = Some(Evidence { kind, threshold, path, at });
        record.reason = kind.code().to_owned();
        record.lifted = old.and_then(|r| r.lifted);
        // What follows on another must be the later one everywhere, also where clocks differ.
        record.stamp = old.map_or(0, |r| r.stamp);
        Some(record)
    }

    fn write(&mut self, record: Record, book: &mut Book, now: Time, raised: &mut Vec<Record>) {
        match book.put(record.clone(), now) {
            Ok(()) => raised.push(record),
            Err(_) => self.tally.given_up += 1,
        }
    }

    /// Takes on one more client at somebody else's word; false where there is no room in this minute.
    pub fn take_on(&mut self, settings: &Settings, now: Time) -> bool {
        self.forget_taken(now);
        let room = self.taken.len() < settings.max_per_minute as usize;
        if room {
            self.taken.push_back(now);
        }
        room
    }

    fn forget_taken(&mut self, now: Time) {
        while self.taken.front().is_some_and(|at| now.since(*at) >= MINUTE) {
            self.taken.pop_front();
        }
    }

    /// Whether one more may be taken on in this minute.
    fn has_room(&self, terms: &Terms<'_>) -> bool {
        self.taken.len() < terms.settings.max_per_minute as usize
    }

    fn wait(&mut self, suspect: Suspect) {
        self.tally.capped += 1;
        if self.waiting.iter().any(|w| w.client == suspect.client) {
            return;
        }
        if self.waiting.len() == WAITING {
            self.waiting.pop_front();
            self.tally.given_up += 1;
        }
        self.waiting.push_back(suspect);
    }
}

/// Whether it is no step of the ladder's, so that the ladder leaves it alone.
fn own_word(record: &Record) -> bool {
    matches!(record.who, Who::Operator | Who::Finding | Who::Gateway)
}

/// The last step of the ladder.
fn top(settings: &Settings) -> Step {
    Step(Step::CLOSE.0 + settings.ladder.len() as u8)
}

/// How long a step lasts.
fn lifetime(step: Step, settings: &Settings) -> Duration {
    match step {
        Step::REFUSE => settings.refuse,
        Step::CLOSE => settings.close,
        Step(n) => {
            let n = usize::from(n - Step::FIRST_BAN.0);
            settings.ladder.get(n).or(settings.ladder.last()).copied().unwrap_or(settings.close)
        }
    }
}

/// Until when a record is worth keeping: it holds, or a step of it still counts.
pub fn counts_until(record: &Record, settings: &Settings) -> Time {
    if record.who != Who::Ladder {
        return record.until;
    }
    let steps = (0..=record.step.0).map(Step);
    steps.fold(record.until, |until, step| until + (lifetime(step, settings) * MEMORY).min(settings.forget_after))
}

/// The step that still counts: each is remembered for a time after its end, then the one below it.
fn remembered(record: &Record, settings: &Settings, now: Time) -> Option<Step> {
    if record.who != Who::Ladder {
        return None;
    }
    let mut until = record.until;
    for step in (0..=record.step.0).rev().map(Step) {
        until = until + (lifetime(step, settings) * MEMORY).min(settings.forget_after);
        if now < until {
            return Some(step.min(top(settings)));
        }
    }
    None
}

/// The networks around new bans that may now be worth one of their own, the narrowest first.
fn around(raised: &[Record], terms: &Terms<'_>) -> Vec<Network> {
    let mut networks = Vec::new();
    if terms.settings.rollup_members == 0 {
        return networks;
    }
    for record in raised.iter().filter(|r| r.step >= Step::FIRST_BAN) {
        let lengths: &[u8] = if record.network.is_ipv4() { &[24] } else { &[56, 48] };
        for length in lengths.iter().filter(|length| **length < record.network.length()) {
            let network = Network::around(record.network.first(), *length);
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
    }
    networks.sort_unstable_by_key(|n| std::cmp::Reverse(n.length()));
    networks
}

/// The clients of `network` that are under a timed ban of their own, and when they come free.
fn members(book: &Book, network: Network, terms: &Terms<'_>, now: Time) -> Vec<(Network, Time)> {
    let of_client = |r: &&Record| r.network == Network::of_client(r.network.first(), terms.ipv6_prefix);
    let banned = |r: &&Record| r.who == Who::Ladder && r.step >= Step::FIRST_BAN && r.is_active(now);
    book.inside(network).filter(of_client).filter(banned).map(|r| (r.network, r.until)).collect()
}

/// The ban of a whole network, where enough of its clients are banned, most of those seen, and nobody good is inside.
fn roll_up(network: Network, book: &Book, terms: &Terms<'_>, standing: &dyn Standing, now: Time) -> Option<Record> {
    let old = book.get(network).filter(|r| r.is_active(now));
    let members = members(book, network, terms, now);
    let least = terms.settings.rollup_members as usize;
    if old.is_some_and(own_word) || members.len() < least || standing.exempt(network).is_some() {
        return None;
    }
    let mut others = 0;
    for client in network.clients(terms.ipv6_prefix)? {
        if members.binary_search_by_key(&Network::of_client(client, terms.ipv6_prefix), |m| m.0).is_ok() {
            continue;
        }
        match standing.of(client) {
            Regard::Stranger => {}
            Regard::Seen => others += 1,
            Regard::Good => return None,
        }
        if others > members.len() {
            return None;
        }
    }
    // It ends when too few of its members are left.
    let mut ends: Vec<Time> = members.iter().map(|m| m.1).collect();
    ends.sort_unstable_by(|a, b| b.cmp(a));
    let mut record = Record::new(network, Step::REFUSE, Who::Members, now, ends[least - 1]);
    record.reason = format!("{} of its {} clients seen lately are banned", members.len(), members.len() + others);
    record.stamp = book.get(network).map_or(0, |r| r.stamp);
    match old {
        // Nothing new to say.
        Some(old) if old.until >= record.until => None,
        Some(old) => Some(record.with_hits(old.hits())),
        None => Some(record),
    }
}

#[cfg(test)]
mod tests;
