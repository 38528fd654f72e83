//! Who shall be in the group: those banned now, the worst first.

use super::keeper::Source;
use crate::ban::Network;
use crate::base::clock;
use crate::control::aviatrix::is_local;
use crate::sink::waf::bans::Bans;
use crate::sink::waf::want::Want;
use crate::sink::waf::{self};
use ipnet::IpNet;
use std::cmp::Reverse;
use std::time::Duration;

/// The bans, as AWS WAF is handed them.
pub struct Offenders(pub Bans);

impl Source for Offenders {
    fn wants(&self) -> Vec<IpNet> {
        let now = clock::now();
        let unix_ms = clock::unix_nanos(now) / 1_000_000;
        let most = usize::from(self.0.policy.load().settings.aviatrix.smartgroup.most);
        let exempt = |net: &IpNet| self.0.keeper.exempts(Network::of_net(*net), now);
        worst(waf::Source::wants(&self.0, unix_ms), most, unix_ms, exempt)
    }

    fn interval(&self) -> Duration {
        self.0.policy.load().settings.aviatrix.smartgroup.interval
    }
}

/// The `most` worst: operators' first, then by harm over age. Nobody exempt, nothing private, nothing twice.
fn worst(mut wants: Vec<Want>, most: usize, now: u64, exempt: impl Fn(&IpNet) -> bool) -> Vec<IpNet> {
    wants.retain(|want| want.unfit().is_none() && !is_private(&want.network));
    wants.sort_by_cached_key(|want| {
        let minutes = now.saturating_sub(want.since) / 60_000;
        let weight = u128::from(want.harm.saturating_add(1)) * 1_000_000 / u128::from(minutes.saturating_add(10));
        (Reverse(want.operator), Reverse(weight), Reverse(want.since), want.network)
    });
    // Wide ones are few; what lies in one of them need not be said.
    let wide: Vec<IpNet> =
        wants.iter().map(|want| want.network).filter(|n| n.prefix_len() < n.max_prefix_len()).collect();
    let covered = |net: &IpNet| wide.iter().any(|wide| wide != net && wide.contains(net));
    wants.into_iter().map(|want| want.network).filter(|net| !covered(net) && !exempt(net)).take(most).collect()
}

/// Whether an address inside the fabric is in it.
fn is_private(net: &IpNet) -> bool {
    let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7"];
    let holds = |private: &str| private.parse::<IpNet>().is_ok_and(|private| net.contains(&private));
    is_local(net.addr()) || is_local(net.broadcast()) || private.into_iter().any(holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want(network: &str, harm: u64, since: u64) -> Want {
        let network = network.parse().unwrap();
        Want { network, until: u64::MAX, harm, since, operator: false, kept_back: None }
    }

    #[test]
    fn the_worst_come_first_and_nobody_who_must_not_be_there() {
        let mut wants = vec![
            want("198.51.100.1/32", 10, 0),
            want("198.51.100.2/32", 1_000, 0),
            want("198.51.100.3/32", 0, 0),
            want("203.0.113.0/24", 5, 0),
            want("203.0.113.7/32", 9_999, 0),
            want("10.1.2.3/32", 9_999, 0),
            want(&format!("{}/8", std::net::Ipv4Addr::new(172, 0, 0, 0)), 9_999, 0),
            want("100.64.0.9/32", 9_999, 0),
            want("198.51.100.9/32", 9_999, 0),
            want("2001:db8::/64", 7, 0),
        ];
        wants[2].operator = true;
        wants.push(Want { kept_back: Some("why"), ..want("198.51.100.4/32", 9_999, 0) });
        let exempt = |net: &IpNet| net.to_string() == "198.51.100.9/32";
        let worst = |most| worst(wants.clone(), most, 600_000, exempt).iter().map(IpNet::to_string).collect::<Vec<_>>();
        assert_eq!(
            worst(9),
            ["198.51.100.3/32", "198.51.100.2/32", "198.51.100.1/32", "2001:db8::/64", "203.0.113.0/24"]
        );
        assert_eq!(worst(2), ["198.51.100.3/32", "198.51.100.2/32"]);
    }
}
