//! What every scenario has to reach: limits that must hold, and limits to stretch for.

use super::Score;

/// A figure that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Seconds until the attack is declared.
    Detect,
    /// Share of the attack that is served.
    Leak,
    /// Served requests of one source beyond what its limit of 10 a second and 100 at once allows.
    Excess,
    /// Share refused of known clients.
    Known,
    /// Share refused of all but the attackers.
    All,
    /// Attacks declared without reason.
    FalseAttacks,
    /// Times that the normal state was left without reason.
    Alarms,
    /// Share of clients served whole.
    Whole,
    /// The most that reaches the origin in a second, of its capacity.
    Peak,
    /// Share refused after the end.
    After,
    /// Seconds until the state is normal again.
    Recovery,
}

impl Measure {
    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Detect => "detected after s",
            Self::Leak => "leak %",
            Self::Excess => "served beyond the limit",
            Self::Known => "known refused %",
            Self::All => "all refused %",
            Self::FalseAttacks => "false attacks",
            Self::Alarms => "false alarms",
            Self::Whole => "served whole %",
            Self::Peak => "peak / capacity",
            Self::After => "refused after %",
            Self::Recovery => "recovery s",
        }
    }

    /// Whether more is better.
    pub const fn wants_more(self) -> bool {
        matches!(self, Self::Whole)
    }

    /// The figure in `score`; infinite where the attack was never declared.
    pub fn of(self, score: &Score) -> f64 {
        match self {
            Self::Detect => score.detect.unwrap_or(f64::INFINITY),
            Self::Leak => score.leak,
            Self::Excess => (score.leaked as f64 - (100.0 + 10.0 * score.length)).max(0.0),
            Self::Known => score.known,
            Self::All => score.all,
            Self::FalseAttacks => f64::from(score.false_attacks),
            Self::Alarms => f64::from(score.alarms),
            Self::Whole => score.whole,
            Self::Peak => score.peak,
            Self::After => score.after,
            Self::Recovery => score.recovery,
        }
    }
}

/// One limit of a scenario.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// Of what.
    pub measure: Measure,
    /// What must be reached.
    pub must: f64,
    /// What would be better still.
    pub stretch: f64,
}

/// How far a goal is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Not.
    Missed,
    /// As it must be.
    Met,
    /// As far as one could wish.
    Stretch,
}

impl Goal {
    const fn new(measure: Measure, must: f64, stretch: f64) -> Self {
        Self { measure, must, stretch }
    }

    /// How far `value` reaches it.
    pub fn standing(&self, value: f64) -> Standing {
        let reaches = |limit: f64| if self.measure.wants_more() { value >= limit } else { value <= limit };
        match (reaches(self.stretch), reaches(self.must)) {
            (true, true) => Standing::Stretch,
            (_, true) => Standing::Met,
            (_, false) => Standing::Missed,
        }
    }
}

/// The figures that every scenario has a goal for.
pub const EVERYWHERE: [Measure; 3] = [Measure::Peak, Measure::After, Measure::Recovery];

/// What `scenario` has to reach: its own goals, then those of every scenario.
pub fn goals(scenario: &str) -> Vec<Goal> {
    use Measure::{After, Alarms, All, Detect, Excess, FalseAttacks, Known, Leak, Peak, Recovery, Whole};
    let own: &[(Measure, f64, f64)] = match scenario {
        "one-source-50" | "one-source-500" | "one-source-2000" | "one-source-5000" => {
            &[(Excess, 0.0, 0.0), (All, 0.05, 0.0)]
        }
        "botnet" | "hosting" | "pre-warmed" | "pulse" | "ipv6-botnet" => {
            &[(Detect, 1.0, 0.5), (Leak, 1.0, 0.3), (Known, 0.1, 0.0), (All, 0.5, 0.15)]
        }
        "botnet-large" => &[(Detect, 1.0, 0.3), (Leak, 0.5, 0.1), (All, 0.3, 0.05)],
        "low-and-slow" => &[(Detect, 2.0, 1.0), (Leak, 1.0, 0.3), (All, 0.5, 0.15)],
        "ramp" => &[(Detect, 1.5, 0.5), (All, 0.3, 0.3)],
        "login" | "search" => &[(Detect, 1.5, 0.7), (Leak, 2.0, 0.5), (All, 1.0, 0.4)],
        "quiet" | "crowd-3" | "crowd-6" | "crowd-6-far" | "match-day" | "crawler-burst" => {
            &[(FalseAttacks, 0.0, 0.0), (All, 0.01, 0.0)]
        }
        "crowd-12-far" => &[(FalseAttacks, 0.0, 0.0), (Known, 0.0, 0.0), (All, 1.0, 0.05)],
        "hot-page" => &[(FalseAttacks, 0.0, 0.0), (Known, 0.1, 0.1), (Whole, 8.0, 15.0)],
        "solver-20" => &[(Leak, 6.0, 4.0), (Known, 0.1, 0.0), (All, 3.0, 1.0)],
        "mimic" => &[(Detect, 2.0, 1.5), (Leak, 4.0, 2.0), (All, 5.0, 1.0)],
        "patient-2h" | "patient-3d" | "slow-poison" => &[(Known, 0.5, 0.1), (All, 0.5, 0.2)],
        "crowd-botnet" => &[(Known, 0.2, 0.0), (All, 1.5, 0.5)],
        "hot-crowd-low-slow" => &[(Known, 0.2, 0.0)],
        "challenge-off" => &[(Leak, 2.0, 1.0), (Known, 0.1, 0.0), (All, 32.0, 25.0)],
        "office" | "cgnat" | "ipv6-48" => &[(FalseAttacks, 0.0, 0.0), (All, 0.1, 0.0)],
        "day" => &[(FalseAttacks, 0.0, 0.0), (Alarms, 3.0, 0.0)],
        _ => &[],
    };
    let everywhere = [(Peak, 1.05, 1.05), (After, 0.5, 0.5), (Recovery, 90.0, 90.0)];
    own.iter().chain(&everywhere).map(|&(measure, must, stretch)| Goal::new(measure, must, stretch)).collect()
}
