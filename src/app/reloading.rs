//! What a reload does outside of the control plane.

use super::demo_origin::DemoOrigin;
use super::files::Files;
use crate::access::asn::AsnDatabase;
use crate::config::settings::{Settings, Tls};
use crate::control::reload::{self, Commit, Fresh, Prepare, Reloader};
use crate::control::source::Source;
use crate::event::news::NewsQueue;
use crate::proxy::{CertificateStore, Edge};
use crate::sink::outlet::Outlet;
use arc_swap::{ArcSwap, ArcSwapOption};
use std::sync::Arc;

/// The parts that a reload reaches, beside those of the reloader.
pub(super) struct Reach {
    pub(super) edge: Arc<Edge>,
    pub(super) certificates: Option<Arc<CertificateStore>>,
    pub(super) demo: DemoOrigin,
    pub(super) outlets: Vec<Arc<dyn Outlet>>,
    pub(super) news: Arc<NewsQueue>,
    pub(super) warning: Arc<ArcSwap<Option<String>>>,
    pub(super) asn: Arc<ArcSwapOption<AsnDatabase>>,
}

/// What reads the config again.
pub(super) fn reloader(source: &Source, fresh: Fresh, settings: &Arc<Settings>, reach: Reach) -> Reloader {
    let (edge, news) = (reach.edge.clone(), reach.news.clone());
    Reloader {
        source: source.clone(),
        policy: edge.policy.clone(),
        state: edge.state.clone(),
        pool: edge.pool.clone(),
        log_gate: edge.log_gate.clone(),
        status: Arc::new(ArcSwap::from_pointee(reload::status_of(source, &fresh.hash))),
        notes: Arc::new(ArcSwap::from_pointee(fresh.loaded.notes.iter().map(ToString::to_string).collect())),
        started_with: settings.clone(),
        prepare: prepare(Arc::new(reach)),
        seen: ArcSwap::from_pointee(fresh.sight),
        news,
        turn: tokio::sync::Mutex::new(()),
    }
}

/// Checks all that can fail; what it gives back can't.
fn prepare(reach: Arc<Reach>) -> Prepare {
    Box::new(move |settings| {
        let files = Files::read(settings)?;
        reach.demo.join(&settings.origin, &reach.edge.pool).map_err(|e| vec![format!("origin.addresses: {e:#}")])?;
        let (reach, tls, settings) = (reach.clone(), settings.listen.tls.clone(), settings.clone());
        Ok(Box::new(move || {
            reach.edge.replies.store(Arc::new(files.replies));
            reach.warning.store(Arc::new(None));
            reach.asn.store(files.asn);
            reach.outlets.iter().for_each(|outlet| outlet.reload(&settings));
            if let (Some(store), Some(Tls { certificate, key, .. })) = (&reach.certificates, tls) {
                match store.reload(&certificate, &key) {
                    Ok(true) => tracing::info!("listen.tls: the certificate changed"),
                    Ok(false) => {}
                    Err(e) => tracing::error!("listen.tls: the old certificate stays: {e}"),
                }
            }
        }) as Commit)
    })
}
