//! What this weir has to do with others: its bans, its fleet, AWS WAF, GuardDuty and Aviatrix.

use super::fleet::{self, Joined};
use super::outlets::Told;
use crate::base::clock;
use crate::config::settings::Settings;
use crate::control::aviatrix::{self, Desk, Seen};
use crate::control::bans::{self, Keeper, Rounds};
use crate::control::guardduty::Tally;
use crate::control::identity::Identity;
use crate::proxy::Edge;
use crate::sink::{smartgroup, waf};
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
    pub(super) aviatrix: Option<Arc<Desk>>,
    pub(super) smartgroup: Option<Arc<smartgroup::Tally>>,
}

impl Others {
    /// Starts the keeper of bans and all that the config joins it with. Waits for nothing.
    pub(super) fn meet(
        runtime: &Runtime,
        edge: &Edge,
        settings: &Settings,
        identity: Identity,
        told: &Told,
        stop: &watch::Sender<bool>,
    ) -> anyhow::Result<Self> {
        let keeper = Arc::new(Keeper::open(bans::Parts {
            policy: edge.policy.clone(),
            state: edge.state.clone(),
            pool: edge.pool.clone(),
            file: settings.ban.file.clone(),
            news: told.news.clone(),
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
        let aviatrix = told.seen.clone();
        let aviatrix = aviatrix.map(|seen| hear_gateways(runtime, edge, settings, &keeper, seen, stop)).transpose()?;
        let smartgroup = keep_group(runtime, edge, settings, &keeper, fleet.as_ref(), stop)?;
        Ok(Self { keeper, rounds, fleet, waf, findings, aviatrix, smartgroup })
    }
}

/// Starts to hear Aviatrix gateways.
fn hear_gateways(
    runtime: &Runtime,
    edge: &Edge,
    settings: &Settings,
    keeper: &Arc<Keeper>,
    seen: Arc<Seen>,
    stop: &watch::Sender<bool>,
) -> anyhow::Result<Arc<Desk>> {
    let ears = aviatrix::bind(&settings.aviatrix.listen).map_err(anyhow::Error::msg)?;
    let (policy, keeper, listen) = (edge.policy.clone(), keeper.clone(), ears.addresses.clone());
    let desk = Arc::new(Desk::new(aviatrix::Parts { policy, keeper, seen, listen }));
    ears.listen(runtime.handle(), &desk, &stop.subscribe())?;
    Ok(desk)
}

/// Starts to keep the SmartGroup of offenders, where that is asked for. It may be cut off at any moment.
fn keep_group(
    runtime: &Runtime,
    edge: &Edge,
    settings: &Settings,
    keeper: &Arc<Keeper>,
    fleet: Option<&Joined>,
    stop: &watch::Sender<bool>,
) -> anyhow::Result<Option<Arc<smartgroup::Tally>>> {
    if !settings.aviatrix.smartgroup.enabled {
        return Ok(None);
    }
    let bans = waf::bans::Bans { keeper: keeper.clone(), policy: edge.policy.clone() };
    let fleet = fleet.map(|joined| joined.fleet.clone());
    let leads = move || fleet.as_ref().is_none_or(|fleet| fleet.lease().is_held(clock::now()));
    let group = &settings.aviatrix.smartgroup;
    let parts = smartgroup::Parts {
        group: group.clone(),
        source: Box::new(smartgroup::Offenders(bans)),
        leads: Box::new(leads),
        patience: smartgroup::PATIENCE,
    };
    let keeper = smartgroup::GroupKeeper::new(parts).map_err(|e| anyhow::anyhow!("aviatrix.smartgroup: {e}"))?;
    let tally = keeper.tally();
    runtime.spawn(keeper.run(stop.subscribe()));
    Ok(Some(tally))
}
