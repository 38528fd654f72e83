//! What the book of bans wants in the sets.

use super::want::Want;
use super::writer::{LiveRules, Source};
use crate::ban::file::Anchor;
use crate::ban::{Network, Record, Step, Who};
use crate::base::clock;
use crate::config::settings::WafStep;
use crate::control::bans::Keeper;
use crate::verdict::Policy;
use arc_swap::ArcSwap;
use ipnet::IpNet;
use std::sync::Arc;

/// The book, and the config that says what of it is handed on.
pub struct Bans {
    /// The book.
    pub keeper: Arc<Keeper>,
    /// The config in force.
    pub policy: Arc<ArcSwap<Policy>>,
}

impl Source for Bans {
    fn wants(&self, unix_ms: u64) -> Vec<Want> {
        let now = clock::now();
        let (from, anchor) = (self.policy.load().settings.waf.from_step, Anchor { now, unix_ms });
        let mut wants = Vec::new();
        self.keeper.each_in_force(now, |record| wants.push(want(record, from, &anchor)));
        for want in wants.iter_mut().filter(|want| want.operator && want.kept_back.is_none()) {
            // weir lets those on the list pass whatever is banned around them; AWS WAF would not.
            let exempt = self.keeper.exempts(Network::of_net(want.network), now);
            want.kept_back = exempt.then_some("somebody in it is on lists.allow, or is a proxy or the origin");
        }
        wants
    }

    fn may_cover(&self, network: &IpNet) -> bool {
        self.keeper.may_cover(Network::of_net(*network), clock::now())
    }

    fn rules(&self) -> LiveRules {
        let policy = self.policy.load();
        let settings = &policy.settings;
        LiveRules {
            grace: settings.waf.grace,
            leftovers_after: settings.waf.leftovers_after,
            rollup_members: settings.ban.rollup_members,
            ipv6_prefix: settings.client.ipv6_prefix,
        }
    }
}

/// What `record` comes to.
fn want(record: &Record, from: WafStep, anchor: &Anchor) -> Want {
    let operator = record.who == Who::Operator;
    let least = match from {
        WafStep::Refuse => Step::REFUSE,
        WafStep::Close => Step::CLOSE,
        WafStep::Ban => Step::FIRST_BAN,
    };
    // A network banned for its members stands for timed bans.
    let low = record.who == Who::Ladder && record.step < least;
    Want {
        network: record.network.net(),
        until: anchor.unix_ms(record.until),
        harm: record.hits(),
        since: anchor.unix_ms(record.since),
        operator,
        kept_back: low.then_some("its step of the ladder is below waf.from_step"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;
    use std::time::Duration;

    #[test]
    fn the_step_decides_and_an_operator_needs_none() {
        let anchor = Anchor { now: Time::from_nanos(9_000_000_000), unix_ms: 1_000_000 };
        let network = Network::of_net("192.0.2.7/32".parse().unwrap());
        let at = |step, who, from| {
            let since = anchor.now - Duration::from_secs(1);
            let record = Record::new(network, step, who, since, anchor.now + Duration::from_secs(2)).with_hits(3);
            want(&record, from, &anchor)
        };
        let first = at(Step::REFUSE, Who::Ladder, WafStep::Refuse);
        assert_eq!((first.since, first.until, first.harm, first.kept_back), (999_000, 1_002_000, 3, None));
        assert!(at(Step::REFUSE, Who::Ladder, WafStep::Close).kept_back.is_some());
        assert!(at(Step::CLOSE, Who::Ladder, WafStep::Ban).kept_back.is_some());
        for (step, who) in [(Step::FIRST_BAN, Who::Ladder), (Step::REFUSE, Who::Members), (Step::REFUSE, Who::Operator)]
        {
            assert_eq!(at(step, who, WafStep::Ban).kept_back, None);
        }
    }
}
