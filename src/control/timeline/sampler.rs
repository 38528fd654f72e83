//! Takes a sample each second: differences of counters, and what the gauges say.

use super::{Field, Sample, Timeline};
use crate::base::clock::{self, Time};
use crate::verdict::counters::{LATENCY_BOUNDS_MS, Snapshot};
use crate::verdict::reason::{Class, Reason};
use crate::verdict::{Policy, State};
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// Where samples come from, and where they go.
pub struct Sampled {
    /// Where they go.
    pub timeline: Arc<Timeline>,
    /// For the capacity.
    pub policy: Arc<ArcSwap<Policy>>,
    /// For everything else.
    pub state: Arc<State>,
    /// How many bans hold.
    pub bans: Box<dyn Fn(Time) -> u64 + Send + Sync>,
}

/// Takes a sample at every full second until `stop`.
pub async fn run(sampled: Sampled, mut stop: watch::Receiver<bool>) {
    let work = async {
        let mut before = (clock::now(), sampled.state.counters.snapshot());
        loop {
            let past = clock::unix_nanos(clock::now()) % SECOND;
            tokio::time::sleep(Duration::from_nanos(SECOND - past)).await;
            let now = (clock::now(), sampled.state.counters.snapshot());
            sampled.timeline.add(sampled.sample(&before, &now));
            before = now;
        }
    };
    tokio::select! {
        () = work => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

impl Sampled {
    fn sample(&self, (then, old): &(Time, Snapshot), (now, new): &(Time, Snapshot)) -> Sample {
        let mut sample = Sample::blank((clock::unix_nanos(*now) / SECOND) as u32);
        traffic(&mut sample, old, new, now.since(*then).as_secs_f64());
        latency(&mut sample, old, new);
        let view = self.state.flood.view();
        sample.set(Field::State, f64::from(view.state as u8));
        sample.set(Field::Usual, view.evidence.usual);
        sample.set(Field::Capacity, self.policy.load().capacity_per_second);
        sample.set(Field::InFlight, f64::from(self.state.in_flight.total()));
        sample.set(Field::Bans, (self.bans)(*now) as f64);
        sample.set(Field::Clients, self.state.flood.offenders.clients().all.round());
        sample
    }
}

/// Whatever ended in that time, by how it ended.
fn traffic(sample: &mut Sample, old: &Snapshot, new: &Snapshot, seconds: f64) {
    let mut sums = Sample { at: 0, values: [0.0; super::FIELDS] };
    for reason in Reason::ALL {
        let ended = new.ended(*reason).saturating_sub(old.ended(*reason)) as f64;
        for field in [Some(Field::Offered), field_of(*reason)].into_iter().flatten() {
            sums.set(field, f64::from(sums.get(field)) + ended);
        }
    }
    const COUNTED: [Field; 9] = [
        Field::Offered,
        Field::Forwarded,
        Field::Limit,
        Field::Ban,
        Field::Flood,
        Field::Full,
        Field::Malformed,
        Field::Challenged,
        Field::Errors,
    ];
    for field in COUNTED {
        sample.set(field, f64::from(sums.get(field)) / seconds.max(0.001));
    }
}

/// Where a request that ended so is counted, beside what was offered.
fn field_of(reason: Reason) -> Option<Field> {
    Some(match reason {
        Reason::Ban | Reason::DenyList => Field::Ban,
        Reason::Limit | Reason::ClientInFlight | Reason::ClientConnections => Field::Limit,
        Reason::OriginCapacity | Reason::OriginInFlight | Reason::ConnectionLimit | Reason::ConnectionShed => {
            Field::Full
        }
        Reason::Challenge | Reason::Probe => Field::Challenged,
        Reason::ChallengeFailed
        | Reason::FloodClient
        | Reason::FloodPages
        | Reason::FloodLogins
        | Reason::FloodAgents
        | Reason::FloodNewcomers
        | Reason::FloodNetworks
        | Reason::FloodCostly
        | Reason::Overload => Field::Flood,
        other => match other.class() {
            Class::Forward => Field::Forwarded,
            Class::Refuse => Field::Malformed,
            Class::Fault => Field::Errors,
            Class::Gone | Class::Own => return None,
        },
    })
}

/// Upper bounds, as everywhere; twice the last one stands for what is beyond it.
fn latency(sample: &mut Sample, old: &Snapshot, new: &Snapshot) {
    let counts: Vec<u64> = new.latency.iter().zip(old.latency).map(|(n, o)| n.saturating_sub(o)).collect();
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return;
    }
    for (field, share) in [(Field::P50, 0.5), (Field::P95, 0.95)] {
        let wanted = (total as f64 * share).ceil() as u64;
        let mut seen = 0;
        let bucket = counts.iter().position(|n| {
            seen += n;
            seen >= wanted
        });
        let beyond = 2 * LATENCY_BOUNDS_MS[LATENCY_BOUNDS_MS.len() - 1];
        let bound = bucket.and_then(|at| LATENCY_BOUNDS_MS.get(at)).unwrap_or(&beyond);
        sample.set(field, *bound as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::verdict::policy::Networks;

    #[test]
    fn a_sample_is_what_happened_between_two_looks() {
        let text = "[origin]\naddresses = [\"127.0.0.1:9000\"]\ncapacity = \"500/s\"\n";
        let settings = Arc::new(config::load_str(text, "test").unwrap().settings);
        let state = Arc::new(State::new());
        let policy = Policy::compile(settings, &Networks::default(), &state, clock::now());
        let policy = Arc::new(ArcSwap::from_pointee(policy));
        let sampled = Sampled { timeline: Arc::default(), policy, state: state.clone(), bans: Box::new(|_| 3) };
        let counters = &state.counters;
        counters.ended(Reason::Forwarded);
        let (then, old) = (clock::now(), counters.snapshot());
        for (reason, times) in [
            (Reason::Forwarded, 20),
            (Reason::Limit, 6),
            (Reason::DenyList, 4),
            (Reason::FloodPages, 2),
            (Reason::OriginTimeout, 8),
            (Reason::BadRequest, 10),
            (Reason::Challenge, 12),
            (Reason::ClientGone, 2),
        ] {
            (0..times).for_each(|_| counters.ended(reason));
        }
        (0..9).for_each(|_| counters.origin_latency(Duration::from_millis(3)));
        counters.origin_latency(Duration::from_secs(90));
        let later = (then + Duration::from_secs(2), counters.snapshot());
        let sample = sampled.sample(&(then, old), &later);
        let shown = |fields: &[Field]| fields.iter().map(|f| sample.get(*f)).collect::<Vec<_>>();
        assert_eq!(shown(&[Field::Offered, Field::Forwarded, Field::Limit, Field::Ban]), [32.0, 10.0, 3.0, 2.0]);
        assert_eq!(shown(&[Field::Flood, Field::Errors, Field::Malformed, Field::Challenged]), [1.0, 4.0, 5.0, 6.0]);
        assert_eq!(shown(&[Field::P50, Field::P95, Field::Bans, Field::Capacity]), [5.0, 60_000.0, 3.0, 500.0]);
        let idle = sampled.sample(&later, &later);
        assert!(idle.get(Field::P50).is_nan() && idle.get(Field::Offered) == 0.0);
    }

    #[test]
    fn every_refusal_has_its_line() {
        for reason in Reason::ALL {
            let counted = field_of(*reason).is_some();
            assert_eq!(counted, !matches!(reason, Reason::ClientGone | Reason::ChallengePassed | Reason::ProbeFailed));
        }
    }
}
