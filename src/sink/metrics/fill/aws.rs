//! The config in AWS, GuardDuty and CloudWatch.

use super::{count, set};
use crate::control::status::Status;
use crate::sink::cloudwatch::CloudWatchStatus;
use crate::sink::metrics::names;

pub(super) fn fill(status: &Status) {
    if let Some(source) = &status.config.source {
        count(&names::CONFIG_FETCHES, &["answered"], source.fetches - source.failures.min(source.fetches));
        count(&names::CONFIG_FETCHES, &["failed"], source.failures);
        set(&names::CONFIG_AGE, &[], source.age_s);
        set(&names::CONFIG_CACHED, &[], f64::from(u8::from(source.from == "cache")));
    }
    if let Some(findings) = &status.guardduty {
        for (outcome, n) in [
            ("acted", findings.acted),
            ("passed", findings.passed),
            ("repeated", findings.repeated),
            ("spared", findings.spared),
            ("postponed", findings.postponed),
            ("poison", findings.poison),
        ] {
            count(&names::GUARDDUTY_MESSAGES, &[outcome], n);
        }
        count(&names::GUARDDUTY_FAILURES, &[], findings.failures);
        set(&names::GUARDDUTY_UP, &[], f64::from(u8::from(findings.failing.is_none())));
    }
    if let Some(sink) = &status.cloudwatch {
        let CloudWatchStatus { sent, dropped, unknown, refused, .. } = *sink;
        for (outcome, n) in [("sent", sent), ("dropped", dropped), ("unknown", unknown), ("refused", refused)] {
            count(&names::CLOUDWATCH_DATUMS, &[outcome], n);
        }
        sink.failures.iter().for_each(|(kind, n)| count(&names::CLOUDWATCH_FAILURES, &[kind], *n));
        set(&names::CLOUDWATCH_WAITING, &[], sink.waiting as f64);
        set(&names::CLOUDWATCH_AGE, &[], sink.age_s);
    }
}
