//! The last hour, a sample a second, in memory of a fixed size: what the live page's charts scroll back through.

mod sampler;

pub use sampler::{Sampled, run};

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// How many samples are kept: an hour of them.
pub const CAPACITY: usize = 3_600;

/// How samples are made into one where fewer are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fold {
    Mean,
    Max,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $key:literal, $fold:ident;)*) => {
        /// What a sample holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Field { $($(#[$doc])* $name),* }

        impl Field {
            /// All, in the order of a sample.
            pub const ALL: &'static [Field] = &[$(Field::$name),*];
        }

        /// Names and folds, in the order of [`Field`].
        const TABLE: &[(&str, Fold)] = &[$(($key, Fold::$fold)),*];
    };
}

fields! {
    /// The flood detector's state: 0 normal, 1 elevated, 2 attack, 3 overload.
    State = "state", Max;
    /// Requests that ended, a second.
    Offered = "offered", Mean;
    /// Of those, passed on to the origin and answered.
    Forwarded = "forwarded", Mean;
    /// Refused by a limit.
    Limit = "limit", Mean;
    /// Refused by a ban or the deny list.
    Ban = "ban", Mean;
    /// Refused because of a flood.
    Flood = "flood", Mean;
    /// Refused for want of the origin's capacity.
    Full = "full", Mean;
    /// Refused for how they were sent: malformed, too large, too slow.
    Malformed = "malformed", Mean;
    /// Asked for proof.
    Challenged = "challenged", Mean;
    /// Failed by the origin, or by weir.
    Errors = "errors", Mean;
    /// What the origin can bear in a second.
    Capacity = "capacity", Mean;
    /// What is usual in a second.
    Usual = "usual", Mean;
    /// Requests in flight.
    InFlight = "in_flight", Max;
    /// The origin's first byte, in ms: half were faster.
    P50 = "p50", Max;
    /// The same for 95 of 100.
    P95 = "p95", Max;
    /// Bans that hold.
    Bans = "bans", Max;
    /// Different clients within ten seconds.
    Clients = "clients", Max;
}

/// How many values a sample has.
pub const FIELDS: usize = Field::ALL.len();

/// How one second went. A value that nothing is known of is not a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The second, since 1970.
    pub at: u32,
    /// By [`Field`].
    pub values: [f32; FIELDS],
}

impl Sample {
    /// A second of which nothing is known.
    pub const fn blank(at: u32) -> Self {
        Self { at, values: [f32::NAN; FIELDS] }
    }

    /// One of its values.
    pub fn get(&self, field: Field) -> f32 {
        self.values[field as usize]
    }

    /// Sets one of its values.
    pub fn set(&mut self, field: Field, value: f64) {
        self.values[field as usize] = value as f32;
    }

    /// As a JSON array: the second, then the values.
    pub fn json(&self) -> String {
        let mut out = format!("[{}", self.at);
        for value in self.values {
            out.push(',');
            number(&mut out, value);
        }
        out + "]"
    }
}

/// The samples of the last hour.
#[derive(Debug)]
pub struct Timeline {
    samples: Mutex<VecDeque<Sample>>,
    newest: watch::Sender<u32>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { samples: Mutex::new(VecDeque::with_capacity(CAPACITY)), newest: watch::Sender::new(0) }
    }
}

impl Timeline {
    /// All its memory, taken at the start.
    pub const fn memory() -> usize {
        CAPACITY * size_of::<Sample>()
    }

    /// Puts in the next second; one that is not newer than the last is left out.
    pub fn add(&self, sample: Sample) {
        {
            let mut samples = self.samples();
            if samples.back().is_some_and(|last| last.at >= sample.at) {
                return;
            }
            if samples.len() == CAPACITY {
                samples.pop_front();
            }
            samples.push_back(sample);
        }
        self.newest.send_replace(sample.at);
    }

    /// The newest sample.
    pub fn last(&self) -> Option<Sample> {
        self.samples().back().copied()
    }

    /// Tells of each new sample.
    pub fn watch(&self) -> watch::Receiver<u32> {
        self.newest.subscribe()
    }

    /// The seconds from `from` to `to`, both included, `step` of them made into one, as JSON: one array a field.
    pub fn json(&self, from: u32, to: u32, step: u32) -> String {
        let step = step.clamp(1, CAPACITY as u32);
        let chosen: Vec<Sample> = self.samples().iter().filter(|s| (from..=to).contains(&s.at)).copied().collect();
        let rows: Vec<Sample> = chosen.chunk_by(|a, b| a.at / step == b.at / step).map(|of| fold(of, step)).collect();
        let mut out = format!("{{\"step\":{step},\"at\":[");
        separated(&mut out, &rows, |out, row| out.push_str(&row.at.to_string()));
        out += "],\"fields\":{";
        separated(&mut out, Field::ALL, |out, field| {
            let _ = write!(out, "\"{}\":[", TABLE[*field as usize].0);
            separated(out, &rows, |out, row| number(out, row.get(*field)));
            out.push(']');
        });
        out + "}}"
    }

    fn samples(&self) -> MutexGuard<'_, VecDeque<Sample>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn separated<T>(out: &mut String, items: &[T], mut write: impl FnMut(&mut String, &T)) {
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        write(out, item);
    }
}

/// Samples of the same `step` seconds as one; what is not known of some is made of the others.
fn fold(of: &[Sample], step: u32) -> Sample {
    let mut one = Sample::blank(of[0].at / step * step);
    for (n, (_, fold)) in TABLE.iter().enumerate() {
        let known = of.iter().map(|s| s.values[n]).filter(|v| !v.is_nan());
        let count = known.clone().count() as f32;
        one.values[n] = match fold {
            Fold::Mean => known.sum::<f32>() / count,
            Fold::Max => known.fold(f32::NAN, f32::max),
        };
    }
    one
}

/// To a tenth, or whole where that says enough.
fn number(out: &mut String, value: f32) {
    // Writing to a string can't fail.
    let _ = match value {
        v if !v.is_finite() => write!(out, "null"),
        v if v.abs() >= 100.0 => write!(out, "{}", v.round()),
        v => write!(out, "{}", (v * 10.0).round() / 10.0),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at: u32, offered: f64) -> Sample {
        let mut sample = Sample::blank(at);
        sample.set(Field::Offered, offered);
        sample.set(Field::InFlight, offered);
        sample
    }

    fn read(timeline: &Timeline, from: u32, to: u32, step: u32) -> serde_json::Value {
        serde_json::from_str(&timeline.json(from, to, step)).unwrap()
    }

    #[test]
    fn an_hour_is_kept_in_memory_that_does_not_grow() {
        let timeline = Timeline::default();
        let room = timeline.samples().capacity();
        for at in 1..=CAPACITY as u32 + 100 {
            timeline.add(sample(at, 1.0));
        }
        let samples = timeline.samples();
        assert_eq!((samples.len(), samples.capacity()), (CAPACITY, room));
        assert_eq!(samples.front().unwrap().at, 101);
        assert!(room * size_of::<Sample>() <= 400_000 && Timeline::memory() <= 400_000);
    }

    #[test]
    fn a_second_comes_once_and_every_new_one_is_told() {
        let timeline = Timeline::default();
        let mut told = timeline.watch();
        timeline.add(sample(7, 1.0));
        assert_eq!(*told.borrow_and_update(), 7);
        timeline.add(sample(7, 2.0));
        timeline.add(sample(6, 2.0));
        assert!(!told.has_changed().unwrap());
        assert_eq!(timeline.last().unwrap().get(Field::Offered), 1.0);
    }

    #[test]
    fn a_range_is_given_by_the_second_or_folded() {
        let timeline = Timeline::default();
        for at in 100..120 {
            timeline.add(sample(at, f64::from(at)));
        }
        let fine = read(&timeline, 105, 107, 1);
        assert_eq!(fine["at"], serde_json::json!([105, 106, 107]));
        assert_eq!(fine["fields"]["offered"], serde_json::json!([105, 106, 107]));
        assert_eq!(fine["fields"]["p95"], serde_json::json!([null, null, null]));
        let coarse = read(&timeline, 100, u32::MAX, 10);
        assert_eq!(coarse["at"], serde_json::json!([100, 110]));
        // The mean of 100 to 109 is 104.5.
        assert_eq!(coarse["fields"]["offered"], serde_json::json!([105, 115]));
        assert_eq!(coarse["fields"]["in_flight"], serde_json::json!([109, 119]));
        assert_eq!(read(&timeline, 200, 100, 0)["at"], serde_json::json!([]));
    }

    #[test]
    fn a_sample_is_an_array_of_short_numbers() {
        let mut sample = sample(9, 12.345);
        sample.set(Field::State, 2.0);
        let text = sample.json();
        assert!(text.starts_with("[9,2,12.3,null,"), "{text}");
        let values: Vec<Option<f64>> = serde_json::from_str(&text).unwrap();
        assert_eq!(values.len(), FIELDS + 1);
    }
}
