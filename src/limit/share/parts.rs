//! What this task holds of each limit, looked up by every request that such a limit covers.

use super::digest::{Digest, LimitDigest};
use super::{Asked, LimitId};
use crate::base::clock::Time;
use crate::limit::gcra::{Quota, Terms};
use crate::limit::seeds::Seeds;
use crate::limit::table::Table;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

/// A limit of scope fleet, as this task has it.
pub struct Shared {
    /// Where its counts are.
    pub index: usize,
    /// Which one.
    pub id: LimitId,
    /// Rate and burst.
    pub quota: Quota,
    /// Who owes how much.
    pub table: Arc<Table>,
    /// What it was asked for.
    pub asked: Arc<Asked>,
}

/// What this task holds of each limit. Immutable: a new one is made for each digest.
#[derive(Clone)]
pub struct Parts {
    /// The digest it was made of; 0 before the first.
    pub epoch: u64,
    /// How many tasks share.
    pub tasks: usize,
    /// By the limits' index.
    limits: Vec<Option<Arc<LimitParts>>>,
}

/// What this task holds of one limit.
pub struct LimitParts {
    limit: LimitId,
    /// What the digest says, which may be more than what the others have heard of.
    told: Told,
    /// What holds: the lesser of that and of what the digest before said.
    part: f64,
    terms: Terms,
    /// Keys with parts of their own.
    keys: HashMap<u128, KeyPart, Keyed>,
}

/// A digest's word for this task.
struct Told {
    part: f64,
    /// Part, and whether nothing is lent.
    keys: HashMap<u128, (f64, bool), Keyed>,
}

#[derive(Clone, Copy)]
struct KeyPart {
    part: f64,
    terms: Terms,
}

impl Parts {
    /// An equal part of what `tasks` share; for one, every limit whole.
    pub fn even(tasks: usize) -> Self {
        Self { epoch: 0, tasks: tasks.max(1), limits: vec![] }
    }

    /// Whether this task has every limit whole.
    #[inline]
    pub fn is_whole(&self) -> bool {
        self.tasks <= 1
    }

    /// What the task called `task` holds after `digest`; each key keeps what is left of its bucket.
    #[must_use]
    pub fn after<'a>(&self, digest: &Digest, task: &str, limits: impl Iterator<Item = &'a Shared>, now: Time) -> Self {
        let place = digest.place(task);
        // A task that the others have not heard of yet comes on top of them.
        let tasks = digest.tasks() + usize::from(place.is_none());
        let mut next = Self { epoch: digest.epoch, ..Self::even(tasks) };
        for shared in limits {
            let before = self.limit(shared);
            let after = match digest.limits.iter().find(|l| l.limit == shared.id) {
                Some(found) => {
                    let told = Told::of(found, place, digest.tasks(), next.even_part());
                    let after = LimitParts::after(before.map(|b| &b.told), told, shared);
                    shared.asked.set_most(after.most());
                    if let Some(before) = before {
                        after.carry(before, shared, now);
                    }
                    Some(Arc::new(after))
                }
                // Nobody else has this limit yet.
                None => None,
            };
            next.put(shared.index, after);
        }
        next
    }

    /// The same without the parts of single keys.
    #[must_use]
    pub fn without_keys<'a>(&self, limits: impl Iterator<Item = &'a Shared>) -> Self {
        let mut next = Self { limits: vec![], ..self.clone() };
        for shared in limits {
            let after = self.limit(shared).map(|old| {
                let told = || Told { part: old.part, keys: HashMap::default() };
                Arc::new(LimitParts::after(None, told(), shared))
            });
            next.put(shared.index, after);
        }
        next
    }

    /// What this task holds of a limit, if a digest told.
    #[inline]
    pub fn limit(&self, shared: &Shared) -> Option<&LimitParts> {
        self.limits.get(shared.index)?.as_deref().filter(|parts| parts.limit == shared.id)
    }

    /// The terms of the limit for a key, and whether they are the key's own; none where this task has the limit whole.
    #[inline]
    pub fn terms(&self, shared: &Shared, key: u128) -> Option<(Terms, bool)> {
        if self.is_whole() {
            return None;
        }
        let Some(limit) = self.limit(shared) else { return Some((shared.quota.part(self.even_part(), true), false)) };
        Some(limit.keys.get(&key).map_or((limit.terms, false), |k| (k.terms, true)))
    }

    /// Which part of the limit a key has here, and whether that is the key's own.
    pub fn part(&self, shared: &Shared, key: u128) -> (f64, bool) {
        let Some(limit) = self.limit(shared) else { return (self.even_part(), false) };
        limit.keys.get(&key).map_or((limit.part, false), |k| (k.part, true))
    }

    fn even_part(&self) -> f64 {
        1.0 / self.tasks as f64
    }

    fn put(&mut self, index: usize, limit: Option<Arc<LimitParts>>) {
        if self.limits.len() <= index {
            self.limits.resize(index + 1, None);
        }
        self.limits[index] = limit;
    }
}

impl Told {
    fn of(limit: &LimitDigest, place: Option<usize>, tasks: usize, even: f64) -> Self {
        let part = place.map_or(even, |place| limit.weight(place, tasks));
        let keys = limit.keys.iter().map(|key| (key.key, (key.part(place, part), key.strict)));
        Self { part, keys: keys.collect() }
    }

    fn of_key(&self, key: u128) -> (f64, bool) {
        self.keys.get(&key).copied().unwrap_or((self.part, false))
    }
}

impl LimitParts {
    /// A part gets smaller at once and larger one digest later: by then all who are to have less have heard.
    fn after(before: Option<&Told>, told: Told, shared: &Shared) -> Self {
        let old = before.unwrap_or(&told);
        let part = told.part.min(old.part);
        let key_part = |key: u128| {
            let ((new, strict), (old, _)) = (told.of_key(key), old.of_key(key));
            let part = new.min(old);
            KeyPart { part, terms: shared.quota.part(part, !strict) }
        };
        let mut keys: HashMap<_, _, _> = told.keys.keys().map(|key| (*key, key_part(*key))).collect();
        // Who has no part of its own any more may have had less than the others.
        let gone = old.keys.keys().filter(|key| !told.keys.contains_key(key)).map(|key| (*key, key_part(*key)));
        keys.extend(gone.filter(|(_, key)| key.part < part));
        Self { limit: shared.id.clone(), part, terms: shared.quota.part(part, true), keys, told }
    }

    /// Each key keeps what it had left here.
    fn carry(&self, before: &Self, shared: &Shared, now: Time) {
        let most = self.most();
        for key in self.keys.keys().chain(before.keys.keys().filter(|key| !self.keys.contains_key(key))) {
            let (old, new) = (before.part_of(*key), self.part_of(*key));
            if (new / old - 1.0).abs() > 0.01 {
                shared.table.rescale(shared.table.locate(*key), &shared.quota, now, (old, new), most);
            }
        }
    }

    fn part_of(&self, key: u128) -> f64 {
        self.keys.get(&key).map_or(self.part, |k| k.part)
    }

    /// The most debt that a part lets be, in intervals.
    fn most(&self) -> u32 {
        self.keys.values().map(|k| k.terms.most()).max().unwrap_or(0).max(self.terms.most())
    }

    /// How many keys have parts of their own.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// This task's part.
    pub const fn share(&self) -> f64 {
        self.part
    }
}

/// Hashes keys so that nobody outside can choose ones that collide.
#[derive(Clone, Debug)]
struct Keyed(Seeds);

impl Default for Keyed {
    fn default() -> Self {
        Self(Seeds::random())
    }
}

impl BuildHasher for Keyed {
    type Hasher = KeyHasher;
    fn build_hasher(&self) -> KeyHasher {
        KeyHasher { seeds: self.0, hash: 0 }
    }
}

struct KeyHasher {
    seeds: Seeds,
    hash: u64,
}

impl Hasher for KeyHasher {
    fn write_u128(&mut self, key: u128) {
        self.hash = self.seeds.hash(key);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = self.seeds.hash(u128::from(self.hash) << 8 | u128::from(*byte));
        }
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KeyDemand, LimitDemand, TaskDemand};
    use super::*;
    use crate::base::units::Rate;
    use std::time::Duration;

    const NOW: Time = Time::from_nanos(1 << 50);
    const KEY: u128 = 7;

    fn shared() -> Shared {
        let quota = Quota::new(Rate::per_second(10), 100);
        let table = Arc::new(Table::new(64, &quota, Seeds::fixed(1)));
        let asked = Arc::new(Asked::new(Seeds::fixed(2), NOW));
        Shared { index: 3, id: LimitId::new("a", &quota), quota, table, asked }
    }

    /// A digest of `tasks`, of which the one at `hot` is asked far too much for by the key.
    fn digest(previous: Option<&Digest>, tasks: &[&str], hot: Option<&str>, limit: &LimitId) -> Digest {
        let told = tasks.iter().map(|task| {
            let keys = if Some(*task) == hot { vec![KeyDemand(KEY, 100_000)] } else { vec![] };
            ((*task).to_owned(), TaskDemand::new(0, vec![LimitDemand { limit: limit.clone(), covered: 0, keys }]))
        });
        Digest::of(previous, &told.collect::<Vec<_>>())
    }

    #[test]
    fn parts_get_smaller_at_once_and_larger_one_digest_later() {
        let shared = shared();
        let mut parts = Parts::even(1);
        assert!(parts.terms(&shared, KEY).is_none(), "the whole limit");
        let mut last = None;
        let mut hear = |tasks: &[&str], hot| {
            let digest = digest(last.as_ref(), tasks, hot, &shared.id);
            parts = parts.after(&digest, "a", std::iter::once(&shared), NOW);
            last = Some(digest);
            (parts.part(&shared, 1), parts.part(&shared, KEY))
        };
        let quarter = ["a", "b", "c", "d"];
        assert_eq!(hear(&quarter, None), ((0.25, false), (0.25, false)));
        assert_eq!(hear(&quarter[..2], None).0, (0.25, false), "the others may not have heard yet");
        assert_eq!(hear(&quarter[..2], None).0, (0.5, false));
        assert_eq!(hear(&quarter, Some("a")), ((0.25, false), (0.5, true)), "for the key it was a half before");
        let (_, (own, _)) = hear(&quarter, Some("a"));
        assert!((0.95..0.97).contains(&own), "{own}");
        let (_, (there, _)) = hear(&quarter, Some("b"));
        assert!((0.01..0.02).contains(&there), "{there}");
        assert_eq!(hear(&quarter, None).1, (there, true), "it was small a digest before");
        assert_eq!(hear(&quarter, None).1, (0.25, false));
        // Who is not among the tasks comes on top of them.
        assert_eq!(hear(&["b", "c"], None).0.0, 0.25);
        assert_eq!(hear(&["b", "c"], None).0.0, 1.0 / 3.0);
    }

    #[test]
    fn a_larger_part_fills_up_from_what_was_left() {
        let shared = shared();
        let take = |parts: &Parts, now| {
            let (terms, _) = parts.terms(&shared, KEY).unwrap();
            let spot = shared.table.locate(KEY);
            (0..200).filter(|_| shared.table.take_part(spot, &shared.quota, now, terms).admits()).count()
        };
        let quiet = digest(None, &["a", "b"], None, &shared.id);
        let one = || std::iter::once(&shared);
        let mut parts = Parts::even(2).after(&quiet, "a", one(), NOW);
        assert_eq!(take(&parts, NOW), 58, "50, its root, and one");
        for _ in 0..2 {
            let hot = digest(Some(&quiet), &["a", "b"], Some("a"), &shared.id);
            parts = parts.after(&hot, "a", one(), NOW);
        }
        assert!(parts.part(&shared, KEY).0 > 0.95);
        assert_eq!(take(&parts, NOW), 0, "what was lent is owed still");
        assert_eq!(take(&parts, NOW + Duration::from_millis(2_000)), 11, "2 s at 9.75/s, less the 8 that were lent");
    }

    #[test]
    fn another_limit_of_the_same_name_has_no_part_in_it() {
        let (shared, quota) = (shared(), Quota::new(Rate::per_second(20), 100));
        let digest = digest(None, &["a", "b"], Some("a"), &LimitId::new("a", &quota));
        let parts = Parts::even(1).after(&digest, "a", std::iter::once(&shared), NOW);
        assert_eq!((parts.part(&shared, KEY), parts.tasks), ((0.5, false), 2));
        assert!(parts.limit(&shared).is_none());
    }
}
