//! Who may not be banned, and who is known.

use crate::ban::{Network, Regard, Standing};
use crate::base::clock::Time;
use crate::client::key::ClientKey;
use crate::origin::Pool;
use crate::verdict::offence::regard;
use crate::verdict::{Policy, State};
use ipnet::IpNet;
use std::net::IpAddr;

/// Networks that mean this machine or its link: where health checkers and agents are.
const OWN: [&str; 5] = ["127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/8", "::/127", "fe80::/10"];

/// The widest networks that can be banned.
const WIDEST: (u8, u8) = (8, 16);

/// What the config, the origin and the history say at one moment.
pub(super) struct World<'a> {
    pub(super) policy: &'a Policy,
    pub(super) state: &'a State,
    pub(super) origin: Vec<IpAddr>,
    pub(super) now: Time,
}

impl<'a> World<'a> {
    pub(super) fn new(policy: &'a Policy, state: &'a State, pool: &Pool, now: Time) -> Self {
        Self { policy, state, origin: pool.endpoints().iter().map(|e| e.addr.ip()).collect(), now }
    }

    /// Why not even an operator bans `network`.
    pub(super) fn protected(&self, network: Network) -> Option<String> {
        let own = OWN.iter().filter_map(|net| net.parse().ok());
        let proxies = self.policy.settings.client.trusted_proxies.iter().copied();
        let origin = self.origin.iter().map(|address| IpNet::from(*address));
        meets(network, proxies, "client.trusted_proxies")
            .or_else(|| meets(network, origin, "the origin's addresses"))
            .or_else(|| meets(network, own, "this machine's own networks"))
    }

    /// Why a ban of `network` by an operator would be a mistake.
    pub(super) fn refuses_operator(&self, network: Network) -> Option<String> {
        let (widest, family) = if network.is_ipv4() { (WIDEST.0, "IPv4") } else { (WIDEST.1, "IPv6") };
        if network.length() < widest {
            return Some(format!(
                "{network} is too wide; the widest network of {family} that can be banned is a /{widest}"
            ));
        }
        let allowed = self.policy.allow.find(network.first().address()).filter(|n| Network::of_net(*n).covers(network));
        let allowed = allowed.map(|n| format!("{network} is on the allow list by {n}, which comes first"));
        allowed.or_else(|| self.protected(network))
    }
}

impl Standing for World<'_> {
    fn exempt(&self, network: Network) -> Option<String> {
        let allowed = self.policy.allow.intersects(network.net()).then(|| format!("{network} meets lists.allow"));
        allowed.or_else(|| self.protected(network))
    }

    fn of(&self, client: ClientKey) -> Regard {
        regard(self.state, client, self.now)
    }
}

/// Which of `nets`, of the name `whose`, meets `network`, in words.
fn meets(network: Network, nets: impl Iterator<Item = IpNet>, whose: &str) -> Option<String> {
    let mut nets = nets.map(Network::of_net);
    let met = nets.find(|net| net.covers(network) || network.covers(*net))?;
    Some(match met == network {
        true => format!("{network} is in {whose}"),
        false if met.covers(network) => format!("{network} is in {whose} ({met})"),
        false => format!("{network} holds {met}, which is in {whose}"),
    })
}
