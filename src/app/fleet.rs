//! Joins the fleet, where the config names one.

use crate::base::clock;
use crate::config::settings::Settings;
use crate::control::bans::Keeper;
use crate::control::identity::Identity;
use crate::proxy::Edge;
use crate::sink::fleet::{Fleet, Loads, Parts};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// This weir's part of its fleet, and what ends once it said goodbye.
pub(super) struct Joined {
    pub(super) fleet: Arc<Fleet>,
    pub(super) running: JoinHandle<()>,
}

/// Takes part in the fleet until `stop`; none where the config names no fleet. Waits for nothing.
pub(super) fn join(
    runtime: &Runtime,
    settings: &Settings,
    edge: &Edge,
    keeper: &Arc<Keeper>,
    identity: Identity,
    stop: watch::Receiver<bool>,
) -> Option<Joined> {
    if !settings.fleet.enabled {
        return None;
    }
    let task = identity.task.clone();
    let parts = Parts {
        settings: settings.fleet.clone(),
        identity,
        keeper: keeper.clone(),
        state: edge.state.clone(),
        share_secret: settings.flood.challenge.secret.is_none(),
        loads: loads(edge, task),
    };
    let _inside = runtime.enter();
    let (fleet, running) = Fleet::join(parts, stop);
    Some(Joined { fleet, running })
}

/// What limits over the fleet tell and hear.
fn loads(edge: &Edge, task: String) -> Loads {
    let (state, policy) = (edge.state.clone(), edge.policy.clone());
    let demand = move || state.sharing.demand(&policy.load(), clock::now()).encode();
    let state = edge.state.clone();
    let aggregate = move |told: Vec<(String, Vec<u8>)>| {
        let Some((digest, faults)) = state.sharing.aggregate(&told, clock::now()) else { return Vec::new() };
        for (task, fault) in faults {
            tracing::warn!("limits of the fleet: what {task} was asked for cannot be read: {fault}");
        }
        digest.encode()
    };
    let (state, policy) = (edge.state.clone(), edge.policy.clone());
    let apply = move |digest: Option<&[u8]>, tasks: usize| {
        let others = tasks.saturating_sub(1);
        if let Err(fault) = state.sharing.hear(&policy.load(), digest, (others, &task), clock::now()) {
            tracing::warn!("limits of the fleet: the leader's digest cannot be read: {fault}");
        }
    };
    Loads { demand: Box::new(demand), aggregate: Box::new(aggregate), apply: Box::new(apply) }
}
