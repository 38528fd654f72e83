//! What CloudWatch costs a month, as far as a config tells: for `weir check` and the docs.
//!
//! List prices of us-east-1 at aws.amazon.com/cloudwatch/pricing, without the free tier and the discounts of large
//! numbers; other Regions are somewhat dearer.

use super::emf::{Owner, lines};
use super::gather::Datum;
use super::series::{ALL, How};
use crate::config::settings::{CloudWatch, Log, MetricsWay, Settings};
use crate::verdict::reason::{Class, Reason};

/// A custom metric a month, whatever its resolution, for the first 10,000.
const METRIC: f64 = 0.30;

/// A thousand requests of PutMetricData.
const THOUSAND_REQUESTS: f64 = 0.01;

/// A gigabyte taken in by CloudWatch Logs.
const GIGABYTE: f64 = 0.50;

/// Seconds of a month of 30 days.
const MONTH: f64 = 2_592_000.0;

/// A line of the log in CloudWatch Logs, with the 26 bytes that each is charged beside its text.
const LOG_LINE: f64 = 600.0;

/// What is to be paid, in dollars a month.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// How many metrics there are at most: every reason and limit has refused once.
    pub metrics: usize,
    /// For metrics, however many tasks there are.
    pub shared: f64,
    /// For each task: requests of the API, or lines of the embedded format.
    pub each_task: f64,
    /// For each 100 lines a second of the log in CloudWatch Logs, over all tasks.
    pub each_100_lines: Option<f64>,
}

impl Cost {
    /// For a number of tasks, without the log.
    pub fn of_tasks(&self, tasks: u32) -> f64 {
        self.shared + self.each_task * f64::from(tasks)
    }
}

/// What a config costs.
pub fn estimate(settings: &Settings) -> Cost {
    let metrics = if settings.cloudwatch.enabled { metrics(settings.limits.len()) } else { 0 };
    let Log { cloudwatch: log, .. } = &settings.log;
    Cost {
        metrics,
        shared: metrics as f64 * METRIC,
        each_task: if settings.cloudwatch.enabled { each_task(&settings.cloudwatch) } else { 0.0 },
        each_100_lines: log.enabled.then(|| 100.0 * LOG_LINE * MONTH / 1e9 * GIGABYTE),
    }
}

/// How many metrics there can be: those of parts that are off are never sent, so it is an upper bound.
fn metrics(limits: usize) -> usize {
    let of = |dimension| match dimension {
        "Reason" => Reason::ALL.iter().filter(|reason| reason.class() == Class::Refuse).count(),
        "Limit" => limits,
        "Result" => 2,
        // Class of a status.
        _ => 5,
    };
    ALL.iter().map(|series| series.by.map_or(1, |(_, dimension)| of(dimension))).sum()
}

fn each_task(settings: &CloudWatch) -> f64 {
    match settings.mode {
        MetricsWay::Api => MONTH / settings.interval.as_secs_f64() / 1_000.0 * THOUSAND_REQUESTS,
        MetricsWay::Emf => {
            let owner = super::owner(settings);
            let by_second = settings.high_resolution;
            let often = if by_second { MONTH } else { MONTH / 60.0 };
            let bytes = bytes(&owner, true, by_second) * often + bytes(&owner, false, by_second) * MONTH / 60.0;
            bytes / 1e9 * GIGABYTE
        }
    }
}

/// Bytes of all lines of one second, or of one minute, when every series has something to say.
fn bytes(owner: &Owner, fast: bool, by_second: bool) -> f64 {
    let data = ALL.iter().filter(|series| series.fast == fast).map(|series| Datum {
        series,
        dimension: series.by.map(|_| "a-usual-name".into()),
        at: 1_700_000_000,
        seconds: if fast && by_second { 1 } else { 60 },
        // A second has one value, and some of a histogram; a minute has a handful.
        values: (0..if series.how == How::Spread || !(fast && by_second) { 8 } else { 1 })
            .map(|n| (f64::from(n) + 123.0, 1.0))
            .collect(),
    });
    lines(owner, &data.collect::<Vec<_>>()).iter().map(|line| line.len() as f64 + 26.0).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn settings(mode: MetricsWay) -> CloudWatch {
        CloudWatch {
            enabled: true,
            namespace: "weir".into(),
            mode,
            service: "shop".into(),
            environment: "production".into(),
            interval: Duration::from_secs(10),
            high_resolution: true,
        }
    }

    #[test]
    fn a_task_costs_its_requests_or_its_lines() {
        assert!((each_task(&settings(MetricsWay::Api)) - 2.592).abs() < 1e-9);
        let lines = each_task(&settings(MetricsWay::Emf));
        assert!((1.0..5.0).contains(&lines), "{lines}");
        let slow = CloudWatch { high_resolution: false, ..settings(MetricsWay::Emf) };
        assert!(each_task(&slow) < lines / 5.0);
    }

    #[test]
    fn metrics_do_not_grow_with_tasks() {
        let one = metrics(1);
        assert_eq!(metrics(3), one + 4, "refused and observed, for each limit");
        let cost = Cost { metrics: one, shared: 10.0, each_task: 2.0, each_100_lines: None };
        assert_eq!((cost.of_tasks(1), cost.of_tasks(4)), (12.0, 18.0));
    }
}
