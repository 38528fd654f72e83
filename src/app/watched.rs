//! What only whoever watches a running weir needs: the last hour, and an operator's hand on a limit.

use super::others::Others;
use crate::admin::Enforce;
use crate::control::reload::Reloader;
use crate::control::timeline::{self, Sampled, Timeline};
use crate::proxy::Edge;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Starts to take a sample each second.
pub(super) fn timeline(runtime: &Runtime, edge: &Edge, others: &Others, stop: &watch::Sender<bool>) -> Arc<Timeline> {
    let (timeline, keeper) = (Arc::<Timeline>::default(), others.keeper.clone());
    let sampled = Sampled {
        timeline: timeline.clone(),
        policy: edge.policy.clone(),
        state: edge.state.clone(),
        bans: Box::new(move |now| keeper.status(now).active),
    };
    runtime.spawn(timeline::run(sampled, stop.subscribe()));
    timeline
}

/// What the live page's slider moves.
pub(super) fn enforcing(reloader: &Arc<Reloader>, runtime: &Runtime) -> Enforce {
    let (reloader, handle) = (reloader.clone(), runtime.handle().clone());
    Box::new(move |limit, share| handle.block_on(reloader.enforce(limit, share)))
}
