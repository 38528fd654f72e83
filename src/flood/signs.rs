//! What an excess is made of, and what that says: programs, or people.

use super::baseline::Baseline;
use super::detector::{NOTICE, Readings};
use super::state::{Cause, Evidence};
use super::window::{SIGNALS, Signal, Window};

/// An excess below this many times the capacity says nothing by its assets: in its first second a crowd has none.
const FAST_EXCESS: f64 = 2.0;
/// An excess with fewer assets than this fetches pages without what they are made of.
const FEW_ASSETS: f64 = 0.15;
/// A site whose own share of assets is below this has none to miss.
const OWN_ASSETS: f64 = 0.15;
/// Unknown clients, or one group, make up more of the excess than this.
const ONE_KIND: f64 = 0.6;
/// An excess of writes below this many times the capacity is left to the limits.
const WRITE_EXCESS: f64 = 0.5;
/// Writes make up more of the excess than this.
const MOSTLY_WRITES: f64 = 0.8;
/// A site of whose own traffic writes of unknown clients are more than this says nothing by them: it is an API.
const OWN_WRITES: f64 = 0.2;
/// Outcomes of challenges that are needed to say: programs.
const OUTCOMES: f64 = 30.0;
/// Programs solve fewer.
const PROGRAMS_SOLVE: f64 = 0.5;
/// Outcomes of challenges that are needed to say: people.
const OUTCOMES_OF_PEOPLE: f64 = 100.0;
/// People solve more.
const PEOPLE_SOLVE: f64 = 0.7;

/// Above this share of what may be in flight, by what the paths usually take, is harm.
const COSTLY: f64 = 0.8;
/// Below this share is calm.
const CHEAP: f64 = 0.6;

/// What the last second and the last five amount to.
#[derive(Clone, Copy, Debug)]
pub struct Signs {
    /// The figures.
    pub evidence: Evidence,
    /// The origin answers late, with errors, or holds nearly all it may.
    pub origin_suffers: bool,
    /// What was offered would hold nearly all that may be in flight, and usually does not.
    pub costly: bool,
    /// It would hold little of it.
    pub cheap: bool,
    informative: bool,
    seldom_writes: bool,
    one_group: f64,
    capacity: f64,
    challenge: bool,
}

impl Signs {
    /// Reads the windows.
    pub fn read(window: &Window, usual: &[Baseline; SIGNALS], readings: &Readings) -> Self {
        let evidence = excess(window, usual, readings);
        let per_second = |signal: Signal| usual[signal as usize].per_second();
        let groups = [Signal::OldAddress, Signal::Young, Signal::OldNet];
        let (most, usually) = (f64::from(readings.in_flight.1), per_second(Signal::Cost) / 1e3);
        let grown = groups.map(|g| (window.second(g) - per_second(g)) / evidence.excess.max(1.0));
        Self {
            costly: evidence.expected > COSTLY * most && evidence.expected > 1.5 * usually + 3.0,
            cheap: evidence.expected < CHEAP * most,
            origin_suffers: suffers(window, usual, readings, &evidence),
            informative: per_second(Signal::Assets) > OWN_ASSETS * per_second(Signal::Total),
            seldom_writes: per_second(Signal::WriteNew) <= OWN_WRITES * per_second(Signal::Hard),
            one_group: grown.into_iter().fold(0.0, f64::max),
            capacity: readings.capacity,
            challenge: readings.challenge,
            evidence,
        }
    }

    /// What says that these are programs, if anything does.
    pub fn of_attack(&self) -> Option<Cause> {
        let e = &self.evidence;
        if e.excess > WRITE_EXCESS * self.capacity && e.writes > MOSTLY_WRITES && self.seldom_writes {
            return Some(Cause::Logins);
        }
        let one_kind = e.unknown > ONE_KIND || e.writes > ONE_KIND || self.one_group > ONE_KIND;
        if e.excess > FAST_EXCESS * self.capacity && e.assets < FEW_ASSETS && self.informative && one_kind {
            return Some(Cause::NoAssets);
        }
        let unsolved = self.challenge && e.outcomes >= OUTCOMES && e.solved < PROGRAMS_SOLVE;
        unsolved.then_some(Cause::Unsolved)
    }

    /// What the harm is that is no attack.
    pub fn cause_of_harm(&self) -> Cause {
        match (self.origin_suffers, self.costly) {
            (true, _) => Cause::Origin,
            (false, true) => Cause::Costly,
            (false, false) => Cause::Load,
        }
    }

    /// Whether challenges say that these are people.
    pub fn are_people(&self) -> bool {
        self.evidence.outcomes >= OUTCOMES_OF_PEOPLE && self.evidence.solved > PEOPLE_SOLVE
    }
}

/// The figures of the moment.
pub fn excess(window: &Window, usual: &[Baseline; SIGNALS], readings: &Readings) -> Evidence {
    let over = |signal: Signal| window.second(signal) - usual[signal as usize].per_second();
    let (hard, total) = (over(Signal::Hard).max(1.0), over(Signal::Total).max(1.0));
    let (outcomes, solved) = window.outcomes();
    let answers = window.rate(Signal::Answers);
    let mean = |signal: Signal| if answers > 0.0 { window.rate(signal) / answers } else { 0.0 };
    Evidence {
        offered: window.second(Signal::Total),
        capacity: readings.capacity,
        usual: usual[Signal::Total as usize].per_second(),
        excess: over(Signal::Hard).max(0.0),
        assets: over(Signal::Assets) / total,
        unknown: over(Signal::HardNew) / hard,
        writes: over(Signal::WriteNew) / hard,
        outcomes,
        solved,
        in_flight: readings.in_flight.0,
        expected: window.second(Signal::Cost) / 1e3,
        latency_ms: mean(Signal::Latency),
        errors: mean(Signal::Errors),
    }
}

/// Signs of an origin that has had enough, whatever the capacity in the config says.
fn suffers(window: &Window, usual: &[Baseline; SIGNALS], readings: &Readings, evidence: &Evidence) -> bool {
    let (in_flight, most) = readings.in_flight;
    let answers = window.rate(Signal::Answers) * 5.0;
    let usual_answers = usual[Signal::Answers as usize].per_second().max(0.1);
    let usual_of = |signal: Signal| usual[signal as usize].per_second() / usual_answers;
    let late = answers >= 50.0 && evidence.latency_ms > (4.0 * usual_of(Signal::Latency)).max(500.0);
    let failing = answers >= 50.0 && evidence.errors > (4.0 * usual_of(Signal::Errors)).max(0.2);
    // Much more than usual must come in, else the origin's trouble is its own.
    let more = evidence.offered > (1.5 * evidence.usual + 3.0).max(NOTICE * readings.capacity);
    more && (late || failing || f64::from(in_flight) > 0.8 * f64::from(most))
}
