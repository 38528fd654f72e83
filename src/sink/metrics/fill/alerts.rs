//! Alerts.

use super::{count, set};
use crate::control::alert::engine::State;
use crate::control::status::Status;
use crate::sink::metrics::names;

pub(super) fn fill(status: &Status) {
    for alert in &status.alerts {
        set(&names::ALERT_FIRING, &[&alert.name], f64::from(u8::from(alert.state == State::Firing)));
    }
    for told in &status.alerts_told {
        count(&names::ALERTS_TOLD, &[&told.to, "told"], told.told);
        count(&names::ALERTS_TOLD, &[&told.to, "failed"], told.failed);
        count(&names::ALERTS_TOLD, &[&told.to, "dropped"], told.dropped);
    }
}
