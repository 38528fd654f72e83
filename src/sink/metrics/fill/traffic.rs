//! Requests, limits and connections.

use super::{count, set};
use crate::control::status::Status;
use crate::sink::metrics::names;

pub(super) fn fill(status: &Status) {
    for r in &status.requests {
        count(&names::REQUESTS, &[&r.reason, &r.class], r.count);
    }
    for r in &status.responses {
        count(&names::RESPONSES, &[&r.class, &r.by], r.count);
    }
    for limit in &status.limits {
        count(&names::LIMIT_REFUSED, &[&limit.name], limit.refused);
        count(&names::LIMIT_OBSERVED, &[&limit.name], limit.observed);
        set(&names::TABLE_BYTES, &[&limit.name], limit.table_bytes as f64);
    }
    set(&names::IN_FLIGHT, &[], status.in_flight as f64);
    set(&names::CONNECTIONS, &[], status.connections as f64);
    count(&names::CONNECTIONS_TOTAL, &[], status.connections_total);
    count(&names::BODY_BYTES, &["in"], status.bytes_in);
    count(&names::BODY_BYTES, &["out"], status.bytes_out);
}
