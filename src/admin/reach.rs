//! How far a ban has got: this weir, its fleet, AWS WAF.

use crate::ban::Network;
use crate::base::clock;
use crate::control::bans::{BanView, FleetReach, ReachView};
use crate::sink::fleet::Fleet;
use crate::sink::waf::{self, Handle};
use ipnet::IpNet;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle as Runtime;

/// For the fleet to hear of it.
const FLEET: Duration = Duration::from_secs(2);
/// For AWS to take it, that included.
const WAF: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// Who can be asked.
pub struct Reachable {
    /// The fleet, where there is one.
    pub fleet: Option<Arc<Fleet>>,
    /// The loop to AWS WAF, where there is one.
    pub waf: Option<Handle>,
    /// Where to wait for them.
    pub runtime: Runtime,
}

impl Reachable {
    /// Says of a ban that was just made, or lifted, how far it got within a few seconds. Blocks.
    pub(super) fn follow(&self, ban: &mut BanView) {
        let Some(net) = parse(&ban.network) else { return };
        let begun = clock::now();
        let fleet = self.fleet.as_ref().map(|fleet| {
            let reach = self.runtime.block_on(fleet.reach(Network::of_net(net), FLEET));
            reach.map_or(FleetReach::default(), |r| FleetReach { heard: r.heard, tasks: r.tasks })
        });
        let waf = self.waf.as_ref().map(|waf| {
            loop {
                let reach = self.in_waf(waf, &net);
                let holds = ban.left_s > 0.0;
                let on_its_way = match &reach {
                    waf::Reach::Pending { .. } | waf::Reach::Leaving { .. } => true,
                    waf::Reach::Elsewhere => holds,
                    waf::Reach::Handed { .. } => !holds,
                    // The loop has not heard of it yet.
                    waf::Reach::Unknown => holds && clock::now().since(begun) < FLEET,
                    _ => false,
                };
                if !on_its_way || clock::now().since(begun) >= WAF {
                    break reach;
                }
                std::thread::sleep(LOOK);
            }
        });
        ban.reach = (fleet.is_some() || waf.is_some()).then_some(ReachView { fleet, waf });
    }

    /// Says of bans how far they are now. Waits for one answer of the store at most.
    pub(super) fn look(&self, bans: &mut [BanView]) {
        let Some(waf) = &self.waf else { return };
        for ban in bans.iter_mut().filter(|ban| ban.left_s > 0.0) {
            let reach = parse(&ban.network).map(|net| self.in_waf(waf, &net));
            ban.reach = reach.map(|waf| ReachView { fleet: None, waf: Some(waf) });
        }
    }

    /// Says of bans how far they are now, as far as this weir knows by itself. Waits for nothing.
    pub(super) fn glance(&self, bans: &mut [BanView]) {
        let Some(waf) = &self.waf else { return };
        for ban in bans {
            let reach = parse(&ban.network).map(|net| waf.reach(&net));
            ban.reach = reach.map(|waf| ReachView { fleet: None, waf: Some(waf) });
        }
    }

    /// What this weir's loop says or, where another one's writes, what that one wrote down.
    fn in_waf(&self, waf: &Handle, net: &IpNet) -> waf::Reach {
        let reach = waf.reach(net);
        let (waf::Reach::Elsewhere, Some(fleet)) = (&reach, &self.fleet) else { return reach };
        let sets = waf.sets();
        let names: Vec<String> = sets.iter().map(|set| waf::record::name(set, net)).collect();
        let found = self.runtime.block_on(fleet.records_of(&names)).unwrap_or_default();
        match found.iter().position(Option::is_some) {
            Some(at) => waf::Reach::Handed { set: sets[at].clone() },
            None => reach,
        }
    }
}

fn parse(network: &str) -> Option<IpNet> {
    network.parse().ok().or_else(|| network.parse().ok().map(|address: std::net::IpAddr| address.into()))
}
