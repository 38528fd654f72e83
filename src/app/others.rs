//! What this weir has to do with others: its bans, its fleet, AWS WAF and GuardDuty.

use super::fleet::{self, Joined};
use crate::config::settings::Settings;
use crate::control::bans::{self, Keeper, Rounds};
use crate::control::guardduty::Tally;
use crate::control::identity::Identity;
use crate::event::news::NewsQueue;
use crate::proxy::Edge;
use crate::sink::waf;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Who hears of bans, and who asks for them.
pub(super) struct Others {
    pub(super) keeper: Arc<Keeper>,
    pub(super) rounds: Rounds,
    pub(super) fleet: Option<Joined>,
    pub(super) waf: Option<waf::Handle>,
    pub(super) findings: Option<Arc<Tally>>,
}

impl Others {
    /// Starts the keeper of bans and all that the config joins it with. Waits for nothing.
    pub(super) fn meet(
        runtime: &Runtime,
        edge: &Edge,
        settings: &Settings,
        identity: Identity,
        news: &Arc<NewsQueue>,
        stop: &watch::Sender<bool>,
    ) -> anyhow::Result<Self> {
        let keeper = Arc::new(Keeper::open(bans::Parts {
            policy: edge.policy.clone(),
            state: edge.state.clone(),
            pool: edge.pool.clone(),
            file: settings.ban.file.clone(),
            news: news.clone(),
        }));
        let rounds = keeper.start()?;
        let fleet = fleet::join(runtime, settings, edge, &keeper, identity, stop.subscribe());
        let findings = settings.guardduty.enabled.then(Arc::<Tally>::default);
        #[cfg(not(feature = "aws"))]
        let waf = None;
        #[cfg(feature = "aws")]
        let waf = {
            use super::aws;
            if let Some(tally) = &findings {
                aws::read_findings(runtime, edge, &keeper, fleet.as_ref(), tally.clone(), stop);
            }
            settings.waf.enabled.then(|| aws::write_waf(runtime, edge, &settings.waf, &keeper, fleet.as_ref()))
        };
        Ok(Self { keeper, rounds, fleet, waf, findings })
    }
}
