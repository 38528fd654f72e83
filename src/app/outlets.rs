//! Every sink of the ingress log: started by the config, stopped together.

use crate::base::clock;
use crate::config::settings::Settings;
use crate::control::identity::Identity;
use crate::event::news::{News, NewsQueue, StateNews};
use crate::proxy::Edge;
use crate::sink::access_log::AccessLog;
use crate::sink::netflow::NetFlow;
use crate::sink::netflow::export::Selection;
use crate::sink::outlet::Outlet;
use crate::sink::syslog::Syslog;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// All of them.
pub(super) type Outlets = Vec<Arc<dyn Outlet>>;

/// Starts those that the config asks for, beside the log that is there.
pub(super) fn start(
    runtime: &Runtime,
    edge: &Edge,
    settings: &Settings,
    identity: &Identity,
    log: &Arc<AccessLog>,
) -> anyhow::Result<Outlets> {
    let _inside = runtime.enter();
    let mut outlets: Outlets = vec![log.clone()];
    #[cfg(feature = "aws")]
    if settings.log.cloudwatch.enabled {
        outlets.push(Arc::new(crate::sink::cloudwatch_logs::CloudWatchLogs::start(settings, &identity.task)));
    }
    if settings.syslog.enabled {
        let syslog = Syslog::start(settings, &identity.task).map_err(|e| anyhow::anyhow!("syslog: {e}"))?;
        outlets.push(Arc::new(syslog));
    }
    if settings.netflow.enabled {
        let (policy, gate, queue) = (edge.policy.clone(), edge.log_gate.clone(), edge.events.clone());
        let selected = move || Selection {
            forwarded: policy.load().settings.log.forwarded_sample,
            without: gate.suppressed() + queue.dropped(),
        };
        outlets.push(Arc::new(NetFlow::start(&settings.netflow, Box::new(selected))?));
    }
    Ok(outlets)
}

/// Ends all at once: each sends what is left, and none waits for another.
pub(super) fn stop(outlets: &Outlets, within: Duration) {
    std::thread::scope(|scope| {
        for outlet in outlets {
            scope.spawn(move || {
                if !outlet.stop(within) {
                    tracing::warn!("{}: the last records could not be sent", outlet.status().name);
                }
            });
        }
    });
}

/// Tells where weir is in its life.
pub(super) fn tell_phase(news: &NewsQueue, from: &str, to: &str) {
    news.send(News::State(StateNews::new("weir", from, to, clock::now())));
}
