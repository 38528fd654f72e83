//! The hand that writes the book of bans: ten times a second it hears suspects, lets them climb, publishes and saves.

mod finding;
mod handed;
mod said;
mod shared;
mod standing;
mod view;

pub use finding::{Charge, Effect};
pub use shared::{Heard, MAX_WORD, Outgoing, PAUSED, Stamp, Word, is_task};
pub use view::{BanCount, BanRequest, BanStatus, BanView, BansView, FleetReach, ReachView};

use crate::ban::file::{self, Anchor};
use crate::ban::ladder::{Terms, counts_until};
use crate::ban::{Book, Ladder, Network, Offence, Record, Standing, Step, Who};
use crate::base::clock::{self, Time};
use crate::client::key::ClientKey;
use crate::event::news::NewsQueue;
use crate::flood::state::FloodState;
use crate::origin::Pool;
use crate::verdict::{Policy, State};
use arc_swap::ArcSwap;
use ipnet::IpNet;
use standing::World;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// How often suspects are heard.
const TICK: Duration = Duration::from_millis(100);

/// How often the book is tidied and saved.
const ROUND: Duration = Duration::from_secs(1);

/// The longest reason that is kept.
const MAX_REASON: usize = 200;

/// The longest ban by hand.
const MAX_DURATION: Duration = Duration::from_secs(365 * 86_400);

/// What is counted apart: offences, networks, bans by hand, bans by findings of GuardDuty and of gateways.
const KINDS: usize = Offence::ALL.len() + 4;

/// What bans have to do with.
pub struct Parts {
    /// The config in force.
    pub policy: Arc<ArcSwap<Policy>>,
    /// Where offences are noted and bans are looked up.
    pub state: Arc<State>,
    /// The origin, which can't be banned.
    pub pool: Arc<Pool>,
    /// Where bans outlive the process.
    pub file: Option<PathBuf>,
    /// Where it is told who is banned and who no more.
    pub news: Arc<NewsQueue>,
}

/// The one writer of the book.
pub struct Keeper {
    parts: Parts,
    inner: Mutex<Inner>,
    /// Held while the file is written, which may take its time; never together with waiting requests.
    writing: Mutex<()>,
    /// Told when other bans are in force.
    changes: watch::Sender<()>,
}

struct Inner {
    book: Book,
    ladder: Ladder,
    paused: bool,
    /// Steps by offence, then of networks, then by hand, then by findings.
    added: [u64; KINDS],
    unsaved: bool,
    /// The config for which the book was looked through, and whether the ladder's bans were in force.
    checked: Option<Arc<Policy>>,
    enforced: bool,
    tidied: Time,
    shared: shared::Shared,
    news: Arc<NewsQueue>,
}

/// The keeper's thread. Dropping it ends it and saves the book.
pub struct Rounds {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Reads the file, if there is one, and puts its bans in force.
    pub fn open(parts: Parts) -> Self {
        let (now, mut book, mut paused) = (clock::now(), Book::default(), false);
        match parts.file.as_deref().map(|path| file::load(path, &anchor(now))).transpose() {
            Ok(saved) => {
                let saved = saved.flatten().unwrap_or_default();
                paused = saved.paused;
                for record in saved.records {
                    // A full book keeps what weighs most; the file can't hold more unless a later weir wrote it.
                    let _ = book.put(record, now);
                }
            }
            Err(message) => tracing::error!("ban.file: {message}"),
        }
        let inner = Inner {
            book,
            ladder: Ladder::default(),
            paused,
            added: [0; KINDS],
            unsaved: false,
            checked: None,
            enforced: false,
            tidied: now,
            shared: shared::Shared::default(),
            news: parts.news.clone(),
        };
        let changes = watch::Sender::new(());
        let keeper = Self { parts, inner: Mutex::new(inner), writing: Mutex::new(()), changes };
        keeper.tick(now);
        keeper
    }

    /// Hears the suspects, and puts in force what follows.
    pub fn tick(&self, now: Time) {
        let mut inner = self.inner();
        let (policy, state) = (self.parts.policy.load_full(), &self.parts.state);
        let settings = &policy.settings;
        let hold = inner.paused || state.flood.view().state == FloodState::Overload;
        let terms = Terms { settings: &settings.ban, ipv6_prefix: settings.client.ipv6_prefix, hold };
        let world = World::new(&policy, state, &self.parts.pool, now);
        if !inner.checked.as_ref().is_some_and(|checked| Arc::ptr_eq(checked, &policy)) {
            // Who is exempt by the new config is free at once, an operator's ban of yesterday included.
            let operators = |r: &Record| r.who == Who::Operator;
            let unfit = |r: &Record| if operators(r) { world.protected(r.network) } else { world.exempt(r.network) };
            Self::spare(&mut inner, unfit, now);
            inner.checked = Some(policy.clone());
        }
        let Inner { book, ladder, .. } = &mut *inner;
        let suspects = std::iter::from_fn(|| state.offences.suspect());
        let raised = ladder.judge(suspects, book, &terms, &world, now);
        if now.since(inner.tidied) >= ROUND {
            let before = std::mem::replace(&mut inner.tidied, now);
            inner.say_expired(before, now);
            let Inner { book, ladder, .. } = &mut *inner;
            for gone in ladder.tidy(book, &terms, now) {
                inner.tell_lifted(&gone, Who::Members, &anchor(now));
                inner.say_lifted(gone.network, Who::Members.code(), "too few of its clients are banned", now);
            }
            inner.forget_lifts(&anchor(now));
        }
        for record in raised {
            inner.added[place_of(&record)] += 1;
            inner.say_banned(&record, false, &anchor(now));
            let until = counts_until(&record, &settings.ban);
            inner.tell(record, until, &anchor(now));
        }
        inner.publish(self, now);
    }

    /// Bans at an operator's word. Who names one IPv6 address means its client, the whole prefix.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn add(&self, net: IpNet, duration: Duration, reason: &str, now: Time) -> Result<BanView, String> {
        let policy = self.parts.policy.load_full();
        let network = match Network::of_net(net) {
            one if one.length() == 128 => Network::of_client(one.first(), policy.settings.client.ipv6_prefix),
            other => other,
        };
        let refused = |why: String| format!("ban of {network} refused: {why}");
        let world = World::new(&policy, &self.parts.state, &self.parts.pool, now);
        if let Some(why) = world.refuses_operator(network) {
            return Err(refused(why));
        }
        if duration.is_zero() || duration > MAX_DURATION {
            return Err(refused("it must last between 1ms and 365d".into()));
        }
        if reason.len() > MAX_REASON {
            return Err(refused(format!("the reason is {} bytes long; at most {MAX_REASON} are kept", reason.len())));
        }
        let mut record = Record::new(network, Step::REFUSE, Who::Operator, now, now + duration);
        record.reason = reason.to_owned();
        let view = BanView::new(&record, &anchor(now));
        let mut inner = self.inner();
        let old = inner.book.get(network);
        let went_on = old.is_some_and(|old| old.is_active(now));
        record.stamp = old.map_or(0, |old| old.stamp);
        inner.book.put(record.clone(), now).map_err(|e| refused(e.to_string()))?;
        inner.added[place_of(&record)] += 1;
        inner.tell(record.clone(), record.until, &anchor(now));
        inner.publish(self, now);
        inner.say_banned(&record, went_on, &anchor(now));
        drop(inner);
        self.save();
        Ok(view)
    }

    /// Lifts the ban of exactly this network, and forgets the steps that led to it.
    ///
    /// # Errors
    /// Where there is none: what covers the network, if anything does.
    pub fn remove(&self, net: IpNet, now: Time) -> Result<BanView, String> {
        let mut inner = self.inner();
        let prefix = self.parts.policy.load().settings.client.ipv6_prefix;
        let (network, client) = (Network::of_net(net), Network::of_client(ClientKey::new(net.addr(), 128), prefix));
        let gone = inner.book.remove(network);
        // Who names one address of an IPv6 client means the client.
        let gone = gone.or_else(|| (network.length() == 128).then(|| inner.book.remove(client)).flatten());
        let Some(gone) = gone else {
            let wider = inner.book.records().find(|r| r.is_active(now) && r.network.covers(network));
            let hint = wider.map_or(String::new(), |r| format!("; it lies in {}, which is: remove that", r.network));
            return Err(format!("{network} is not banned by itself{hint}"));
        };
        inner.keep_lift(&gone, now);
        inner.tell_lifted(&gone, Who::Operator, &anchor(now));
        inner.publish(self, now);
        inner.say_lifted(gone.network, Who::Operator.code(), "", now);
        drop(inner);
        self.save();
        Ok(BanView::new(&gone, &anchor(now)))
    }

    /// The kill switch: while paused the ladder bans nobody and its bans do not hold; an operator's do.
    pub fn pause(&self, paused: bool, now: Time) -> BanStatus {
        let mut inner = self.inner();
        if inner.paused != paused {
            inner.paused = paused;
            inner.unsaved = true;
            inner.tell_paused(&anchor(now));
            tracing::warn!("bans by the ladder are {}", if paused { "paused: none holds" } else { "in force again" });
        }
        inner.publish(self, now);
        let status = inner.status(&self.parts, now);
        drop(inner);
        self.save();
        status
    }

    /// The bans that hold, the longest first, at most `max`.
    pub fn view(&self, max: usize, now: Time) -> BansView {
        let inner = self.inner();
        let mut held: Vec<&Record> = inner.book.records().filter(|r| r.is_active(now)).collect();
        held.sort_by_key(|r| (std::cmp::Reverse(r.until), r.network));
        let bans = held.iter().take(max).map(|r| BanView::new(r, &anchor(now))).collect();
        BansView { status: inner.status(&self.parts, now), bans }
    }

    /// What is in the book about `address`: every record that covers it, past ones included, the narrowest first.
    pub fn of(&self, address: IpAddr, now: Time) -> Vec<BanView> {
        let at = Network::around(ClientKey::new(address, 128), u8::MAX);
        let inner = self.inner();
        let most = at.length();
        let networks = (0..=most).rev().map(|length| Network::around(at.first(), length));
        networks.filter_map(|n| inner.book.get(n)).map(|r| BanView::new(r, &anchor(now))).collect()
    }

    /// How the ladder is.
    pub fn status(&self, now: Time) -> BanStatus {
        self.inner().status(&self.parts, now)
    }

    /// Writes the file, if the book changed since it was written last.
    pub fn save(&self) {
        let Some(path) = &self.parts.file else { return };
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let text = {
            let mut inner = self.inner();
            if !std::mem::replace(&mut inner.unsaved, false) {
                return;
            }
            file::encode(&inner.book, inner.paused, &anchor(clock::now()))
        };
        if let Err(e) = file::save(path, &text) {
            tracing::error!("ban.file: {} cannot be written: {e}", path.display());
            self.inner().unsaved = true;
        }
    }

    /// Starts the thread that does all this in turn.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(self: &Arc<Self>) -> std::io::Result<Rounds> {
        let (stop, stopped) = mpsc::channel::<()>();
        let keeper = self.clone();
        let thread = std::thread::Builder::new().name("weir-bans".into()).spawn(move || {
            let mut saved = clock::now();
            while matches!(stopped.recv_timeout(TICK), Err(mpsc::RecvTimeoutError::Timeout)) {
                let now = clock::now();
                keeper.tick(now);
                if now.since(saved) >= ROUND {
                    saved = now;
                    keeper.save();
                }
            }
            keeper.save();
        })?;
        Ok(Rounds { stop: Some(stop), thread: Some(thread) })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Puts the book in force, where it or the switch changed.
    fn publish(&mut self, keeper: &Keeper, now: Time) {
        let parts = &keeper.parts;
        let enforced = parts.policy.load().settings.ban.enabled && !self.paused;
        let changed = self.book.take_changed();
        self.unsaved |= changed;
        if changed || enforced != self.enforced {
            self.enforced = enforced;
            self.book.publish(&parts.state.bans, enforced, now);
            keeper.changes.send_replace(());
        }
    }

    fn status(&self, parts: &Parts, now: Time) -> BanStatus {
        let tally = self.ladder.tally();
        let others = [Who::Members, Who::Operator, Who::Finding, Who::Gateway].map(Who::code);
        let kinds = Offence::ALL.map(Offence::code).into_iter().chain(others);
        let enforced = |r: &&Record| r.is_active(now) && (self.enforced || r.who == Who::Operator);
        BanStatus {
            enabled: parts.policy.load().settings.ban.enabled,
            paused: self.paused,
            active: self.book.records().filter(enforced).count() as u64,
            added: kinds.zip(self.added).map(|(kind, count)| BanCount { kind: kind.into(), count }).collect(),
            suspects_dropped: parts.state.offences.dropped(),
            spared: tally.spared,
            capped: tally.capped,
            given_up: tally.given_up,
            evicted: self.book.evicted(),
        }
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the keeper of bans had panicked; the bans of that moment stayed");
        }
    }
}

/// Where a record is counted.
fn place_of(record: &Record) -> usize {
    match (record.who, &record.evidence) {
        (Who::Gateway, _) => Offence::ALL.len() + 3,
        (Who::Finding, _) => Offence::ALL.len() + 2,
        (Who::Operator, _) => Offence::ALL.len() + 1,
        (Who::Members, _) | (Who::Ladder, None) => Offence::ALL.len(),
        (Who::Ladder, Some(evidence)) => evidence.kind as usize,
    }
}

/// `now` on the wall clock as it stands, so that what is saved means the same to the next process.
fn anchor(now: Time) -> Anchor {
    Anchor { now, unix_ms: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64) }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use view::fixture;
