//! Joins what speaks to AWS with the bans and the fleet.

use super::fleet::Joined;
use crate::base::clock;
use crate::config::settings::Waf;
use crate::control::bans::Keeper;
use crate::control::guardduty::{Tally, queue};
use crate::proxy::Edge;
use crate::sink::fleet::{Fleet, Lease};
use crate::sink::waf::api::{ApiError, Content, Kind, SetRef, Sets};
use crate::sink::waf::aws::AwsSets;
use crate::sink::waf::bans::Bans;
use crate::sink::waf::record::{Key, Record, Store, StoreError, name};
use crate::sink::waf::{Handle, writer};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Starts to read the queue of findings.
pub(super) fn read_findings(
    runtime: &Runtime,
    edge: &Edge,
    keeper: &Arc<Keeper>,
    fleet: Option<&Joined>,
    tally: Arc<Tally>,
    stop: &watch::Sender<bool>,
) {
    let claimed = |joined: &Joined| -> queue::FirstTime {
        let fleet = joined.fleet.clone();
        Box::new(move |finding| {
            let fleet = fleet.clone();
            Box::pin(async move { fleet.claim(&finding).await })
        })
    };
    let parts =
        queue::Parts { policy: edge.policy.clone(), keeper: keeper.clone(), first_time: fleet.map(claimed), tally };
    runtime.spawn(queue::run(parts, stop.subscribe()));
}

/// Starts the loop that hands bans to AWS WAF. It may be cut off at any moment: what it does it writes down before.
pub(super) fn write_waf(
    runtime: &Runtime,
    edge: &Edge,
    waf: &Waf,
    keeper: &Arc<Keeper>,
    fleet: Option<&Joined>,
) -> Handle {
    let bans = Bans { keeper: keeper.clone(), policy: edge.policy.clone() };
    let fleet = fleet.map(|joined| joined.fleet.clone());
    let lease = Arc::new(fleet.clone().map_or_else(|| Held::Always(Lease::always()), Held::OfFleet));
    let shared = fleet.map(|fleet| Arc::new(Shared(fleet)) as Arc<dyn Store>);
    let sets = runtime.block_on(AwsSets::new(waf.scope));
    let watched = lease.lease().watch();
    let writer = writer(waf, bans, Arc::new(Guarded { sets, lease: lease.clone() }), watched, shared);
    let handle = writer.handle();
    runtime.spawn(async move {
        writer.run().await;
        drop(lease);
    });
    handle
}

/// Whose lease it is.
enum Held {
    Always(Lease),
    OfFleet(Arc<Fleet>),
}

impl Held {
    fn lease(&self) -> &Lease {
        match self {
            Self::Always(lease) => lease,
            Self::OfFleet(fleet) => fleet.lease(),
        }
    }
}

/// The sets, for the holder of the lease alone: a task that was frozen learns here that it holds it no more.
struct Guarded {
    sets: AwsSets,
    lease: Arc<Held>,
}

#[async_trait]
impl Sets for Guarded {
    async fn ids(&self, names: &[String]) -> Result<BTreeMap<String, String>, ApiError> {
        self.sets.ids(names).await
    }

    async fn get(&self, set: SetRef<'_>) -> Result<Content, ApiError> {
        self.sets.get(set).await
    }

    async fn update(&self, set: SetRef<'_>, content: &Content) -> Result<String, ApiError> {
        if !self.lease.lease().is_held(clock::now()) {
            return Err(ApiError::new(Kind::Locked, "another task of the fleet writes now"));
        }
        self.sets.update(set, content).await
    }
}

/// The records of what was put into AWS WAF, in the fleet's store.
struct Shared(Arc<Fleet>);

#[async_trait]
impl Store for Shared {
    async fn load(&self) -> Result<Vec<Record>, StoreError> {
        let rows = self.0.records_load().await.map_err(|e| StoreError(e.to_string()))?;
        let read = |(name, text): (String, String)| match serde_json::from_str::<Record>(&text) {
            Ok(record) => Some(record),
            Err(e) => {
                tracing::warn!("waf: the record {name:?} in the fleet's store makes no sense: {e}");
                None
            }
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    async fn change(&self, put: &[Record], drop: &[Key]) -> Result<(), StoreError> {
        let named = |r: &Record| (name(&r.set, &r.network), serde_json::to_string(r).unwrap_or_default());
        let put: Vec<_> = put.iter().map(named).collect();
        let gone: Vec<_> = drop.iter().map(|(set, network)| name(set, network)).collect();
        let outcome = async {
            self.0.records_put(&put).await?;
            self.0.records_drop(&gone).await
        };
        outcome.await.map_err(|e| StoreError(e.to_string()))
    }
}
