//! Figures as plain values, for those who compute with them: alerts and CloudWatch.

use super::fill::{Histogram, fill, histograms};
use super::names::{Kind, Metric};
use crate::control::status::Status;
use metrics::{Counter, Gauge, Key, KeyName, Metadata, Recorder, SharedString, Unit, with_local_recorder};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Which.
    pub metric: &'static Metric,
    /// Values of the metric's labels, in their order.
    pub labels: Vec<String>,
    /// A gauge as it is, a counter since the start.
    pub value: f64,
}

/// All figures of one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// Counters and gauges.
    pub values: Vec<Sample>,
    /// Histograms.
    pub histograms: Vec<Histogram>,
}

impl Samples {
    /// Samples of one metric.
    pub fn of(&self, metric: &Metric) -> impl Iterator<Item = &Sample> {
        self.values.iter().filter(move |s| s.metric.name == metric.name)
    }

    /// The sum over all labels of those samples whose label `name` has one of `values`; all where the metric has no
    /// such label. `None` where there is no such sample.
    pub fn sum(&self, metric: &Metric, name: &str, values: &[&str]) -> Option<f64> {
        let at = metric.labels.iter().position(|label| *label == name);
        let wanted = |s: &&Sample| at.is_none_or(|at| values.contains(&s.labels[at].as_str()));
        self.of(metric).filter(wanted).map(|s| s.value).reduce(|a, b| a + b)
    }

    /// One metric's histogram.
    pub fn histogram(&self, metric: &Metric) -> Option<&Histogram> {
        self.histograms.iter().find(|h| h.metric.name == metric.name)
    }
}

/// All figures of a status.
pub fn collect(status: &Status) -> Samples {
    let collector = Collector::default();
    with_local_recorder(&collector, || fill(status));
    Samples { values: collector.samples(), histograms: histograms(status) }
}

/// A recorder that keeps what it is told, as long as it is in the table of names.
#[derive(Debug, Default)]
pub struct Collector {
    kept: RefCell<Vec<Kept>>,
}

/// A metric, values of its labels, and where its figure comes to stand.
type Kept = (&'static Metric, Vec<String>, Arc<AtomicU64>);

impl Collector {
    /// What it was told.
    pub fn samples(&self) -> Vec<Sample> {
        let value = |metric: &Metric, bits: u64| match metric.kind {
            Kind::Counter => bits as f64,
            Kind::Gauge | Kind::Histogram => f64::from_bits(bits),
        };
        // Relaxed: written by this very thread.
        let read = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        let kept = self.kept.borrow();
        kept.iter()
            .map(|(metric, labels, cell)| Sample { metric, labels: labels.clone(), value: value(metric, read(cell)) })
            .collect()
    }

    fn keep(&self, key: &Key) -> Option<Arc<AtomicU64>> {
        let metric = super::names::find(key.name())?;
        let cell = Arc::<AtomicU64>::default();
        let labels = key.labels().map(|label| label.value().to_owned()).collect();
        self.kept.borrow_mut().push((metric, labels, cell.clone()));
        Some(cell)
    }
}

impl Recorder for Collector {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.keep(key).map_or_else(Counter::noop, Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.keep(key).map_or_else(Gauge::noop, Gauge::from_arc)
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::noop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::status::fixture;
    use crate::sink::metrics::names;

    #[test]
    fn figures_are_those_of_the_status() {
        let samples = collect(&fixture());
        assert_eq!(samples.sum(&names::REQUESTS, "class", &["refuse"]), Some(9.0));
        assert_eq!(samples.sum(&names::REQUESTS, "class", &["refuse", "forward"]), Some(1_009.0));
        assert_eq!(samples.sum(&names::REQUESTS, "class", &["nonsense"]), None);
        assert_eq!(samples.sum(&names::UPTIME, "", &[]), Some(61.5));
        let latency = samples.histogram(&names::ORIGIN_LATENCY).unwrap();
        assert_eq!((latency.bounds.as_slice(), latency.sum), ([0.01, 0.1].as_slice(), 1.5));
        let request = samples.of(&names::REQUESTS).next().unwrap();
        assert_eq!(request.labels, ["forwarded", "forward"]);
    }

    #[test]
    fn nothing_is_told_twice() {
        let samples = collect(&fixture());
        let mut seen = std::collections::HashSet::new();
        assert!(samples.values.iter().all(|s| seen.insert((s.metric.name, s.labels.clone()))));
    }
}
