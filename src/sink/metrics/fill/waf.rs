//! AWS WAF.

use super::{count, set};
use crate::sink::metrics::names;
use crate::sink::waf::WafStatus;

pub(super) fn fill(status: &WafStatus) {
    set(&names::WAF_WRITER, &[], f64::from(u8::from(status.writer)));
    for of in &status.sets {
        set(&names::WAF_ENTRIES, &[&of.name, "weir"], of.ours as f64);
        set(&names::WAF_ENTRIES, &[&of.name, "others"], of.foreign as f64);
        set(&names::WAF_CAPACITY, &[&of.name], of.capacity as f64);
        // Who does not write does not look either: its age says nothing.
        of.age_s.iter().filter(|_| status.writer).for_each(|age| set(&names::WAF_SYNC_AGE, &[&of.name], *age));
    }
    count(&names::WAF_UPDATES, &[], status.updates);
    status.failures.iter().for_each(|(kind, n)| count(&names::WAF_FAILURES, &[kind], *n));
    set(&names::WAF_PENDING, &[], status.pending as f64);
    count(&names::WAF_EVICTED, &[], status.evictions);
    count(&names::WAF_SENT, &[], status.sent.count);
    for (quantile, ms) in [("0.5", status.sent.p50_ms), ("0.95", status.sent.p95_ms), ("1", status.sent.max_ms)] {
        set(&names::WAF_DELAY, &[quantile], ms as f64 / 1_000.0);
    }
}
