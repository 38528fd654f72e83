//! The states of the detector, and what a change of state rests on.

use crate::base::clock::Time;
use std::collections::VecDeque;
use std::fmt;

/// How things stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum FloodState {
    /// As usual.
    #[default]
    Normal,
    /// More than usual: clients are probed, nobody is refused for it.
    Elevated,
    /// A flood of programs: limits tighten by rank, newcomers are challenged.
    Attack,
    /// More people than the origin bears: whole clients are admitted, as many as fit.
    Overload,
}

impl FloodState {
    /// All.
    pub const ALL: [Self; 4] = [Self::Normal, Self::Elevated, Self::Attack, Self::Overload];

    /// One word for logs, metrics and verdicts.
    pub const fn name(self) -> &'static str {
        ["normal", "elevated", "attack", "overload"][self as usize]
    }
}

/// Why the state changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// More than chance explains.
    Rate,
    /// More than the origin can bear, and nothing says that it is not people.
    Load,
    /// The excess fetches no assets, and is unknown or all of one kind.
    NoAssets,
    /// The excess is logins, or other writes, of unknown clients.
    Logins,
    /// Most clients that were asked for a cookie did not bring it.
    Unsolved,
    /// Most clients that were challenged solved it: people.
    Solved,
    /// The origin answers late or not at all.
    Origin,
    /// Few requests, that cost the origin many times the usual.
    Costly,
    /// What was offered stayed low.
    Over,
    /// It has lasted too long to be anything but the new normal.
    Lasting,
    /// Most tasks of the fleet see an attack, and here it is unusual too.
    Fleet,
    /// A test or an operator said so.
    Pinned,
}

impl Cause {
    /// All.
    pub const ALL: [Self; 12] = [
        Self::Rate,
        Self::Load,
        Self::NoAssets,
        Self::Logins,
        Self::Unsolved,
        Self::Solved,
        Self::Origin,
        Self::Costly,
        Self::Over,
        Self::Lasting,
        Self::Fleet,
        Self::Pinned,
    ];

    /// For logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Load => "load",
            Self::NoAssets => "no-assets",
            Self::Logins => "logins",
            Self::Unsolved => "unsolved",
            Self::Solved => "solved",
            Self::Origin => "origin",
            Self::Costly => "costly",
            Self::Over => "over",
            Self::Lasting => "lasting",
            Self::Fleet => "fleet",
            Self::Pinned => "pinned",
        }
    }

    /// For people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Rate => "more requests than chance explains",
            Self::Load => "more than the origin can bear, from what may well be people",
            Self::NoAssets => "the excess fetches no scripts, styles or pictures, and comes from clients of one kind",
            Self::Logins => "the excess is logins or other writes of clients never seen before",
            Self::Unsolved => "most clients that were asked for a cookie did not bring it",
            Self::Solved => "most challenged clients pass: these are people",
            Self::Origin => "the origin answers late, or with errors",
            Self::Costly => "what is asked for takes the origin so long that it fills what may be in flight",
            Self::Over => "what is offered has stayed low",
            Self::Lasting => "it has lasted long enough to be the new normal",
            Self::Fleet => "most tasks of the fleet see an attack, and here more comes than usual",
            Self::Pinned => "held by hand",
        }
    }
}

/// The figures of the moment, that a change of state rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Requests offered in the last second.
    pub offered: f64,
    /// What the origin can bear in a second.
    pub capacity: f64,
    /// What is usual in a second.
    pub usual: f64,
    /// The excess over what is usual, assets left out, in a second.
    pub excess: f64,
    /// The share of assets in the whole excess.
    pub assets: f64,
    /// The share of unknown clients in the excess.
    pub unknown: f64,
    /// The share of login POSTs of unknown clients in the excess.
    pub writes: f64,
    /// Outcomes of challenges within ten seconds.
    pub outcomes: f64,
    /// The share of them that was solved.
    pub solved: f64,
    /// Requests in flight.
    pub in_flight: u32,
    /// Requests that would be in flight, by what was offered in the last second and by what its paths usually take.
    pub expected: f64,
    /// The origin's mean time to its first byte over five seconds, in milliseconds.
    pub latency_ms: f64,
    /// The share of answers that were errors, over five seconds.
    pub errors: f64,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Shares of a difference stray beyond all and none; the sum makes no "-0" of a small one.
        let percent = |share: f64| (share * 100.0).clamp(0.0, 100.0) + 0.0;
        let Self { offered, capacity, usual, excess, .. } = self;
        write!(f, "offered {offered:.0}/s of {capacity:.0}/s (usual {usual:.1}/s); ")?;
        if self.excess < 1.0 {
            f.write_str("no excess")?;
        } else {
            write!(
                f,
                "excess {excess:.0}/s: {:.0} % assets, {:.0} % unknown clients, {:.0} % writes",
                percent(self.assets),
                percent(self.unknown),
                percent(self.writes)
            )?;
        }
        if self.outcomes > 0.0 {
            write!(f, "; {:.0} % of {:.0} challenges solved", percent(self.solved), self.outcomes)?;
        }
        write!(
            f,
            "; {} in flight ({:.0} expected), origin {:.0} ms, {:.1} % errors",
            self.in_flight,
            self.expected,
            self.latency_ms,
            percent(self.errors)
        )
    }
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// When.
    pub at: Time,
    /// From what.
    pub from: FloodState,
    /// To what.
    pub to: FloodState,
    /// Why.
    pub cause: Cause,
    /// The figures it rests on.
    pub evidence: Evidence,
}

/// The latest changes, and how many there were of each kind.
#[derive(Debug, Default)]
pub struct Changes {
    latest: VecDeque<Change>,
    counts: [[u64; Cause::ALL.len()]; FloodState::ALL.len()],
}

impl Changes {
    /// How many are remembered.
    const KEPT: usize = 256;

    /// One more.
    pub fn add(&mut self, change: Change) {
        if self.latest.len() == Self::KEPT {
            self.latest.pop_front();
        }
        self.latest.push_back(change);
        self.counts[change.to as usize][change.cause as usize] += 1;
    }

    /// The latest, oldest first.
    pub fn latest(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.latest.iter()
    }

    /// How often each state was entered for each cause, as far as that happened.
    pub fn counts(&self) -> Vec<(FloodState, Cause, u64)> {
        let all = FloodState::ALL.into_iter().flat_map(|to| Cause::ALL.map(|cause| (to, cause)));
        all.map(|(to, cause)| (to, cause, self.counts[to as usize][cause as usize])).filter(|row| row.2 > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_reads_well_where_shares_stray() {
        let quiet =
            Evidence { offered: 3.0, capacity: 500.0, usual: 2.7, excess: 0.3, assets: -9.0, ..Evidence::default() };
        assert!(quiet.to_string().starts_with("offered 3/s of 500/s (usual 2.7/s); no excess; "), "{quiet}");
        let flood = Evidence { excess: 451.0, assets: 1.3, unknown: 0.994, writes: -0.001, ..quiet };
        let words = "excess 451/s: 100 % assets, 99 % unknown clients, 0 % writes; ";
        assert!(flood.to_string().contains(words), "{flood}");
    }

    #[test]
    fn the_latest_changes_are_kept_and_all_are_counted() {
        let mut changes = Changes::default();
        for n in 0..1_000u64 {
            let (to, cause) =
                if n % 2 == 0 { (FloodState::Attack, Cause::Logins) } else { (FloodState::Normal, Cause::Over) };
            let from = FloodState::Elevated;
            changes.add(Change { at: Time::from_nanos(n), from, to, cause, evidence: Evidence::default() });
        }
        assert_eq!((changes.latest().count(), changes.latest().next().unwrap().at.nanos()), (256, 744));
        assert_eq!(
            changes.counts(),
            [(FloodState::Normal, Cause::Over, 500), (FloodState::Attack, Cause::Logins, 500)]
        );
        assert!(Cause::ALL.iter().enumerate().all(|(i, cause)| *cause as usize == i));
    }
}
