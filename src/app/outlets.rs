//! Every sink of the ingress log: started by the config, stopped together.

use crate::base::clock;
use crate::config::settings::Settings;
use crate::control::aviatrix::Seen;
use crate::control::identity::Identity;
use crate::event::news::{News, NewsQueue, StateNews};
use crate::proxy::Edge;
use crate::sink::access_log::AccessLog;
use crate::sink::netflow::{NetFlow, Selected, export::Selection};
use crate::sink::outlet::Outlet;
use crate::sink::syslog::Syslog;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Who is told what happens, and by which way.
pub(super) struct Told {
    pub(super) all: Vec<Arc<dyn Outlet>>,
    pub(super) log: Arc<AccessLog>,
    /// What Aviatrix gateways' reports are joined with, where they are heard.
    pub(super) seen: Option<Arc<Seen>>,
    pub(super) news: Arc<NewsQueue>,
}

/// Starts those that the config asks for.
pub(super) fn start(runtime: &Runtime, settings: &Settings, identity: &Identity, edge: &Edge) -> anyhow::Result<Told> {
    let _inside = runtime.enter();
    let log = Arc::new(AccessLog::start(&settings.log)?);
    let mut all: Vec<Arc<dyn Outlet>> = vec![log.clone()];
    #[cfg(feature = "aws")]
    if settings.log.cloudwatch.enabled {
        all.push(Arc::new(crate::sink::cloudwatch_logs::CloudWatchLogs::start(settings, &identity.task)));
    }
    if settings.syslog.enabled {
        let syslog = Syslog::start(settings, &identity.task).map_err(|e| anyhow::anyhow!("syslog: {e}"))?;
        all.push(Arc::new(syslog));
    }
    if settings.netflow.enabled {
        all.push(Arc::new(NetFlow::start(&settings.netflow, selected(edge))?));
    }
    let seen = (!settings.aviatrix.listen.is_empty()).then(Arc::<Seen>::default);
    all.extend(seen.iter().map(|seen| seen.clone() as Arc<dyn Outlet>));
    Ok(Told { all, log, seen, news: Arc::default() })
}

/// What part of all requests has records.
fn selected(edge: &Edge) -> Selected {
    let (policy, gate, events) = (edge.policy.clone(), edge.log_gate.clone(), edge.events.clone());
    Box::new(move || Selection {
        forwarded: policy.load().settings.log.forwarded_sample,
        without: gate.suppressed() + events.dropped(),
    })
}

/// Ends all at once: each sends what is left, and none waits for another.
pub(super) fn stop(outlets: &[Arc<dyn Outlet>], within: Duration) {
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

impl Told {
    /// Tells where weir is in its life.
    pub(super) fn tell_phase(&self, from: &str, to: &str) {
        self.news.send(News::State(StateNews::new("weir", from, to, clock::now())));
    }
}
