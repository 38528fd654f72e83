//! The reader's side: which bans hold, looked up by every request.

use super::network::Network;
use crate::base::clock::Time;
use crate::base::sync::{AtomicU64, AtomicUsize, Ordering};
use crate::client::key::ClientKey;
use crate::limit::seeds::Seeds;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

/// A rung of the ladder: refuse, close, then the bans of `ban.ladder`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(pub u8);

impl Step {
    /// Every request is answered 403.
    pub const REFUSE: Self = Self(0);
    /// Connections are closed without a reply.
    pub const CLOSE: Self = Self(1);
    /// The first timed ban.
    pub const FIRST_BAN: Self = Self(2);
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::REFUSE => f.write_str("refuse"),
            Self::CLOSE => f.write_str("close"),
            Self(n) => write!(f, "ban {}", n - 1),
        }
    }
}

/// On whose word somebody is banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The ladder's: for what it did.
    Ladder,
    /// The ladder's: for what most clients of this network did.
    Members,
    /// An operator's.
    Operator,
    /// A finding's: AWS GuardDuty saw what it did.
    Finding,
    /// A report's: an Aviatrix gateway saw what it did.
    Gateway,
}

impl Who {
    /// The word for it in logs, in the file and in answers.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ladder => "ladder",
            Self::Members => "members",
            Self::Operator => "operator",
            Self::Finding => "guardduty",
            Self::Gateway => "aviatrix",
        }
    }

    /// Whose word this code is.
    pub fn of_code(code: &str) -> Option<Self> {
        let all = [Self::Ladder, Self::Members, Self::Operator, Self::Finding, Self::Gateway];
        all.into_iter().find(|who| who.code() == code)
    }
}

/// What a request of a banned client meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Who is banned.
    pub network: Network,
    /// How far up the ladder.
    pub step: Step,
    /// When it is over.
    pub until: Time,
    /// On whose word.
    pub who: Who,
}

impl Ban {
    /// Whether the connection is closed without a reply. One that answers for others, or for an operator's word, is
    /// told why.
    pub fn closes(&self) -> bool {
        self.who == Who::Ladder && self.step >= Step::CLOSE
    }
}

/// One ban, as it is published.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) ban: Ban,
    pub(super) hits: Arc<AtomicU64>,
}

/// Hashes networks as the tables hash clients: nobody outside can choose ones that meet, at a fraction of what the
/// standard hash costs every request.
#[derive(Clone, Copy, Debug)]
struct Keyed(Seeds);

impl Default for Keyed {
    fn default() -> Self {
        Self(Seeds::random())
    }
}

impl BuildHasher for Keyed {
    type Hasher = Folded;
    fn build_hasher(&self) -> Folded {
        Folded { seeds: self.0, key: 0 }
    }
}

/// A network's address and length, as one number.
struct Folded {
    seeds: Seeds,
    key: u128,
}

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u8(*byte));
    }
    fn write_u8(&mut self, byte: u8) {
        self.key = self.key.rotate_left(8) ^ u128::from(byte);
    }
    fn write_u128(&mut self, number: u128) {
        self.key ^= number;
    }
    fn finish(&self) -> u64 {
        self.seeds.hash(self.key)
    }
}

/// All bans at one moment, immutable.
#[derive(Debug, Default)]
pub(super) struct BanSet {
    by_network: HashMap<Network, Held, Keyed>,
    /// Lengths of the networks that are there, longest first.
    lengths_v4: Vec<u8>,
    lengths_v6: Vec<u8>,
}

impl BanSet {
    pub(super) fn new(bans: impl Iterator<Item = Held>) -> Self {
        let mut by_network = HashMap::with_hasher(Keyed::default());
        by_network.extend(bans.map(|held| (held.ban.network, held)));
        let lengths = |ipv4: bool| {
            let mut lengths: Vec<u8> = by_network.keys().filter(|n| n.is_ipv4() == ipv4).map(|n| n.length()).collect();
            lengths.sort_unstable_by(|a, b| b.cmp(a));
            lengths.dedup();
            lengths
        };
        let (lengths_v4, lengths_v6) = (lengths(true), lengths(false));
        Self { by_network, lengths_v4, lengths_v6 }
    }

    fn find(&self, address: ClientKey, now: Time) -> Option<&Held> {
        let lengths = if address.ipv4().is_some() { &self.lengths_v4 } else { &self.lengths_v6 };
        let nets = lengths.iter().map(|length| Network::around(address, *length));
        nets.filter_map(|net| self.by_network.get(&net)).find(|held| held.ban.until > now)
    }
}

/// The bans that hold. The book's writer publishes them; readers never wait.
#[derive(Debug, Default)]
pub struct Bans {
    set: ArcSwap<BanSet>,
    /// How many there are: where there is none, a request need not look further.
    count: AtomicUsize,
}

impl Bans {
    /// The ban that `address` (whole, with all its bits) is under, the narrowest first.
    pub fn lookup(&self, address: ClientKey, now: Time) -> Option<Ban> {
        self.set.load().find(address, now).map(|held| held.ban)
    }

    /// As [`lookup`](Self::lookup), and counts the request that met it.
    #[inline]
    pub fn check(&self, address: ClientKey, now: Time) -> Option<Ban> {
        // Relaxed: a hint; a request that misses a new ban by a moment came before it.
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let set = self.set.load();
        let held = set.find(address, now)?;
        // Relaxed: a lone counter.
        held.hits.fetch_add(1, Ordering::Relaxed);
        Some(held.ban)
    }

    /// Puts other bans in force. The old ones are given back: whoever drops them last frees them, and that must not be
    /// a request.
    pub(super) fn publish(&self, set: BanSet) -> Arc<BanSet> {
        let count = set.by_network.len();
        let old = self.set.swap(Arc::new(set));
        // Relaxed: as in `check`.
        self.count.store(count, Ordering::Relaxed);
        old
    }
}
