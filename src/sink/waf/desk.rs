//! All sets together: what is wanted, where it goes, which set's turn it is, and what came of it. Does no input or
//! output: the writer does.

use super::api::{Content, Kind};
use super::merge::Stay;
use super::plan::{Plan, Room, Rules, plan};
use super::record::{Key, Record};
use super::set::{Draft, Seen, Set};
use super::status::{Reach, SetStatus, Tally, WafStatus};
use super::want::{Want, is_ipv4};
use ipnet::IpNet;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// How many networks AWS takes into one set.
pub const CAPACITY: usize = 10_000;

/// How often a set is read again: somebody may have changed it.
const READ_AGAIN: Duration = Duration::from_secs(60);

/// How long what is over waits for company: an update of its own costs a turn.
const LAZY: Duration = Duration::from_secs(5);

/// After so many lost races in a row a set pauses.
const RACES: u32 = 5;

/// How long a set rests that is not there, or not ours to write.
const REST: Duration = Duration::from_secs(60);

/// What of the config counts at the moment, and what is known of clients.
pub(super) struct Terms<'a> {
    /// How long what is nobody's stays, and what time it is.
    pub stay: Stay,
    /// `ban.rollup_members`.
    pub rollup_members: u32,
    /// `client.ipv6_prefix`.
    pub ipv6_prefix: u8,
    /// Whether a network may stand for its members.
    pub may_cover: &'a dyn Fn(&IpNet) -> bool,
}

/// The writer's desk.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) sets: Vec<Set>,
    capacity: usize,
    plan: Plan,
    wants: Vec<Want>,
    /// Since when a network is wanted whose arrival is to be timed.
    timed: HashMap<IpNet, u64>,
    /// Whether wants were heard before: what was banned before weir began is not timed.
    heard: bool,
    /// Since when each set waits, and whether that is urgent.
    waiting: Vec<Option<(Instant, bool)>>,
    pub(super) tally: Tally,
    pub(super) writer: bool,
}

impl Desk {
    /// A desk for the sets of these names, that take so many networks each.
    pub(super) fn new(ipv4: &[String], ipv6: &[String], capacity: usize) -> Self {
        let set = |ipv4| move |name: &String| Set::new(name, ipv4);
        let sets: Vec<Set> = ipv4.iter().map(set(true)).chain(ipv6.iter().map(set(false))).collect();
        Self {
            waiting: vec![None; sets.len()],
            sets,
            capacity,
            plan: Plan::default(),
            wants: Vec::new(),
            timed: HashMap::new(),
            heard: false,
            tally: Tally::default(),
            writer: false,
        }
    }

    /// Begins anew, from what the store holds.
    pub(super) fn load(&mut self, records: Vec<Record>, now: u64) {
        let named = self.sets.iter().filter(|set| !set.retired);
        let fresh = named.map(|s| Set::new(&s.name, s.ipv4));
        self.sets = fresh.collect();
        for record in records {
            let ipv4 = is_ipv4(&record.network);
            let at = self.sets.iter().position(|set| set.name == record.set && set.ipv4 == ipv4);
            let at = at.unwrap_or_else(|| {
                let mut set = Set::new(&record.set, ipv4);
                set.retired = true;
                self.sets.push(set);
                self.sets.len() - 1
            });
            self.sets[at].load(record, now);
        }
        (self.plan, self.waiting) = (Plan::default(), vec![None; self.sets.len()]);
        // What was banned while others wrote is not timed.
        (self.wants, self.heard) = (Vec::new(), false);
        self.timed.clear();
    }

    /// Hears what is banned now.
    pub(super) fn want(&mut self, wants: Vec<Want>) {
        let before: HashSet<IpNet> = self.wants.iter().map(|want| want.network).collect();
        let now: HashSet<IpNet> = wants.iter().map(|want| want.network).collect();
        self.timed.retain(|network, _| now.contains(network));
        if self.heard {
            let new = wants.iter().filter(|want| !before.contains(&want.network));
            self.timed.extend(new.map(|want| (want.network, want.since)));
        }
        self.heard = true;
        for held in self.sets.iter_mut().flat_map(|set| set.records.values_mut()) {
            held.known |= now.contains(&held.record.network);
        }
        self.wants = wants;
    }

    /// When the next ban is over: milliseconds since 1970.
    pub(super) fn next_end(&self) -> Option<u64> {
        self.wants.iter().map(|want| want.until).min()
    }

    /// Whether every set was tried once: before, nobody knows where there is room.
    pub(super) fn is_surveyed(&self) -> bool {
        self.sets.iter().all(|set| set.synced.is_some() || set.trouble.is_some())
    }

    /// Gives every ban its set anew.
    pub(super) fn arrange(&mut self, terms: &Terms<'_>, now: Instant) {
        if !self.is_surveyed() {
            return;
        }
        let rooms = self.rooms(&terms.stay);
        let (mut held, mut foreign) = (HashMap::new(), HashSet::new());
        for (at, set) in self.sets.iter().enumerate().rev() {
            held.extend(set.records.keys().filter(|n| set.holds(n)).map(|n| (*n, at)));
            foreign.extend(set.entries.iter().filter(|n| set.is_foreign(n)).copied());
        }
        let rules = Rules {
            rollup_members: terms.rollup_members as usize,
            ipv6_prefix: terms.ipv6_prefix,
            may_cover: terms.may_cover,
            held: &|network| held.get(network).copied(),
            foreign: &|network| foreign.contains(network),
            now: terms.stay.now,
        };
        let mut plan = plan(&self.wants, &rooms, &rules);
        self.tally.evictions += plan.evicted.difference(&self.plan.evicted).count() as u64;
        for (set, planned) in self.sets.iter_mut().zip(std::mem::take(&mut plan.sets)) {
            set.assign(planned);
        }
        self.plan = plan;
        for (set, waiting) in self.sets.iter().zip(&mut self.waiting) {
            let due = set.is_due(&terms.stay, self.capacity);
            *waiting = due.map(|urgent| (waiting.map_or(now, |(since, _)| since), urgent));
        }
    }

    /// How much of each set weir may use.
    fn rooms(&self, stay: &Stay) -> Vec<Room> {
        let barred = |set: &Set| matches!(set.trouble, Some(Kind::Missing | Kind::Denied | Kind::Invalid));
        let room = |set: &Set| {
            // Where there is no other, bans wait for the one in trouble.
            let others = || self.sets.iter().any(|s| s.ipv4 == set.ipv4 && !s.retired && !barred(s));
            let free = match set.synced {
                _ if set.retired || (barred(set) && others()) => 0,
                // Nobody knows what is there: what weir put there stays planned, and nothing more.
                None if others() => set.records.keys().filter(|n| set.holds(n)).count().min(self.capacity),
                _ => self.capacity.saturating_sub(set.taken(stay)),
            };
            Room { ipv4: set.ipv4, free }
        };
        self.sets.iter().map(room).collect()
    }

    /// The set whose update is due, the one that waits longest first; else when one will be.
    pub(super) fn to_update(&self, now: Instant) -> Result<usize, Option<Instant>> {
        let ready = |at: usize, (since, urgent): (Instant, bool)| {
            let set = &self.sets[at];
            set.content.as_ref()?;
            let pause = set.backoff.until(now).unwrap_or(now);
            Some((pause.max(if urgent { since } else { since + LAZY }), since, at))
        };
        let all = self.waiting.iter().enumerate().filter_map(|(at, waiting)| ready(at, (*waiting)?));
        let all: Vec<_> = all.collect();
        let due = all.iter().filter(|(when, ..)| *when <= now).min_by_key(|(_, since, _)| *since);
        due.map(|(.., at)| *at).ok_or_else(|| all.iter().map(|(when, ..)| *when).min())
    }

    /// The set that is to be read, those that nothing is known of first; else when one will be.
    pub(super) fn to_read(&self, now: Instant, unix_ms: u64) -> Result<usize, Instant> {
        let when = |set: &Set| {
            let age = set.synced.map_or(READ_AGAIN, |at| Duration::from_millis(unix_ms.saturating_sub(at)));
            let again = if set.content.is_none() { now } else { now + READ_AGAIN.saturating_sub(age) };
            again.max(set.backoff.until(now).unwrap_or(now))
        };
        let all = self.sets.iter().enumerate().filter(|(_, set)| !set.is_done());
        let next = all.map(|(at, set)| (when(set), set.content.is_some(), set.synced, at)).min();
        match next {
            Some((when, .., at)) if when <= now => Ok(at),
            Some((when, ..)) => Err(when),
            None => Err(now + READ_AGAIN),
        }
    }

    /// Takes in what a set holds.
    pub(super) fn read(&mut self, at: usize, content: Content, stay: &Stay, now: Instant) -> Seen {
        let set = &mut self.sets[at];
        let seen = set.read(content, stay);
        match seen {
            // An ongoing loss of races is not over with a read.
            Seen::Now => {
                if set.trouble != Some(Kind::Locked) {
                    set.backoff.reset();
                }
                set.trouble = set.trouble.filter(|kind| *kind == Kind::Locked);
            }
            Seen::Stale => {
                self.tally.stale_reads += 1;
                set.backoff.failed(now);
            }
            Seen::Wrong => {
                set.trouble = Some(Kind::Invalid);
                set.backoff.wait(now, REST);
            }
        }
        seen
    }

    /// The update of a set, with what comes in written down.
    pub(super) fn draft(&mut self, at: usize, stay: &Stay) -> Option<Draft> {
        self.sets[at].draft(stay, self.capacity)
    }

    /// An update was taken.
    pub(super) fn accepted(&mut self, at: usize, draft: Draft, token: String, now: u64) {
        self.tally.updates += 1;
        self.waiting[at] = None;
        for network in &draft.add {
            if let Some(since) = self.timed.remove(network) {
                self.tally.sent(now.saturating_sub(since));
            }
        }
        let set = &mut self.sets[at];
        let back = set.accepted(draft, token, now);
        self.tally.put_back += back.len() as u64;
        if let Some(first) = back.first() {
            let (set, others) = (&set.name, back.len() - 1);
            tracing::warn!("waf: {first} and {others} more had been taken out of {set} while banned, and are back");
        }
    }

    /// A call for one set failed. True where that is news.
    pub(super) fn failed(&mut self, at: usize, kind: Kind, now: Instant) -> bool {
        self.tally.failed(kind);
        let set = &mut self.sets[at];
        set.trouble = Some(kind);
        let news = set.told.replace(kind) != Some(kind);
        match kind {
            Kind::Locked => {
                let races = set.backoff.failures();
                set.backoff.failed(now);
                if races < RACES {
                    set.backoff.wait(now, Duration::ZERO);
                }
            }
            Kind::Missing if set.retired => {
                set.forget_all();
                set.backoff.wait(now, REST);
            }
            Kind::Missing | Kind::Denied => {
                (set.id, set.content) = (None, None);
                set.backoff.wait(now, REST);
            }
            // What ails the whole account is waited for elsewhere.
            Kind::Throttled | Kind::Unreachable => {}
            Kind::Limits | Kind::Invalid | Kind::Records => set.backoff.failed(now),
        }
        news
    }

    /// What is to be changed in the store.
    pub(super) fn unsaved(&mut self) -> (Vec<Record>, Vec<Key>) {
        let (mut put, mut drop) = (Vec::new(), Vec::new());
        self.sets.iter_mut().for_each(|set| set.unsaved(&mut put, &mut drop));
        (put, drop)
    }

    /// The store did not take it: once more, later.
    pub(super) fn still_unsaved(&mut self, put: &[Record], drop: &[Key]) {
        self.sets.iter_mut().for_each(|set| set.still_unsaved(put, drop));
    }

    /// How all this is.
    pub(super) fn status(&self, unix_ms: u64) -> WafStatus {
        let pending = self.plan.place.iter().filter(|(n, at)| !self.sets[**at].entries.contains(n)).count();
        let one = |set: &Set| SetStatus {
            name: set.name.clone(),
            ours: set.ours() as u64,
            foreign: (set.size - set.ours()) as u64,
            capacity: self.capacity as u64,
            age_s: set.synced.map(|at| unix_ms.saturating_sub(at) as f64 / 1e3),
            trouble: set.trouble.map(|kind| kind.code().to_owned()),
        };
        WafStatus {
            writer: self.writer,
            sets: self.sets.iter().map(one).collect(),
            evicted: self.plan.evicted.len() as u64,
            rolled_up: self.plan.rolled_up as u64,
            pending: pending as u64,
            ..self.tally.status()
        }
    }

    /// How far the ban of exactly this network got.
    pub(super) fn reach(&self, network: &IpNet) -> Reach {
        if !self.writer {
            return Reach::Elsewhere;
        }
        if let Some(at) = self.plan.place.get(network) {
            let set = &self.sets[*at];
            return match set.records.get(network).filter(|_| set.entries.contains(network)) {
                Some(held) => Reach::Accepted { set: set.name.clone(), since: held.record.since },
                None => Reach::Pending { set: set.name.clone(), trouble: set.trouble.map(|k| k.code().to_owned()) },
            };
        }
        if let Some(by) = self.plan.covered.get(network) {
            return Reach::Covered { by: by.to_string(), reach: Box::new(self.reach(by)) };
        }
        if let Some(set) = self.sets.iter().find(|set| set.is_foreign(network)) {
            return Reach::Foreign { set: set.name.clone() };
        }
        if let Some(set) = self.sets.iter().find(|s| s.records.contains_key(network) && s.entries.contains(network)) {
            return Reach::Leaving { set: set.name.clone() };
        }
        match self.plan.kept_back.get(network) {
            Some(why) => Reach::KeptBack { why: (*why).to_owned() },
            None if self.plan.evicted.contains(network) => Reach::Evicted,
            None => Reach::Unknown,
        }
    }

    /// The names whose ids are not known.
    pub(super) fn nameless(&self) -> Vec<String> {
        self.sets.iter().filter(|set| set.id.is_none() && !set.is_done()).map(|set| set.name.clone()).collect()
    }

    /// Learns ids.
    pub(super) fn identify(&mut self, ids: &BTreeMap<String, String>) {
        for set in self.sets.iter_mut().filter(|set| set.id.is_none()) {
            set.id = ids.get(&set.name).cloned();
        }
    }
}
