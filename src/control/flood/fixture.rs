//! A state with something in every part, for tests of whoever shows it.

use super::{
    BudgetView, ChallengeTotals, ChangeCount, ChangeView, ClassView, FloodReport, FloodStatus, HistoryView,
    OffenderView, OwnerView, RankView, SecondView,
};
use crate::flood::rank::Rank;

/// A state with something in every part, for tests of whoever shows it.
pub(crate) fn fixture() -> FloodReport {
    let text = |text: &str| text.to_owned();
    let offender = |who: &str, rate, reason: &str| OffenderView {
        who: text(who),
        rate,
        share: Some(0.5),
        rank: "unknown".into(),
        owner: text("AS64500 Example"),
        country: String::new(),
        reason: text(reason),
    };
    FloodReport {
        started: text("2024-02-29T11:00:00.000Z"),
        status: status(),
        budgets: vec![BudgetView { budget: "programs beyond that".into(), rate: 15.0, burst: 45 }],
        by_requests: vec![offender("192.0.2.7", 450.0, "flood-client 12 times")],
        by_refused: vec![offender("192.0.2.8", 300.0, "limit per-client 9 times")],
        by_net24: vec![offender("192.0.2.0/24", 800.0, "")],
        by_net16: vec![offender("2001:db8::/48", 810.0, "")],
        by_owner: vec![OwnerView { owner: text("AS64500 Example"), rate: 810.0, share: 0.9, clients: 12 }],
        looked_at_one_in: 1,
        changes: vec![ChangeView {
            at: text("2024-02-29T12:00:00.000Z"),
            from: "elevated".into(),
            to: "attack".into(),
            cause: "no-assets".into(),
            why: "the excess fetches no assets".into(),
            evidence: text("offered 900/s of 300/s"),
        }],
        seconds: (0..60u8)
            .map(|n| SecondView { offered: f32::from(n) * 15.0, forwarded: 120.0, usual: 40.0 })
            .collect(),
        ..FloodReport::default()
    }
}

fn status() -> FloodStatus {
    let rank = |rank: Rank, forwarded: f64, refused: f64| RankView {
        rank: rank.name().into(),
        meaning: rank.meaning().into(),
        offered: forwarded + refused,
        forwarded,
        refused,
        forwarded_total: 100,
        refused_total: 50,
        ..RankView::default()
    };
    let text = |text: &str| text.to_owned();
    FloodStatus {
        enabled: true,
        state: "attack".into(),
        since: text("2024-02-29T12:00:00.000Z"),
        lasted_s: 75.0,
        cause: "no-assets".into(),
        why: "the excess fetches no assets".into(),
        evidence: text("offered 900/s of 300/s"),
        onset: Some(text("2024-02-29T11:59:59.000Z")),
        offered: 900.0,
        capacity: 300.0,
        usual: 40.0,
        forwarded: 120.0,
        refused: 780.0,
        admitted: 1.0,
        page_rate: 4.0,
        challenge: true,
        outcomes: 40.0,
        solved: 0.1,
        ranks: vec![rank(Rank::Credited, 60.0, 0.0), rank(Rank::Unknown, 60.0, 780.0)],
        classes: vec![ClassView { class: "page".into(), offered: 880.0, total: 1_000 }],
        challenges: ChallengeTotals { solved: 4, unsolved: 36 },
        change_counts: vec![ChangeCount { to: "attack".into(), cause: "no-assets".into(), count: 2 }],
        clients: 2_000.0,
        unseen: 1_900.0,
        history: HistoryView { clients: 500, credited: 200, net24: 300, net16: 100, dropped: 3 },
        missed_ticks: 1,
        bytes: 20_000_000,
        offender_bytes: 700_000,
    }
}
