//! What the admin server looks at: the parts of a running weir, joined.

use super::others::Others;
use super::outlets::Told;
use super::watched::{self, Prepared};
use crate::access::asn::AsnDatabase;
use crate::access::country::CountryDatabase;
use crate::admin::{self, Live, Reachable};
use crate::base::clock;
use crate::control::identity::Identity;
use crate::control::phase::PhaseCell;
use crate::control::recent::Recent;
use crate::control::reload::Reloader;
use crate::proxy::Edge;
use arc_swap::{ArcSwap, ArcSwapOption};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What is there to be looked at, and for little else.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) phase: Arc<PhaseCell>,
    pub(super) warning: Arc<ArcSwap<Option<String>>>,
    pub(super) recent: Arc<Recent>,
    pub(super) asn: Arc<ArcSwapOption<AsnDatabase>>,
    pub(super) country: Option<CountryDatabase>,
}

/// The parts that do the work.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) runtime: &'a Runtime,
    pub(super) edge: &'a Edge,
    pub(super) reloader: &'a Arc<Reloader>,
    pub(super) told: &'a Told,
    pub(super) others: &'a Others,
}

/// Joins them; who weir is and where it listens stands beside.
pub(super) fn live(
    parts: Parts<'_>,
    shown: Shown,
    watchers: &Prepared,
    (identity, listen): (Identity, Vec<String>),
    stop: &watch::Sender<bool>,
) -> Arc<Live> {
    let Parts { runtime, edge, reloader, told, others } = parts;
    Arc::new(Live {
        started: clock::now(),
        identity,
        source: reloader.source.clone(),
        listen,
        phase: shown.phase,
        policy: edge.policy.clone(),
        state: edge.state.clone(),
        pool: edge.pool.clone(),
        config: reloader.status.clone(),
        notes: reloader.notes.clone(),
        warning: shown.warning,
        recent: shown.recent,
        asn: shown.asn,
        country: shown.country,
        timeline: watched::timeline(runtime, edge, others, stop),
        queue: edge.events.clone(),
        log_gate: edge.log_gate.clone(),
        log: told.log.clone(),
        outlets: told.all.clone(),
        news: told.news.clone(),
        bans: others.keeper.clone(),
        guardduty: others.findings.clone(),
        aviatrix: others.aviatrix.clone(),
        smartgroup: others.smartgroup.clone(),
        beyond: Reachable {
            fleet: others.fleet.as_ref().map(|joined| joined.fleet.clone()),
            waf: others.waf.clone(),
            runtime: runtime.handle().clone(),
        },
        cloudwatch: watchers.cloudwatch(),
        alerts: watchers.board(),
        reload: asked_to_reload(reloader, runtime),
        enforce: watched::enforcing(reloader, runtime),
    })
}

fn asked_to_reload(reloader: &Arc<Reloader>, runtime: &Runtime) -> admin::Reload {
    let (reloader, handle) = (reloader.clone(), runtime.handle().clone());
    Box::new(move || handle.block_on(reloader.reload("POST /api/reload")).map_err(|refusal| refusal.faults))
}
