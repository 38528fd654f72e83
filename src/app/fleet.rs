//! Joins the fleet, where the config names one.

use crate::config::settings::Settings;
use crate::control::bans::Keeper;
use crate::control::identity::Identity;
use crate::limit::seeds::Seeds;
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
    let parts = Parts {
        settings: settings.fleet.clone(),
        identity,
        keeper: keeper.clone(),
        state: edge.state.clone(),
        share_secret: settings.flood.challenge.secret.is_none(),
        loads: Loads::default(),
    };
    let _inside = runtime.enter();
    let (fleet, running) = Fleet::join(parts, stop);
    Some(Joined { fleet, running })
}

/// Host, process and chance: no two that run at once have it.
pub(super) fn identity() -> Identity {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String =
        host.trim().chars().filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).take(64).collect();
    let chance = Seeds::random().words()[0] as u32;
    Identity { task: format!("{host}-{}-{chance:08x}", std::process::id()), ..Identity::default() }
}
