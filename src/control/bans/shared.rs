//! What the keeper tells the fleet, and what it takes from it.
//!
//! Every record and every lift has a stamp: when it was written, and by whom. Of two about one network the later holds,
//! at every task; but an operator's ban gives way to an operator only. A lift is remembered, so that a record that comes
//! late does not bring the ban back.

use super::standing::World;
use super::{Inner, Keeper, MAX_DURATION, MAX_REASON, anchor};
use crate::ban::file::{self, Anchor, Row};
use crate::ban::ladder::counts_until;
use crate::ban::{Network, Record, Standing, Who};
use crate::base::clock::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

/// Words that wait to be sent.
const WAITING: usize = 4_096;

/// How long a lift is remembered: longer than a task is cut off and still believed.
const REMEMBER_LIFT: Duration = Duration::from_secs(86_400);

/// The most lifts that are remembered.
const LIFTS: usize = 20_000;

/// How far ahead of this one another task's clock may be.
const SKEW_MS: u64 = 60_000;

/// The longest word.
pub const MAX_WORD: usize = 4_096;

/// What a word is about that is about no network: the kill switch.
pub const PAUSED: &str = "paused";

/// When something was written, in milliseconds since 1970, and by which task.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// By the clock of the task.
    pub ms: u64,
    /// The task.
    pub task: Arc<str>,
}

/// One thing that the fleet is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The network, or [`PAUSED`].
    pub about: String,
    /// Since when it holds.
    pub stamp: Stamp,
    /// What, as JSON.
    pub body: String,
    /// When it can be forgotten, in milliseconds since 1970.
    pub forget_ms: u64,
}

/// What became of words that were heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// They changed the book.
    pub taken: u64,
    /// They were known, or less than what is known.
    pub known: u64,
    /// They are about somebody who can't be banned here.
    pub spared: u64,
    /// They make no sense.
    pub faulty: u64,
    /// Why, of the first that makes no sense.
    pub fault: Option<String>,
}

/// What is to be sent.
pub struct Outgoing {
    /// In the order in which it happened.
    pub words: mpsc::Receiver<Word>,
    /// Whether something found no room, so that all must be compared.
    pub lost: Arc<AtomicBool>,
    /// How many found no room.
    pub dropped: Arc<AtomicU64>,
}

#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ban: Option<Row>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lifted_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paused: Option<bool>,
    forget: u64,
}

/// The keeper's side of the fleet.
#[derive(Default)]
pub(super) struct Shared {
    task: Arc<str>,
    queue: Option<(mpsc::Sender<Word>, Arc<AtomicBool>, Arc<AtomicU64>)>,
    lifted: BTreeMap<Network, Lift>,
    /// Later words that gave way to an operator's ban: they hold if that turns out to be lifted before them.
    waiting: BTreeMap<Network, Word>,
    paused: Stamp,
}

struct Lift {
    stamp: Stamp,
    by: Who,
}

/// How a word ended.
enum Fate {
    Taken,
    Known,
    Spared,
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:015} {}", self.ms, self.task)
    }
}

impl Stamp {
    /// Reads what `to_string` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (ms, task) = text.split_once(' ')?;
        let sound = ms.len() == 15 && ms.bytes().all(|b| b.is_ascii_digit()) && is_task(task);
        sound.then(|| ms.parse().ok()).flatten().map(|ms| Self { ms, task: task.into() })
    }
}

/// Whether `name` can be a task's: it stands in logs and beside other words.
pub fn is_task(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic())
}

impl Keeper {
    /// From now on what happens here is told as `task`'s.
    pub fn join(&self, task: &str) -> Outgoing {
        let (sender, words) = mpsc::channel(WAITING);
        let (lost, dropped) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let shared = &mut self.inner().shared;
        shared.task = task.into();
        shared.queue = Some((sender, lost.clone(), dropped.clone()));
        Outgoing { words, lost, dropped }
    }

    /// Takes what others say, and puts it in force.
    pub fn hear(&self, words: &[Word], now: Time) -> Heard {
        let mut heard = Heard::default();
        let mut inner = self.inner();
        let policy = self.parts.policy.load_full();
        let world = World::new(&policy, &self.parts.state, &self.parts.pool, now);
        for word in words {
            match inner.take(word, &world, &anchor(now), words.len() <= 100) {
                Ok(Fate::Taken) => heard.taken += 1,
                Ok(Fate::Known) => heard.known += 1,
                Ok(Fate::Spared) => heard.spared += 1,
                Err(why) => {
                    heard.faulty += 1;
                    heard.fault.get_or_insert(why);
                }
            }
        }
        inner.publish(self, now);
        heard
    }

    /// What is known here and `wanted` by its name, its stamp, and whether this task said it.
    pub fn words(&self, wanted: impl Fn(&str, &Stamp, bool) -> bool, now: Time) -> Vec<Word> {
        let inner = self.inner();
        let (shared, at, policy) = (&inner.shared, anchor(now), self.parts.policy.load());
        let records = inner.book.records().filter_map(|r| {
            let (about, stamp) = (r.network.to_string(), shared.stamp_of(r));
            let until = counts_until(r, &policy.settings.ban);
            let wanted = until > now && wanted(&about, &stamp, r.from.is_none());
            wanted.then(|| ban(about, stamp, r, until, &at))
        });
        let lifts = shared.lifted.iter().filter_map(|(net, lift)| {
            let about = net.to_string();
            wanted(&about, &lift.stamp, lift.stamp.task == shared.task).then(|| lifted(about, lift))
        });
        let paused = (shared.paused.ms > 0).then_some(&shared.paused);
        let paused = paused.filter(|stamp| wanted(PAUSED, stamp, stamp.task == shared.task));
        records.chain(lifts).chain(paused.map(|stamp| switch(stamp.clone(), inner.paused))).collect()
    }
}

impl Inner {
    /// Dates a new record and tells it; one that is told anew becomes later than what it answers.
    pub(super) fn tell(&mut self, mut record: Record, until: Time, at: &Anchor) {
        record.stamp = self.shared.later(record.network, record.stamp, at);
        self.shared.lifted.remove(&record.network);
        self.book.date(record.network, record.stamp);
        let stamp = self.shared.stamp_of(&record);
        self.shared.send(|| ban(record.network.to_string(), stamp, &record, until, at));
    }

    /// Remembers that `gone` was lifted, and tells it.
    pub(super) fn tell_lifted(&mut self, gone: &Record, by: Who, at: &Anchor) {
        let stamp = Stamp { ms: self.shared.later(gone.network, gone.stamp, at), task: self.shared.task.clone() };
        self.shared.waiting.remove(&gone.network);
        let lift = Lift { stamp, by };
        self.shared.send(|| lifted(gone.network.to_string(), &lift));
        self.shared.remember(gone.network, lift);
    }

    /// Tells that the kill switch was set.
    pub(super) fn tell_paused(&mut self, at: &Anchor) {
        let stamp = Stamp { ms: at.unix_ms.max(self.shared.paused.ms + 1), task: self.shared.task.clone() };
        self.shared.paused = stamp.clone();
        let paused = self.paused;
        self.shared.send(|| switch(stamp, paused));
    }

    /// Forgets lifts that no late record can undo any more.
    pub(super) fn forget_lifts(&mut self, at: &Anchor) {
        let oldest = at.unix_ms.saturating_sub(REMEMBER_LIFT.as_millis() as u64);
        self.shared.lifted.retain(|_, lift| lift.stamp.ms > oldest);
        let Self { book, shared, .. } = self;
        let active = |r: &Record| r.who == Who::Operator && r.is_active(at.now);
        shared.waiting.retain(|network, _| book.get(*network).is_some_and(active));
    }

    fn take(&mut self, word: &Word, world: &World<'_>, at: &Anchor, log: bool) -> Result<Fate, String> {
        if word.body.len() > MAX_WORD {
            return Err(format!("a word of {} bytes; at most {MAX_WORD} are taken", word.body.len()));
        }
        if word.stamp.ms > at.unix_ms + SKEW_MS {
            return Err(format!("{} writes from the future; its clock or this one's is wrong", word.stamp.task));
        }
        let body: Body = serde_json::from_str(&word.body).map_err(|e| format!("no word of a fleet: {e}"))?;
        if word.about == PAUSED {
            return Ok(self.take_switch(word, body.paused.ok_or("a switch without a state")?));
        }
        let net = word.about.parse().or_else(|_| word.about.parse().map(|a: std::net::IpAddr| a.into()));
        let network = Network::of_net(net.map_err(|_| "a word about no network")?);
        let record = self.book.get(network);
        let lift = self.shared.lifted.get(&network).map(|lift| &lift.stamp);
        if record.map(|r| self.shared.stamp_of(r)).as_ref().max(lift).is_some_and(|known| *known >= word.stamp) {
            return Ok(Fate::Known);
        }
        let by = body.ban.as_ref().map(|row| row.who()).unwrap_or(body.lifted_by.as_deref().and_then(Who::of_code));
        if by != Some(Who::Operator)
            && let Some(operators) = record.filter(|r| r.who == Who::Operator && r.is_active(world.now)).cloned()
        {
            // Who had not heard of it wrote over it: it is said once more, by the task whose it is.
            if operators.from.is_none() {
                let (until, mut again) = (operators.until, operators);
                again.stamp = word.stamp.ms;
                self.tell(again, until, at);
            } else if self.shared.waiting.len() < LIFTS
                && self.shared.waiting.get(&network).is_none_or(|waits| waits.stamp < word.stamp)
            {
                self.shared.waiting.insert(network, word.clone());
            }
            return Ok(Fate::Known);
        }
        match body.ban {
            Some(row) => self.take_ban(network, &row, word, world, at, log),
            None => {
                let fate = self.take_lift(network, word, by.ok_or("neither a ban nor a lift")?, world.now);
                match self.shared.waiting.remove(&network) {
                    Some(later) => self.take(&later, world, at, log),
                    None => Ok(fate),
                }
            }
        }
    }

    fn take_ban(
        &mut self,
        network: Network,
        row: &Row,
        word: &Word,
        world: &World<'_>,
        at: &Anchor,
        log: bool,
    ) -> Result<Fate, String> {
        let Some(mut record) = file::record(row, at)? else { return Ok(Fate::Known) };
        if record.network != network {
            return Err("a ban under another's name".into());
        }
        if record.reason.len() > MAX_REASON || record.until > world.now + MAX_DURATION {
            return Err("a ban with a reason too long, or without an end".into());
        }
        if counts_until(&record, &world.policy.settings.ban) <= world.now {
            return Ok(Fate::Known);
        }
        let unfit = if record.who == Who::Operator { world.refuses_operator(network) } else { world.exempt(network) };
        if unfit.is_some() {
            return Ok(Fate::Spared);
        }
        record.reason = record.reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        record.from = Some(word.stamp.task.clone()).filter(|task| *task != self.shared.task);
        record.stamp = word.stamp.ms;
        let record =
            record.with_hits(self.book.get(network).filter(|r| r.is_active(world.now)).map_or(0, Record::hits));
        if log && record.is_active(world.now) {
            self.say_heard(&record, &word.stamp.task, at);
        }
        match self.book.put(record, world.now) {
            Ok(()) => {
                self.shared.lifted.remove(&network);
                Ok(Fate::Taken)
            }
            Err(_) => Ok(Fate::Spared),
        }
    }

    fn take_lift(&mut self, network: Network, word: &Word, by: Who, now: Time) -> Fate {
        self.shared.remember(network, Lift { stamp: word.stamp.clone(), by });
        match self.book.remove(network) {
            Some(gone) => {
                if by == Who::Operator {
                    self.keep_lift(&gone, now);
                }
                self.say_lifted(network, "fleet", &format!("as {} says", word.stamp.task), now);
                Fate::Taken
            }
            None => Fate::Known,
        }
    }

    fn take_switch(&mut self, word: &Word, paused: bool) -> Fate {
        if word.stamp <= self.shared.paused {
            return Fate::Known;
        }
        self.shared.paused = word.stamp.clone();
        if self.paused == paused {
            return Fate::Known;
        }
        (self.paused, self.unsaved) = (paused, true);
        let state = if paused { "paused" } else { "in force again" };
        tracing::warn!("bans by the ladder are {state}, as {} says", word.stamp.task);
        Fate::Taken
    }
}

impl Shared {
    /// When, and by whom, `record` was written.
    fn stamp_of(&self, record: &Record) -> Stamp {
        Stamp { ms: record.stamp, task: record.from.clone().unwrap_or_else(|| self.task.clone()) }
    }

    /// Now, or just after all that was heard of `network`.
    fn later(&self, network: Network, known: u64, at: &Anchor) -> u64 {
        let lifted = self.lifted.get(&network).map_or(0, |lift| lift.stamp.ms);
        let waiting = self.waiting.get(&network).map_or(0, |word| word.stamp.ms);
        at.unix_ms.max(known.max(lifted).max(waiting) + 1)
    }

    fn send(&self, word: impl FnOnce() -> Word) {
        let Some((queue, lost, dropped)) = &self.queue else { return };
        if queue.try_send(word()).is_err() {
            // Relaxed, both: flags that a later look finds; the book itself is behind its lock.
            lost.store(true, Ordering::Relaxed);
            dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn remember(&mut self, network: Network, lift: Lift) {
        self.lifted.insert(network, lift);
        if self.lifted.len() > LIFTS
            && let Some(oldest) = self.lifted.iter().min_by(|a, b| a.1.stamp.cmp(&b.1.stamp)).map(|(n, _)| *n)
        {
            self.lifted.remove(&oldest);
        }
    }
}

fn ban(about: String, stamp: Stamp, record: &Record, until: Time, at: &Anchor) -> Word {
    let forget = at.unix_ms(until);
    // The stamp says who and when.
    let mut row = file::row(record, at);
    (row.from, row.stamp) = (None, None);
    word(about, stamp, &Body { ban: Some(row), lifted_by: None, paused: None, forget })
}

fn lifted(about: String, lift: &Lift) -> Word {
    let forget = lift.stamp.ms + REMEMBER_LIFT.as_millis() as u64;
    let by = Some(lift.by.code().to_owned());
    word(about, lift.stamp.clone(), &Body { ban: None, lifted_by: by, paused: None, forget })
}

fn switch(stamp: Stamp, paused: bool) -> Word {
    word(PAUSED.into(), stamp, &Body { ban: None, lifted_by: None, paused: Some(paused), forget: u64::MAX })
}

fn word(about: String, stamp: Stamp, body: &Body) -> Word {
    // Plain structs of texts and numbers: nothing that JSON can't hold.
    let text = serde_json::to_string(body).unwrap_or_default();
    Word { about, stamp, body: text, forget_ms: body.forget }
}

#[cfg(test)]
mod tests;
