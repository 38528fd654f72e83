//! From figures, once a second, to what is sent: growth of counters, samples of gauges, growth of buckets.

use super::series::{ALL, How, Series};
use crate::sink::metrics::names::Kind;
use crate::sink::metrics::{Sample, Samples};
use std::collections::{BTreeMap, HashMap};

/// The most different values in one datum.
const MOST_VALUES: usize = 150;

/// What CloudWatch takes for nothing rather than refuse it.
const SMALLEST: f64 = 1e-100;

/// What one series had in one second, or in one minute.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// Which.
    pub series: &'static Series,
    /// The value of its own dimension, if it has one.
    pub dimension: Option<String>,
    /// The first second that it covers: Unix time.
    pub at: u64,
    /// How many seconds it covers: 1 or 60.
    pub seconds: u64,
    /// Different values, and how often each was seen.
    pub values: Vec<(f64, f64)>,
}

type Labels = (&'static str, Vec<String>);

/// Values of a window that is still open; by their bits, which for values that are not negative keeps their order.
type Open = BTreeMap<(usize, Option<String>), BTreeMap<u64, f64>>;

/// Compares each second's figures with those before.
#[derive(Debug)]
pub struct Gather {
    by_second: bool,
    counters: HashMap<Labels, f64>,
    buckets: HashMap<&'static str, Vec<u64>>,
    /// Where the open windows of a second and of a minute begin.
    begun: [u64; 2],
    open: [Open; 2],
    looked: u64,
}

/// Lengths of the two windows.
const WINDOWS: [u64; 2] = [1, 60];

impl Gather {
    /// Nothing seen yet; what counters hold at the first look has happened since the start and counts.
    pub fn new(by_second: bool) -> Self {
        Self {
            by_second,
            counters: HashMap::new(),
            buckets: HashMap::new(),
            begun: [0; 2],
            open: [Open::new(), Open::new()],
            looked: 0,
        }
    }

    /// Takes the figures of now, and hands out what is whole.
    pub fn take(&mut self, samples: &Samples, unix: u64, out: &mut impl FnMut(Datum)) {
        for (which, length) in WINDOWS.iter().enumerate() {
            let begin = unix - unix % length;
            if begin != self.begun[which] {
                self.close_one(which, out);
                self.begun[which] = begin;
            }
        }
        let growth = self.growth(samples);
        // A second look within a second, as at the end, would count gauges twice.
        let first = std::mem::replace(&mut self.looked, unix) != unix;
        for (at, series) in ALL.iter().enumerate() {
            match series.how {
                How::Growth => self.grown(at, series, &growth),
                How::Total | How::Lowest | How::Highest | How::Place if first => self.gauge(at, series, samples),
                _ => {}
            }
        }
        self.spread(samples);
    }

    /// Hands out what is open, whole or not.
    pub fn close(&mut self, out: &mut impl FnMut(Datum)) {
        for which in 0..WINDOWS.len() {
            self.close_one(which, out);
        }
    }

    fn close_one(&mut self, which: usize, out: &mut impl FnMut(Datum)) {
        for ((at, dimension), values) in std::mem::take(&mut self.open[which]) {
            let values: Vec<_> = values.into_iter().map(|(bits, count)| (f64::from_bits(bits), count)).collect();
            for part in values.chunks(MOST_VALUES) {
                out(Datum {
                    series: &ALL[at],
                    dimension: dimension.clone(),
                    at: self.begun[which],
                    seconds: WINDOWS[which],
                    values: part.to_vec(),
                });
            }
        }
    }

    fn see(&mut self, at: usize, dimension: Option<String>, value: f64, count: f64) {
        if !value.is_finite() || value < 0.0 {
            return;
        }
        let value = if value < SMALLEST { 0.0 } else { value };
        let which = usize::from(!(self.by_second && ALL[at].fast));
        *self.open[which].entry((at, dimension)).or_default().entry(value.to_bits()).or_default() += count;
    }

    /// How much each counter has grown. One that shrank began anew, as with a limit that was taken out and came back.
    fn growth<'a>(&mut self, samples: &'a Samples) -> Vec<(&'a Sample, f64)> {
        let mut now = HashMap::with_capacity(self.counters.len());
        let counters = samples.values.iter().filter(|s| s.metric.kind == Kind::Counter);
        let grown = counters.map(|sample| {
            let key = (sample.metric.name, sample.labels.clone());
            let before = self.counters.get(&key).copied().unwrap_or(0.0);
            now.insert(key, sample.value);
            (sample, if sample.value < before { sample.value } else { sample.value - before })
        });
        let grown = grown.collect();
        self.counters = now;
        grown
    }

    fn grown(&mut self, at: usize, series: &Series, growth: &[(&Sample, f64)]) {
        let mut sums = BTreeMap::<_, f64>::new();
        for (sample, grown) in growth {
            // A dimension's metric is paid for from its first value on: none before it has something to say.
            let silent = series.by.is_some() && sample.value == 0.0;
            if sample.metric.name == series.of.name && series.takes(&sample.labels) && !silent {
                *sums.entry(series.dimension(&sample.labels)).or_default() += grown;
            }
        }
        for (dimension, sum) in sums {
            self.see(at, dimension, sum, 1.0);
        }
    }

    fn gauge(&mut self, at: usize, series: &Series, samples: &Samples) {
        let values = samples.of(series.of).filter(|s| series.takes(&s.labels)).map(|s| s.value);
        let value = match series.how {
            How::Highest => values.reduce(f64::max),
            How::Place => values.zip(0..).find(|(value, _)| *value == 1.0).map(|(_, place)| f64::from(place)),
            // Of a task's own parts all count together; the lowest is among tasks.
            _ => values.reduce(|a, b| a + b),
        };
        if let Some(value) = value {
            self.see(at, None, value, 1.0);
        }
    }

    fn spread(&mut self, samples: &Samples) {
        for histogram in &samples.histograms {
            let name = histogram.metric.name;
            let before = self.buckets.insert(name, histogram.counts.clone()).unwrap_or_default();
            let last = histogram.bounds.last().copied().unwrap_or_default();
            // What is beyond all bounds has to be some number: twice the last.
            let bounds = histogram.bounds.iter().copied().chain([2.0 * last]);
            let series = ALL.iter().position(|s| s.how == How::Spread && s.of.name == name);
            for ((bucket, count), bound) in histogram.counts.iter().enumerate().zip(bounds) {
                let before = before.get(bucket).copied().unwrap_or(0);
                let grown = if *count < before { *count } else { count - before };
                if let Some(at) = series.filter(|_| grown > 0) {
                    self.see(at, None, bound, grown as f64);
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "gather_tests.rs"]
mod tests;
