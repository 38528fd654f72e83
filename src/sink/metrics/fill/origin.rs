//! The origin's endpoints.

use super::{count, set};
use crate::control::status::Status;
use crate::sink::metrics::names;

pub(super) fn fill(status: &Status) {
    for e in &status.origin.endpoints {
        let labels: [&str; 2] = [&e.address, &e.group];
        set(&names::ENDPOINT_UP, &labels, f64::from(u8::from(e.healthy && e.ejected_for.is_none())));
        set(&names::ENDPOINT_IN_FLIGHT, &labels, e.in_flight as f64);
        count(&names::ENDPOINT_REQUESTS, &labels, e.requests);
        count(&names::ENDPOINT_FAILURES, &labels, e.failures);
    }
}
