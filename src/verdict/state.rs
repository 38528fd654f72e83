//! What outlives every reload: who owes how much, what is in flight, what was counted.

use super::counters::{Counters, MAX_LIMITS};
use super::sharing::Sharing;
use crate::ban::{Bans, Offences};
use crate::base::clock::Time;
use crate::client::shared_key::SharedKey;
use crate::config::settings::{Limit, Scope};
use crate::flood::Flood;
use crate::flood::history::{History, Sizes};
use crate::limit::budget::Budget;
use crate::limit::gcra::Quota;
use crate::limit::in_flight::InFlight;
use crate::limit::seeds::Seeds;
use crate::limit::share::Asked;
use crate::limit::table::Table;
use std::sync::{Arc, Mutex, PoisonError};

/// Cells in either row of the counts of what is open: 512 KiB in all for requests and as much for connections.
const IN_FLIGHT_CELLS: u32 = 65_536;

/// What outlives every reload.
pub struct State {
    /// The limits' tables by name.
    pub tables: Tables,
    /// Requests in flight, in all and by client.
    pub in_flight: InFlight,
    /// Connections open, in all and by peer.
    pub connections: InFlight,
    /// What of the origin's capacity is used.
    pub budget: Budget,
    /// What is known about floods.
    pub flood: Flood,
    /// What was decided.
    pub counters: Counters,
    /// Who is banned.
    pub bans: Bans,
    /// Who did what wrong.
    pub offences: Offences,
    /// Whether all clients seem to share one key.
    pub shared_key: SharedKey,
    /// What this task holds of the limits that count over the whole fleet.
    pub sharing: Sharing,
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    /// Nothing owed, nothing counted, nobody known.
    pub fn new() -> Self {
        Self::with(History::new(Sizes::default(), Seeds::random(), 0), Seeds::random)
    }

    /// With what is known of clients; `seeds` gives a fresh hash key at each call.
    pub fn with(history: History, mut seeds: impl FnMut() -> Seeds + Send + 'static) -> Self {
        Self {
            in_flight: InFlight::new(IN_FLIGHT_CELLS, seeds()),
            connections: InFlight::new(IN_FLIGHT_CELLS, seeds()),
            flood: Flood::new(history, &mut seeds),
            offences: Offences::new(seeds()),
            tables: Tables::new(seeds),
            budget: Budget::new(),
            counters: Counters::new(),
            bans: Bans::default(),
            shared_key: SharedKey::default(),
            sharing: Sharing::default(),
        }
    }
}

/// The limits' tables by name. The lock is for reloads and the sweeper; a decision reaches its table through the policy.
pub struct Tables {
    entries: Mutex<Vec<Option<Entry>>>,
    seeds: Mutex<Box<dyn FnMut() -> Seeds + Send>>,
}

struct Entry {
    name: String,
    table: Arc<Table>,
    quota: Quota,
    asked: Option<Arc<Asked>>,
}

/// A limit's place, and what it counts in.
pub(super) struct Adopted {
    pub(super) index: usize,
    pub(super) table: Arc<Table>,
    /// For a limit over the whole fleet.
    pub(super) asked: Option<Arc<Asked>>,
}

impl Entry {
    /// The quota, with a burst that no debt is above which a part of the limit lets be.
    fn worst(&self) -> Quota {
        let most = self.asked.as_ref().map_or(0, |asked| asked.most());
        self.quota.with_burst(self.quota.burst().max(most))
    }
}

impl Tables {
    fn new(seeds: impl FnMut() -> Seeds + Send + 'static) -> Self {
        Self { entries: Mutex::new((0..MAX_LIMITS).map(|_| None).collect()), seeds: Mutex::new(Box::new(seeds)) }
    }

    /// The index and the table of each limit: the old ones where the name stays, else new ones.
    /// Tables of limits that are gone are let go.
    pub(super) fn adopt(&self, limits: &[&Limit], now: Time, counters: &Counters) -> Vec<Adopted> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in entries.iter_mut() {
            if entry.as_ref().is_some_and(|e| !limits.iter().any(|l| l.name == e.name)) {
                *entry = None;
            }
        }
        let mut adopted = Vec::with_capacity(limits.len());
        for limit in limits {
            let quota = Quota::new(limit.rate, limit.burst);
            let known = entries.iter().position(|e| e.as_ref().is_some_and(|e| e.name == limit.name));
            let Some(index) = known.or_else(|| entries.iter().position(Option::is_none)) else { break };
            let table = match &entries[index] {
                Some(old) if old.table.needs_retick(&quota) => Arc::new(old.table.retick(&quota, now)),
                Some(old) => old.table.clone(),
                None => {
                    counters.forget_limit(index);
                    Arc::new(Table::new(limit.slots, &quota, self.fresh_seeds()))
                }
            };
            let known = entries[index].as_ref().and_then(|old| old.asked.clone());
            let asked = (limit.scope == Scope::Fleet)
                .then(|| known.unwrap_or_else(|| Arc::new(Asked::new(self.fresh_seeds(), now))));
            entries[index] =
                Some(Entry { name: limit.name.clone(), table: table.clone(), quota, asked: asked.clone() });
            adopted.push(Adopted { index, table, asked });
        }
        adopted
    }

    fn fresh_seeds(&self) -> Seeds {
        self.seeds.lock().unwrap_or_else(PoisonError::into_inner)()
    }

    /// Clears slots whose debt is long over, in the tables that are due: at least every 20 minutes.
    pub fn sweep(&self, now: Time) {
        self.all().iter().for_each(|(table, quota)| table.sweep_when_due(quota, now));
    }

    /// The same in all tables at once: after a change of limits, as debts beyond a smaller burst are cut by it.
    pub fn sweep_all(&self, now: Time) {
        for (table, quota) in self.all() {
            table.sweep(&quota, now, 0..table.lines());
        }
    }

    fn all(&self) -> Vec<(Arc<Table>, Quota)> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().flatten().map(|e| (e.table.clone(), e.worst())).collect()
    }
}
