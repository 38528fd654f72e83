//! The fleet.

use super::{count, set};
use crate::sink::fleet::FleetStatus;
use crate::sink::metrics::names;

pub(super) fn fill(status: &FleetStatus) {
    set(&names::FLEET_CONNECTED, &[], f64::from(u8::from(status.connected)));
    set(&names::FLEET_TASKS, &[], status.tasks as f64);
    set(&names::FLEET_LEADS, &[], f64::from(u8::from(status.leads)));
    if let Some(age) = status.heard_age_s {
        set(&names::FLEET_HEARD_AGE, &[], age);
    }
    let FleetStatus { sent, heard, dropped, spared, faulty, .. } = *status;
    let news = [("sent", sent), ("heard", heard), ("dropped", dropped), ("spared", spared), ("faulty", faulty)];
    news.iter().for_each(|(outcome, number)| count(&names::FLEET_NEWS, &[outcome], *number));
    count(&names::FLEET_CLIENTS, &["out"], status.clients_sent);
    count(&names::FLEET_CLIENTS, &["in"], status.clients_heard);
}
