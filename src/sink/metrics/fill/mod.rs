//! From the status to figures, a file a topic.

mod alerts;
mod aviatrix;
mod aws;
mod bans;
mod fleet;
mod flood;
mod origin;
mod process;
mod traffic;
mod waf;
mod weir;

use super::names::{self, Kind, Metric};
use crate::control::status::Status;
use metrics::{Label, counter, describe_counter, describe_gauge, gauge};

/// A histogram whose samples have been put into buckets already, as a recorder can't take it.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Which.
    pub metric: &'static Metric,
    /// Samples by bucket since the start, not cumulative; the last has no upper bound.
    pub counts: Vec<u64>,
    /// Upper bounds of the buckets but the last, in the metric's unit.
    pub bounds: Vec<f64>,
    /// The sum of all samples, in the metric's unit.
    pub sum: f64,
}

/// Hands every counter and gauge to the local recorder.
pub fn fill(status: &Status) {
    describe();
    weir::fill(status);
    traffic::fill(status);
    origin::fill(status);
    aws::fill(status);
    aviatrix::fill(status);
    bans::fill(&status.bans);
    status.waf.iter().for_each(waf::fill);
    status.fleet.iter().for_each(fleet::fill);
    flood::fill(&status.flood);
    alerts::fill(status);
    process::fill();
}

/// Every histogram.
pub fn histograms(status: &Status) -> Vec<Histogram> {
    let seconds = |bounds_ms: &[u64]| bounds_ms.iter().map(|ms| *ms as f64 / 1_000.0).collect();
    let origin = &status.origin.latency;
    let origin = Histogram {
        metric: &names::ORIGIN_LATENCY,
        counts: origin.counts.clone(),
        bounds: seconds(&origin.bounds_ms),
        sum: origin.sum_s,
    };
    let fleet = status.fleet.iter().map(|fleet| Histogram {
        metric: &names::FLEET_DELAY,
        counts: fleet.delay.counts.clone(),
        bounds: seconds(&fleet.delay.bounds_ms),
        sum: fleet.delay.sum_ms as f64 / 1_000.0,
    });
    [origin].into_iter().chain(fleet).collect()
}

fn describe() {
    for m in names::ALL {
        match m.kind {
            Kind::Counter => describe_counter!(m.name, m.unit, m.help),
            Kind::Gauge => describe_gauge!(m.name, m.unit, m.help),
            Kind::Histogram => {}
        }
    }
}

fn labels(metric: &Metric, values: &[&str]) -> Vec<Label> {
    debug_assert_eq!(metric.labels.len(), values.len(), "{}", metric.name);
    metric.labels.iter().zip(values).map(|(name, value)| Label::new(*name, (*value).to_owned())).collect()
}

fn count(metric: &Metric, values: &[&str], value: u64) {
    counter!(metric.name, labels(metric, values)).absolute(value);
}

fn set(metric: &Metric, values: &[&str], value: f64) {
    gauge!(metric.name, labels(metric, values)).set(value);
}
