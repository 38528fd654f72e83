//! Whoever watches a running weir: CloudWatch, alerts, the last hour on the live page, an operator's hand on a limit.

use super::alerts::{self, Alerts, Tellers};
use super::metrics;
use super::others::Others;
use super::outlets::Told;
use crate::admin::{Enforce, Live};
use crate::config::settings::Settings;
use crate::control::alert::Board;
use crate::control::reload::Reloader;
use crate::control::timeline::{self, Sampled, Timeline};
use crate::proxy::Edge;
use crate::sink::cloudwatch::{Handle, Sink};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// For the last metrics.
const LAST_METRICS: Duration = Duration::from_secs(1);

/// Watchers that have not begun, as what they look at is not whole yet.
pub(super) struct Prepared {
    metrics: Option<(Sink, Handle)>,
    tellers: Tellers,
}

/// Watchers at work.
pub(super) struct Watchers {
    metrics: Option<JoinHandle<()>>,
    alerts: Alerts,
}

/// Those that the config asks for.
pub(super) fn prepare(runtime: &Runtime, settings: &Settings, stop: &watch::Sender<bool>) -> anyhow::Result<Prepared> {
    let metrics = metrics::prepare(runtime, &settings.cloudwatch);
    Ok(Prepared { metrics, tellers: alerts::prepare(runtime, settings, stop)? })
}

impl Prepared {
    /// How metrics to CloudWatch go, where they go there.
    pub(super) fn cloudwatch(&self) -> Option<Handle> {
        self.metrics.as_ref().map(|(_, handle)| handle.clone())
    }

    /// How alerts stand.
    pub(super) fn board(&self) -> Arc<Board> {
        self.tellers.board.clone()
    }

    /// Starts to watch `live`.
    pub(super) fn begin(
        self,
        runtime: &Runtime,
        edge: &Edge,
        live: &Arc<Live>,
        (others, told): (&Others, &Told),
        stop: &watch::Sender<bool>,
    ) -> anyhow::Result<Watchers> {
        let metrics = self.metrics.map(|(sink, _)| metrics::send(runtime, sink, live.clone(), stop));
        let alerts = alerts::watch(runtime, self.tellers, edge, live, others, told.news.clone())?;
        Ok(Watchers { metrics, alerts })
    }
}

impl Watchers {
    /// Ends them; what is left to tell has a little time.
    pub(super) fn end(self, runtime: &Runtime) {
        if let Some(metrics) = self.metrics {
            // It tells itself what it could not send; one that hangs is cut off.
            let _ = runtime.block_on(async { tokio::time::timeout(LAST_METRICS, metrics).await });
        }
        self.alerts.end(runtime);
    }
}

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
