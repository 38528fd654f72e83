//! What weir itself put where: the only way to tell its addresses from others', as an address in a set carries nothing.

use async_trait::async_trait;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// An address in a set: the set's name, and the network.
pub type Key = (String, IpNet);

/// What is known of one address in one set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The set's name.
    pub set: String,
    /// The network.
    #[serde(with = "text")]
    pub network: IpNet,
    /// Milliseconds since 1970 at which weir wrote it down, which is just before it sent it; of a leftover, when it was
    /// first seen.
    pub since: u64,
    /// When it is to go, as far as was known then: milliseconds since 1970.
    pub until: u64,
    /// Not weir's: an address that nobody's record explains, remembered for `waf.leftovers_after` only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leftover: bool,
}

impl Record {
    /// What it is found by.
    pub fn key(&self) -> Key {
        (self.set.clone(), self.network)
    }
}

/// How a record is called in a store of names and texts.
pub fn name(set: &str, network: &IpNet) -> String {
    format!("{set} {network}")
}

/// Why records could not be read or written, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// Where records outlive the process. One hand writes at a time.
#[async_trait]
pub trait Store: Send + Sync {
    /// All records.
    async fn load(&self) -> Result<Vec<Record>, StoreError>;

    /// Puts some, in place of those with the same key, and drops others. When it returns, what was put is safe: it is
    /// sent to AWS only then.
    async fn change(&self, put: &[Record], drop: &[Key]) -> Result<(), StoreError>;
}

/// Records that end with the process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<BTreeMap<Key, Record>>>);

#[async_trait]
impl Store for Memory {
    async fn load(&self) -> Result<Vec<Record>, StoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect())
    }

    async fn change(&self, put: &[Record], drop: &[Key]) -> Result<(), StoreError> {
        apply(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), put, drop);
        Ok(())
    }
}

/// Two places, such as the fleet's store and a file. It is enough that one of them works; what either holds counts.
pub struct Both<A, B>(pub A, pub B);

#[async_trait]
impl<A: Store, B: Store> Store for Both<A, B> {
    async fn load(&self) -> Result<Vec<Record>, StoreError> {
        match (self.0.load().await, self.1.load().await) {
            (Ok(one), Ok(other)) => {
                // The first has the last word.
                let all = other.into_iter().chain(one).map(|r| (r.key(), r));
                Ok(all.collect::<BTreeMap<_, _>>().into_values().collect())
            }
            (Ok(one), Err(_)) | (Err(_), Ok(one)) => Ok(one),
            (Err(one), Err(other)) => Err(StoreError(format!("{one}; {other}"))),
        }
    }

    async fn change(&self, put: &[Record], drop: &[Key]) -> Result<(), StoreError> {
        match (self.0.change(put, drop).await, self.1.change(put, drop).await) {
            (Err(one), Err(other)) => Err(StoreError(format!("{one}; {other}"))),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl<S: Store + ?Sized> Store for Arc<S> {
    async fn load(&self) -> Result<Vec<Record>, StoreError> {
        (**self).load().await
    }

    async fn change(&self, put: &[Record], drop: &[Key]) -> Result<(), StoreError> {
        (**self).change(put, drop).await
    }
}

/// A network as people write it.
mod text {
    use ipnet::IpNet;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(network: &IpNet, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(network)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<IpNet, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|_| D::Error::custom(format_args!("{text:?} is no network")))
    }
}

/// Changes a map as [`Store::change`] says.
pub(super) fn apply(records: &mut BTreeMap<Key, Record>, put: &[Record], drop: &[Key]) {
    for key in drop {
        records.remove(key);
    }
    records.extend(put.iter().map(|r| (r.key(), r.clone())));
}
