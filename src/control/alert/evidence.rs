//! What a message brings along, so that whoever is woken knows what goes on before they look.

use crate::base::clock::Time;
use crate::control::flood::FloodReport;
use crate::control::status::Status;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// Over what time rates are taken.
const OVER: Duration = Duration::from_secs(10);
/// How many of a list are told.
const TOP: usize = 5;

/// The figures of the moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The flood's state: `normal`, `elevated`, `attack` or `overload`.
    pub state: String,
    /// Why it is so.
    pub why: String,
    /// Requests offered in the last second.
    pub offered: f64,
    /// What the origin can bear in a second.
    pub capacity: f64,
    /// What is usual in a second.
    pub usual: f64,
    /// Passed on a second, over the last ten.
    pub forwarded: f64,
    /// Refused a second, over the last ten.
    pub refused: f64,
    /// Requests in flight.
    pub in_flight: u64,
    /// The most frequent reasons of refusals and faults, a second, over the last ten.
    pub reasons: Vec<ReasonRate>,
    /// Networks that send most.
    pub networks: Vec<NetworkRate>,
    /// Bans that hold.
    pub bans: u64,
    /// Endpoints of the origin that are up, and all.
    pub origin: (u64, u64),
    /// AWS WAF, where it is written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waf: Option<String>,
    /// The fleet, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<String>,
    /// Faults of the reload that was refused last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config_faults: Vec<String>,
}

/// How often for one reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReasonRate {
    /// The reason's code.
    pub reason: String,
    /// The reason in words.
    pub text: String,
    /// A second.
    pub rate: f64,
}

/// How much of one network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkRate {
    /// The /24, of IPv6 the /56.
    pub network: String,
    /// Requests a second.
    pub rate: f64,
    /// Its owner, where a database says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
}

/// The counts of the last seconds.
#[derive(Debug, Default)]
pub struct Rates {
    /// When, and requests by reason in the order of the status.
    seen: VecDeque<(Time, Vec<u64>)>,
}

impl Rates {
    /// Takes in a status.
    pub fn add(&mut self, status: &Status, now: Time) {
        self.seen.push_back((now, status.requests.iter().map(|r| r.count).collect()));
        while self.seen.get(1).is_some_and(|(at, _)| now.since(*at) >= OVER) {
            self.seen.pop_front();
        }
    }

    /// By reason, in the order of the status.
    fn rates(&self) -> Vec<f64> {
        let (Some((from, first)), Some((to, last))) = (self.seen.front(), self.seen.back()) else { return vec![] };
        let over = to.since(*from).as_secs_f64().max(1.0);
        last.iter().zip(first).map(|(l, f)| l.saturating_sub(*f) as f64 / over).collect()
    }

    /// What goes on.
    pub fn evidence(&self, status: &Status, report: &FloodReport) -> Evidence {
        let rates = self.rates();
        let with = |class: &'static [&'static str]| {
            let all = status.requests.iter().zip(&rates);
            all.filter(move |(r, rate)| class.contains(&r.class.as_ref()) && **rate > 0.0)
        };
        let total = |class| with(class).map(|(_, rate)| rate).sum::<f64>();
        let mut reasons: Vec<_> = with(&["refuse", "fault"])
            .map(|(r, rate)| ReasonRate { reason: r.reason.to_string(), text: r.text.to_string(), rate: *rate })
            .collect();
        reasons.sort_by(|a, b| b.rate.total_cmp(&a.rate));
        reasons.truncate(TOP);
        let network = |view: &crate::control::flood::OffenderView| NetworkRate {
            network: view.who.clone(),
            rate: view.rate,
            owner: view.owner.clone(),
        };
        let endpoints = &status.origin.endpoints;
        let up = endpoints.iter().filter(|e| e.healthy && e.ejected_for.is_none()).count();
        Evidence {
            state: status.flood.state.to_string(),
            why: status.flood.why.to_string(),
            offered: status.flood.offered,
            capacity: status.flood.capacity,
            usual: status.flood.usual,
            forwarded: total(&["forward"]),
            refused: total(&["refuse"]),
            in_flight: status.in_flight,
            reasons,
            networks: report.by_net24.iter().take(TOP).map(network).collect(),
            bans: status.bans.active,
            origin: (up as u64, endpoints.len() as u64),
            waf: status.waf.as_ref().map(waf),
            fleet: status.fleet.as_ref().map(fleet),
            config_faults: status.config.refused.iter().flat_map(faults).collect(),
        }
    }
}

fn waf(waf: &crate::sink::waf::WafStatus) -> String {
    if !waf.writer {
        return "another task writes".into();
    }
    let troubles: Vec<_> =
        waf.sets.iter().filter_map(|s| Some(format!("{}: {}", s.name, s.trouble.as_ref()?))).collect();
    let oldest = waf.sets.iter().filter_map(|s| s.age_s).fold(0.0, f64::max);
    let mut text = format!("checked {oldest:.0} s ago, {} bans on their way", waf.pending);
    troubles.iter().for_each(|trouble| text += &format!("; {trouble}"));
    text
}

fn fleet(fleet: &crate::sink::fleet::FleetStatus) -> String {
    if fleet.connected {
        format!("{}: {} tasks, {} in attack", fleet.name, fleet.tasks, fleet.in_attack)
    } else {
        format!("{}: alone for {:.0} s: {}", fleet.name, fleet.since_s, fleet.fault)
    }
}

fn faults(refusal: &crate::control::status::Refusal) -> Vec<String> {
    refusal.faults.iter().take(TOP).map(|f| f.message.clone()).collect()
}

impl Evidence {
    /// A few lines for people.
    pub fn lines(&self) -> Vec<String> {
        let Self { state, why, offered, capacity, usual, forwarded, refused, in_flight, bans, origin, .. } = self;
        let mut lines = vec![
            format!("State: {state} ({why})."),
            format!(
                "Offered {offered:.0}/s of {capacity:.0}/s, usual {usual:.0}/s; forwarded {forwarded:.0}/s, refused \
                 {refused:.0}/s; {in_flight} in flight; {bans} bans; {} of {} origin endpoints up.",
                origin.0, origin.1
            ),
        ];
        if !self.reasons.is_empty() {
            let all: Vec<_> = self.reasons.iter().map(|r| format!("{} {:.1}/s", r.reason, r.rate)).collect();
            lines.push(format!("Refused and failed for: {}.", all.join(", ")));
        }
        if !self.networks.is_empty() {
            let one = |n: &NetworkRate| match n.owner.as_str() {
                "" => format!("{} {:.0}/s", n.network, n.rate),
                owner => format!("{} ({owner}) {:.0}/s", n.network, n.rate),
            };
            lines
                .push(format!("Most requests from: {}.", self.networks.iter().map(one).collect::<Vec<_>>().join(", ")));
        }
        lines.extend(self.waf.iter().map(|waf| format!("AWS WAF: {waf}.")));
        lines.extend(self.fleet.iter().map(|fleet| format!("Fleet {fleet}.")));
        lines.extend(self.config_faults.iter().map(|fault| format!("Config: {fault}")));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::status::fixture;

    #[test]
    fn rates_are_of_the_last_ten_seconds() {
        let (mut rates, mut status) = (Rates::default(), fixture());
        for second in 0..30u64 {
            status.requests[0].count = 1_000 + second * 50;
            status.requests[1].count = 9 + second * 7;
            rates.add(&status, Time::from_nanos(second * 1_000_000_000));
        }
        let evidence = rates.evidence(&status, &crate::control::flood::fixture());
        assert_eq!((evidence.forwarded, evidence.refused), (50.0, 7.0));
        assert_eq!((evidence.reasons[0].reason.as_str(), evidence.reasons[0].rate), ("limit", 7.0));
        assert!(!evidence.networks.is_empty() && evidence.networks.len() <= TOP);
        let text = evidence.lines().join("\n");
        for part in [
            "State: attack",
            "forwarded 50/s, refused 7/s",
            "limit 7.0/s",
            "AWS WAF: checked",
            "Fleet production: 8 tasks",
        ] {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        let rates = Rates::default();
        let evidence = rates.evidence(&fixture(), &FloodReport::default());
        assert_eq!((evidence.forwarded, evidence.reasons.len(), evidence.networks.len()), (0.0, 0, 0));
    }
}
