//! The state with its reasons, rates by rank, budgets, changes.

use super::Looks;
use super::offenders::{self, OffenderView, OwnerView};
use crate::base::clock::{self, Time};
use crate::base::rfc3339;
use crate::flood::class::Class;
use crate::flood::rank::Rank;
use crate::flood::state::{Change, FloodState};
use crate::flood::tally::{Outcome, Totals};
use crate::flood::view::Budgets;
use crate::flood::window::Signal;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How things stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FloodStatus {
    /// What `flood.enabled` says.
    pub enabled: bool,
    /// `normal`, `elevated`, `attack` or `overload`.
    pub state: Cow<'static, str>,
    /// Since when: RFC 3339.
    pub since: String,
    /// For how many seconds.
    pub lasted_s: f64,
    /// Why, as a code; empty while nothing has changed since the start.
    pub cause: Cow<'static, str>,
    /// Why, in words.
    pub why: Cow<'static, str>,
    /// The figures of the moment, in words.
    pub evidence: String,
    /// When it began to be unusual: RFC 3339; null in the normal state.
    pub onset: Option<String>,
    /// Requests offered in the last second: those that passed the limits.
    pub offered: f64,
    /// What the origin can bear in a second.
    pub capacity: f64,
    /// What is usual in a second.
    pub usual: f64,
    /// Passed on a second, over the last five.
    pub forwarded: f64,
    /// Refused a second because of the flood or for want of capacity, over the last five.
    pub refused: f64,
    /// In an overload, the share of clients not known that is admitted, 0 to 1.
    pub admitted: f64,
    /// In an attack, the pages a second that a client may load.
    pub page_rate: f64,
    /// Whether clients may be asked for proof.
    pub challenge: bool,
    /// Outcomes of challenges within ten seconds.
    pub outcomes: f64,
    /// The share of them that was solved.
    pub solved: f64,
    /// By rank, the first first.
    pub ranks: Vec<RankView>,
    /// By what is asked for.
    pub classes: Vec<ClassView>,
    /// Challenges since the start.
    pub challenges: ChallengeTotals,
    /// How often the state changed since the start.
    pub change_counts: Vec<ChangeCount>,
    /// Different clients within ten seconds.
    pub clients: f64,
    /// Of those, never seen before.
    pub unseen: f64,
    /// Good clients of the last fortnight.
    pub history: HistoryView,
    /// Ticks of the detector that came too late and were left out.
    pub missed_ticks: u64,
    /// Memory of all that is known about floods.
    pub bytes: u64,
    /// Of that, for lists of offenders, sketches and samples.
    pub offender_bytes: u64,
}

/// What became of requests of clients of one rank.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RankView {
    /// `credited`, `seen`, `proven`, `net24`, `net16` or `unknown`.
    pub rank: Cow<'static, str>,
    /// What that means.
    pub meaning: Cow<'static, str>,
    /// Requests a second, over the last five.
    pub offered: f64,
    /// Of those, passed on.
    pub forwarded: f64,
    /// Refused.
    pub refused: f64,
    /// Asked for proof.
    pub challenged: f64,
    /// Passed on since the start.
    pub forwarded_total: u64,
    /// Refused since the start.
    pub refused_total: u64,
    /// Asked for proof since the start.
    pub challenged_total: u64,
}

/// Requests of one class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassView {
    /// `page`, `asset`, `login`, `search`, `machine` or `action`.
    pub class: Cow<'static, str>,
    /// A second, over the last five.
    pub offered: f64,
    /// Since the start.
    pub total: u64,
}

/// Challenges since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeTotals {
    /// Clients that brought the cookie they were asked for.
    pub solved: u64,
    /// Clients that did not.
    pub unsolved: u64,
}

/// How often one state was entered for one cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeCount {
    /// The state.
    pub to: Cow<'static, str>,
    /// The cause's code.
    pub cause: Cow<'static, str>,
    /// How often.
    pub count: u64,
}

/// How full the history is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    /// Clients.
    pub clients: u32,
    /// Of these with credit.
    pub credited: u32,
    /// IPv4 /24 and IPv6 /56 networks.
    pub net24: u32,
    /// IPv4 /16 and IPv6 /48 networks.
    pub net16: u32,
    /// Newcomers that found no room.
    pub dropped: u64,
}

/// All there is to see of floods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FloodReport {
    /// When weir started: RFC 3339.
    pub started: String,
    /// How things stand.
    #[serde(flatten)]
    pub status: FloodStatus,
    /// Budgets that clients share in an attack.
    pub budgets: Vec<BudgetView>,
    /// Clients that send most.
    pub by_requests: Vec<OffenderView>,
    /// Clients that are refused most.
    pub by_refused: Vec<OffenderView>,
    /// Clients that the origin answers with 400 and above most.
    pub by_errors: Vec<OffenderView>,
    /// Clients that fetch most.
    pub by_bytes: Vec<OffenderView>,
    /// /24 networks (IPv6: /56) that send most.
    pub by_net24: Vec<OffenderView>,
    /// /16 networks (IPv6: /48) that send most.
    pub by_net16: Vec<OffenderView>,
    /// Owners of networks that send most; empty without `flood.asn_database`.
    pub by_owner: Vec<OwnerView>,
    /// One request in so many is looked at for these lists.
    pub looked_at_one_in: u32,
    /// The latest changes of state, newest first.
    pub changes: Vec<ChangeView>,
    /// The last two minutes by the second, oldest first.
    pub seconds: Vec<SecondView>,
}

/// What clients share in an attack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BudgetView {
    /// Whose it is.
    pub budget: Cow<'static, str>,
    /// Requests a second.
    pub rate: f64,
    /// How many at once.
    pub burst: u32,
}

/// A change of state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangeView {
    /// When: RFC 3339.
    pub at: String,
    /// From what.
    pub from: Cow<'static, str>,
    /// To what.
    pub to: Cow<'static, str>,
    /// Why, as a code.
    pub cause: Cow<'static, str>,
    /// Why, in words.
    pub why: Cow<'static, str>,
    /// The figures it rests on.
    pub evidence: String,
}

/// How one second went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SecondView {
    /// Requests offered in it.
    pub offered: f32,
    /// Passed on a second, over the last five.
    pub forwarded: f32,
    /// What is usual.
    pub usual: f32,
}

impl FloodStatus {
    /// How things stand now.
    pub fn read(looks: &Looks<'_>) -> Self {
        let flood = &looks.state.flood;
        let (view, last) = (flood.view(), flood.changes().pop());
        let (e, since) = (view.evidence, view.since.max(looks.started));
        let (totals, clients, filled) = (flood.totals(), flood.offenders.clients(), flood.history.filled());
        let total = |signal: Signal| totals[signal as usize] as u64;
        let count = |(to, cause, count): (FloodState, crate::flood::state::Cause, u64)| ChangeCount {
            to: to.name().into(),
            cause: cause.code().into(),
            count,
        };
        Self {
            enabled: looks.policy.settings.flood.enabled,
            state: view.state.name().into(),
            since: time(since),
            lasted_s: looks.now.since(since).as_secs_f64(),
            cause: last.map_or("", |change| change.cause.code()).into(),
            why: last.map_or("nothing unusual since the start", |change| change.cause.text()).into(),
            evidence: e.to_string(),
            onset: view.onset.map(time),
            offered: e.offered,
            capacity: looks.policy.capacity_per_second,
            usual: e.usual,
            forwarded: view.forwarded,
            refused: view.refused,
            admitted: view.admitted,
            page_rate: view.page_rate,
            challenge: view.challenge,
            outcomes: e.outcomes,
            solved: e.solved,
            ranks: ranks(&flood.offenders.tally.rates(), &flood.offenders.tally.totals()),
            classes: classes(&flood.offenders.tally.rates(), &flood.offenders.tally.totals()),
            challenges: ChallengeTotals { solved: total(Signal::Solved), unsolved: total(Signal::Unsolved) },
            change_counts: flood.change_counts().into_iter().map(count).collect(),
            clients: clients.all.round(),
            unseen: clients.unseen.round(),
            history: HistoryView {
                clients: filled.clients,
                credited: filled.credited,
                net24: filled.net24,
                net16: filled.net16,
                dropped: flood.history.dropped(),
            },
            missed_ticks: flood.missed_ticks(),
            bytes: flood.bytes() as u64,
            offender_bytes: flood.offenders.bytes() as u64,
        }
    }
}

impl FloodReport {
    /// All there is to see now.
    pub fn read(looks: &Looks<'_>) -> Self {
        let flood = &looks.state.flood;
        let lists = offenders::lists(looks);
        let second =
            |s: crate::flood::tally::Second| SecondView { offered: s.offered, forwarded: s.forwarded, usual: s.usual };
        Self {
            started: time(looks.started),
            status: FloodStatus::read(looks),
            budgets: budgets(&flood.view().budgets),
            looked_at_one_in: flood.offenders.one_in(),
            changes: flood.changes().iter().rev().map(change).collect(),
            seconds: flood.offenders.tally.last_seconds().into_iter().map(second).collect(),
            ..lists
        }
    }
}

fn ranks(rates: &Totals, totals: &Totals) -> Vec<RankView> {
    let one = |rank: Rank| {
        let [forwarded, refused, challenged] = Outcome::ALL.map(|outcome| rates.ended(rank, outcome));
        let [forwarded_total, refused_total, challenged_total] =
            Outcome::ALL.map(|outcome| totals.ended(rank, outcome) as u64);
        RankView {
            rank: rank.name().into(),
            meaning: rank.meaning().into(),
            offered: forwarded + refused + challenged,
            forwarded,
            refused,
            challenged,
            forwarded_total,
            refused_total,
            challenged_total,
        }
    };
    Rank::ALL.map(one).into()
}

fn classes(rates: &Totals, totals: &Totals) -> Vec<ClassView> {
    let one = |class: Class| ClassView {
        class: class.name().into(),
        offered: rates.asked(class),
        total: totals.asked(class) as u64,
    };
    Class::ALL.map(one).into()
}

fn budgets(budgets: &Budgets) -> Vec<BudgetView> {
    let named = [
        ("logins and writes of clients not known", &budgets.writes),
        ("clients not known that can't be challenged", &budgets.newcomers),
        ("clients whose cookie is worth nothing", &budgets.burnt),
        ("clients of known networks", &budgets.networks),
        ("programs, within what is usual of each", &budgets.agents),
        ("programs beyond that", &budgets.strangers),
    ];
    let one = |(budget, quota): (&'static str, &crate::limit::gcra::Quota)| {
        let rate = quota.rate();
        BudgetView {
            budget: budget.into(),
            rate: f64::from(rate.count) / rate.period.as_secs_f64(),
            burst: quota.burst(),
        }
    };
    named.into_iter().map(one).collect()
}

fn change(change: &Change) -> ChangeView {
    ChangeView {
        at: time(change.at),
        from: change.from.name().into(),
        to: change.to.name().into(),
        cause: change.cause.code().into(),
        why: change.cause.text().into(),
        evidence: change.evidence.to_string(),
    }
}

fn time(at: Time) -> String {
    rfc3339::from_unix_nanos(clock::unix_nanos(at))
}
