//! Bans.

use super::{count, set};
use crate::control::bans::BanStatus;
use crate::sink::metrics::names;

pub(super) fn fill(status: &BanStatus) {
    set(&names::BANS, &[], status.active as f64);
    set(&names::BANS_PAUSED, &[], f64::from(u8::from(status.paused || !status.enabled)));
    for added in &status.added {
        count(&names::BANS_ADDED, &[&added.kind], added.count);
    }
    count(&names::BAN_SUSPECTS_DROPPED, &[], status.suspects_dropped);
    count(&names::BAN_SUSPECTS_SPARED, &[], status.spared);
    count(&names::BAN_SUSPECTS_CAPPED, &[], status.capped);
    count(&names::BAN_SUSPECTS_GIVEN_UP, &[], status.given_up);
    count(&names::BANS_EVICTED, &[], status.evicted);
}
