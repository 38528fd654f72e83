//! The flood detector.

use super::{count, set};
use crate::control::flood::{FloodStatus, RankView};
use crate::flood::rank::Rank;
use crate::flood::state::FloodState;
use crate::sink::metrics::names;

/// Who got a good answer before.
fn is_known(rank: &str) -> bool {
    [Rank::Credited, Rank::Seen].iter().any(|known| known.name() == rank)
}

pub(super) fn fill(flood: &FloodStatus) {
    for state in FloodState::ALL {
        set(&names::FLOOD_STATE, &[state.name()], f64::from(u8::from(flood.state == state.name())));
    }
    for change in &flood.change_counts {
        count(&names::FLOOD_CHANGES, &[&change.to, &change.cause], change.count);
    }
    set(&names::FLOOD_OFFERED, &[], flood.offered);
    set(&names::FLOOD_CAPACITY, &[], flood.capacity);
    set(&names::FLOOD_USUAL, &[], flood.usual);
    set(&names::FLOOD_ADMITTED, &[], flood.admitted);
    set(&names::FLOOD_CLIENTS, &["no"], flood.unseen);
    set(&names::FLOOD_CLIENTS, &["yes"], flood.clients - flood.unseen);
    count(&names::FLOOD_MISSED, &[], flood.missed_ticks);
    set(&names::FLOOD_BYTES, &["offenders"], flood.offender_bytes as f64);
    set(&names::FLOOD_BYTES, &["rest"], (flood.bytes - flood.offender_bytes) as f64);
    for r in &flood.ranks {
        count(&names::BY_RANK, &[&r.rank, "forwarded"], r.forwarded_total);
        count(&names::BY_RANK, &[&r.rank, "refused"], r.refused_total);
        count(&names::BY_RANK, &[&r.rank, "challenged"], r.challenged_total);
    }
    let known = |what: fn(&RankView) -> u64| flood.ranks.iter().filter(|r| is_known(&r.rank)).map(what).sum();
    count(&names::KNOWN, &["forwarded"], known(|r| r.forwarded_total));
    count(&names::KNOWN, &["refused"], known(|r| r.refused_total));
    count(&names::KNOWN, &["challenged"], known(|r| r.challenged_total));
    for class in &flood.classes {
        count(&names::BY_CLASS, &[&class.class], class.total);
    }
    count(&names::CHALLENGES, &["solved"], flood.challenges.solved);
    count(&names::CHALLENGES, &["unsolved"], flood.challenges.unsolved);
    let history = &flood.history;
    let levels = [("client", history.clients), ("credited", history.credited), ("net24", history.net24)];
    for (level, entries) in levels.into_iter().chain([("net16", history.net16)]) {
        set(&names::HISTORY, &[level], f64::from(entries));
    }
    count(&names::HISTORY_DROPPED, &[], history.dropped);
}
