//! What Aviatrix gateways say, and what they are told.

use super::{count, set};
use crate::control::status::Status;
use crate::sink::metrics::names;

pub(super) fn fill(status: &Status) {
    if let Some(aviatrix) = &status.aviatrix {
        aviatrix.lines.iter().for_each(|(outcome, n)| count(&names::AVIATRIX_LINES, &[outcome], *n));
        aviatrix.reports.iter().for_each(|r| count(&names::AVIATRIX_REPORTS, &[&r.kind, &r.outcome], r.count));
    }
    if let Some(group) = &status.smartgroup {
        count(&names::SMARTGROUP_FAILURES, &[], group.failures);
        // Who does not lead the fleet knows nothing of the group.
        if group.leads {
            set(&names::SMARTGROUP_ENTRIES, &[], group.entries as f64);
            group.age_s.iter().for_each(|age| set(&names::SMARTGROUP_AGE, &[], *age));
        }
    }
}
