//! What one task was asked for, told to the leader once a second.

use super::{LimitId, MAX_LIMITS, Malformed, VERSION, read};
use serde::{Deserialize, Serialize};

/// The most keys of one limit that a task reports.
pub(super) const MAX_KEYS: usize = 256;

/// The largest of all, encoded.
const MAX_BYTES: usize = 1 << 20;

/// What one task was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDemand {
    #[serde(rename = "v")]
    version: u8,
    /// The number of the last digest that the task has heard.
    #[serde(rename = "e")]
    pub epoch: u64,
    /// Its limits of scope fleet.
    #[serde(rename = "l")]
    pub limits: Vec<LimitDemand>,
}

/// What it was asked for under one limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitDemand {
    /// Which one.
    #[serde(flatten)]
    pub limit: LimitId,
    /// How many requests it covered since the last time.
    #[serde(rename = "a")]
    pub covered: u32,
    /// Who asked for much of its part.
    #[serde(rename = "k", default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyDemand>,
}

/// What one key asked for, admitted or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDemand(
    /// The key.
    #[serde(with = "super::hex")]
    pub u128,
    /// Requests in 1,000 seconds.
    pub u32,
);

impl TaskDemand {
    /// Of a task that has heard the digest `epoch`.
    pub fn new(epoch: u64, limits: Vec<LimitDemand>) -> Self {
        Self { version: VERSION, epoch, limits }
    }

    /// As it is told.
    pub fn encode(&self) -> Vec<u8> {
        // Numbers and strings only: this can't fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what another task told.
    ///
    /// # Errors
    /// Where it is nothing that a task of this version tells.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let demand: Self = read(bytes, MAX_BYTES)?;
        if demand.version != VERSION {
            return Err(Malformed::Version(demand.version));
        }
        if demand.limits.len() > MAX_LIMITS || demand.limits.iter().any(|l| l.keys.len() > MAX_KEYS) {
            return Err(Malformed::Bounds("the number of limits or of keys"));
        }
        if !demand.limits.iter().all(|l| l.limit.is_sound()) {
            return Err(Malformed::Bounds("a limit's name, rate or burst"));
        }
        Ok(demand)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(keys: usize) -> TaskDemand {
        let limit = LimitId { name: "per-client".into(), rate: (10, 1_000_000_000), burst: 100 };
        let key = |n| KeyDemand(0xffff_c000_0200 + n as u128, 12_500);
        TaskDemand::new(7, vec![LimitDemand { limit, covered: 900, keys: (0..keys).map(key).collect() }])
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let text = String::from_utf8(demand(1).encode()).unwrap();
        let want = r#"{"v":1,"e":7,"l":[{"n":"per-client","r":[10,1000000000],"b":100,"a":900,"k":[["ffffc0000200",12500]]}]}"#;
        assert_eq!(text, want);
        assert_eq!(TaskDemand::decode(text.as_bytes()), Ok(demand(1)));
        assert_eq!(TaskDemand::decode(&demand(0).encode()), Ok(demand(0)));
    }

    #[test]
    fn what_no_task_writes_is_refused() {
        let good = String::from_utf8(demand(1).encode()).unwrap();
        for (from, to, error) in [
            (r#""v":1"#, r#""v":2"#, "version 2 is not known; this weir speaks version 1"),
            ("[10,", "[0,", "a limit's name, rate or burst is out of bounds"),
            (r#""b":100"#, r#""b":0"#, "a limit's name, rate or burst is out of bounds"),
            (r#""ffffc0000200""#, r#""xyz""#, "not of the expected form: a key is no hexadecimal number of 128 bits"),
            (r#""l":["#, r#""l":[null,"#, "not of the expected form: "),
        ] {
            let found = TaskDemand::decode(good.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
            assert!(found.starts_with(error), "{to}: {found}");
        }
        assert_eq!(
            TaskDemand::decode(&demand(MAX_KEYS + 1).encode()),
            Err(Malformed::Bounds("the number of limits or of keys"))
        );
        let huge = vec![b' '; MAX_BYTES + 1];
        assert_eq!(TaskDemand::decode(&huge), Err(Malformed::TooLarge(MAX_BYTES + 1, MAX_BYTES)));
    }
}
