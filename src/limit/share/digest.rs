//! Who has which part of each limit: what the leader tells all tasks, once a second.

use super::{LimitId, MAX_LIMITS, MAX_TASKS, Malformed, VERSION, read};
use serde::{Deserialize, Serialize};

/// The most keys of one limit with parts of their own.
pub(super) const MAX_KEYS: usize = 4_096;

/// The most tasks that one key has parts at, beside the rest.
pub(super) const MAX_PLACES: usize = 64;

/// The largest of all, encoded.
const MAX_BYTES: usize = 8 << 20;

/// Parts are told in millionths.
pub(super) const MILLION: f64 = 1e6;

/// Who has which part of each limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    #[serde(rename = "v")]
    pub(super) version: u8,
    /// Its number: each is larger than the last.
    #[serde(rename = "e")]
    pub epoch: u64,
    /// The live tasks' hashed names, in order.
    #[serde(rename = "t")]
    pub(super) tasks: Vec<u64>,
    /// Each limit's parts.
    #[serde(rename = "l")]
    pub limits: Vec<LimitDigest>,
}

/// The parts of one limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitDigest {
    /// Which one.
    #[serde(flatten)]
    pub limit: LimitId,
    /// The tasks' parts in millionths; nothing where all have the same.
    #[serde(rename = "w", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) weights: Vec<u32>,
    /// The keys with parts of their own.
    #[serde(rename = "k", default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<HotKey>,
}

/// The parts of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HotKey {
    /// The key.
    #[serde(rename = "k", with = "super::hex")]
    pub key: u128,
    /// It asks for far more than the limit, and is lent nothing.
    #[serde(rename = "s", default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// At these tasks, by their place among the tasks, it has so many millionths of the limit.
    #[serde(rename = "p", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) places: Vec<(u16, u32)>,
    /// At all others it has so many millionths of the task's own part.
    #[serde(rename = "o", default = "whole", skip_serializing_if = "is_whole")]
    pub(super) others: u32,
}

const fn whole() -> u32 {
    MILLION as u32
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_whole(others: &u32) -> bool {
    *others == whole()
}

/// A task's name as digests tell it: a number that JSON holds exactly.
pub(super) fn hashed(task: &str) -> u64 {
    // FNV-1a: the same in all tasks; names are their own, not an attacker's.
    let hash = task.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    hash >> 16
}

impl Digest {
    /// How many tasks are alive.
    pub fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// The task's place among the tasks, if it is known to live.
    pub(super) fn place(&self, task: &str) -> Option<usize> {
        self.tasks.binary_search(&hashed(task)).ok()
    }

    /// As it is told.
    pub fn encode(&self) -> Vec<u8> {
        // Numbers and strings only: this can't fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what a leader told.
    ///
    /// # Errors
    /// Where it is nothing that a leader of this version tells.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let digest: Self = read(bytes, MAX_BYTES)?;
        if digest.version != VERSION {
            return Err(Malformed::Version(digest.version));
        }
        let tasks = digest.tasks.len();
        if !(1..=MAX_TASKS).contains(&tasks) || !digest.tasks.is_sorted_by(|a, b| a < b) {
            return Err(Malformed::Bounds("the number of tasks, or their order"));
        }
        // Tasks of several versions of a config may each have their own limits.
        if digest.limits.len() > 4 * MAX_LIMITS || !digest.limits.iter().all(|l| l.limit.is_sound()) {
            return Err(Malformed::Bounds("a limit, or their number"));
        }
        if !digest.limits.iter().all(|l| l.is_sound(tasks)) {
            return Err(Malformed::Bounds("a part of a limit"));
        }
        Ok(digest)
    }
}

impl LimitDigest {
    /// The part of the task at `place` of `tasks`.
    pub(super) fn weight(&self, place: usize, tasks: usize) -> f64 {
        match self.weights.get(place) {
            // A task whose limit the leader has not heard of yet.
            None | Some(0) => 1.0 / tasks as f64,
            Some(&millionths) => f64::from(millionths) / MILLION,
        }
    }

    fn is_sound(&self, tasks: usize) -> bool {
        (self.weights.is_empty() || self.weights.len() == tasks)
            && self.weights.iter().all(|w| *w <= whole())
            && self.keys.len() <= MAX_KEYS
            && self.keys.iter().all(HotKey::is_sound)
    }
}

impl HotKey {
    /// The key's part at the task at `place`, whose own part of the limit is `weight`.
    pub(super) fn part(&self, place: Option<usize>, weight: f64) -> f64 {
        let own = self.places.iter().find(|(at, _)| Some(usize::from(*at)) == place);
        own.map_or(weight * f64::from(self.others) / MILLION, |(_, millionths)| f64::from(*millionths) / MILLION)
    }

    fn is_sound(&self) -> bool {
        self.places.len() <= MAX_PLACES
            && self.others <= whole()
            && self.places.iter().all(|(_, millionths)| *millionths <= whole())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KeyDemand, LimitDemand, TaskDemand};
    use super::*;
    use proptest::prelude::*;

    fn digest() -> Digest {
        let limit = LimitId { name: "per-client".into(), rate: (10, 1_000_000_000), burst: 100 };
        let of = |covered, keys| TaskDemand::new(4, vec![LimitDemand { limit: limit.clone(), covered, keys }]);
        let tasks = [("a".into(), of(10, vec![KeyDemand(0xffff_c000_0201, 90_000)])), ("b".into(), of(10, vec![]))];
        Digest::of(None, &tasks)
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let digest = digest();
        let text = String::from_utf8(digest.encode()).unwrap();
        assert_eq!(Digest::decode(text.as_bytes()), Ok(digest));
        let limits = r#""l":[{"n":"per-client","r":[10,1000000000],"b":100,"k":[{"k":"ffffc0000201","s":true,"#;
        assert!(text.starts_with(r#"{"v":1,"e":5,"t":["#) && text.contains(limits), "{text}");
    }

    #[test]
    fn what_no_leader_writes_is_refused() {
        let good = digest();
        let fault = |change: &dyn Fn(&mut Digest)| {
            let mut digest = good.clone();
            change(&mut digest);
            Digest::decode(&digest.encode()).unwrap_err().to_string()
        };
        assert_eq!(fault(&|d| d.version = 9), "version 9 is not known; this weir speaks version 1");
        assert_eq!(fault(&|d| d.tasks.clear()), "the number of tasks, or their order is out of bounds");
        assert_eq!(fault(&|d| d.tasks.reverse()), "the number of tasks, or their order is out of bounds");
        assert_eq!(fault(&|d| d.limits[0].limit.burst = 0), "a limit, or their number is out of bounds");
        assert_eq!(fault(&|d| d.limits[0].weights = vec![1]), "a part of a limit is out of bounds");
        assert_eq!(fault(&|d| d.limits[0].weights = vec![1, 1_000_001]), "a part of a limit is out of bounds");
        assert_eq!(fault(&|d| d.limits[0].keys[0].others = 1_000_001), "a part of a limit is out of bounds");
        assert_eq!(fault(&|d| d.limits[0].keys[0].places = vec![(0, 1); 65]), "a part of a limit is out of bounds");
        assert!(Digest::decode(b"[]").is_err() && Digest::decode(b"").is_err());
        assert_eq!(Digest::decode(&vec![b' '; MAX_BYTES + 1]), Err(Malformed::TooLarge(MAX_BYTES + 1, MAX_BYTES)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

        /// Whatever lies in the store: it is refused, or it is a digest that can be asked.
        #[test]
        fn nothing_in_the_store_harms(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0usize..40) {
            let mut bytes = digest().encode();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            let _ = TaskDemand::decode(&bytes);
            if let Ok(digest) = Digest::decode(&bytes) {
                for limit in &digest.limits {
                    let weight = limit.weight(0, digest.tasks());
                    prop_assert!((0.0..=1.0).contains(&weight));
                    prop_assert!(limit.keys.iter().all(|key| (0.0..=1.0).contains(&key.part(Some(0), weight))));
                }
            }
        }
    }
}
