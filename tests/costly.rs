//! Few requests that cost much: 100 searches of a second each, a second, against an origin that bears 50 in flight.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use weir::flood::state::{Cause, FloodState};
use weir::simulate::engine::{Engine, Request, at};
use weir::verdict::policy::Networks;
use weir::verdict::reason::Reason;
use weir::verdict::{Fate, Verdict};

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const PAGE: Duration = Duration::from_millis(40);
const SEARCH: Duration = Duration::from_secs(1);
/// When it begins, in seconds since 1970.
const START: f64 = 300_000.0;
/// Searches begin to pour in.
const ONSET: u32 = 600;
/// The flood is known to last so long.
const END: u32 = ONSET + 120;
/// Time for the flood to be seen.
const SEEN: u32 = 3;

fn engine(flood: &str) -> Engine {
    let text = format!(
        "[listen]\nhttp = [\"127.0.0.1:0\"]\n[client]\naddress_from = \"peer\"\n\
         [origin]\naddresses = [\"192.0.2.200:80\"]\ncapacity = \"500/s\"\nmax_in_flight = 50\n\
         [flood]\nenabled = {flood}\n[flood.challenge]\nenabled = false\n"
    );
    let settings = weir::config::load_str(&text, "costly.toml").unwrap().settings;
    let mut engine = Engine::new(Arc::new(settings), &Networks::default(), 7);
    // Regulars have been here for days.
    for day in 0..3 {
        for n in 0..40 {
            let t = f64::from(day) * 90_000.0;
            engine.learn(&request(t + f64::from(n), regular(n), "/page", false));
        }
    }
    engine
}

fn request(t: f64, client: IpAddr, path: &'static str, solves: bool) -> Request<'static> {
    Request { t, client, method: "GET", path, query: false, status: 200, user_agent: AGENT, solves }
}

fn regular(n: u32) -> IpAddr {
    Ipv4Addr::from(0xc633_6400 + n % 40).into()
}

fn stranger(n: u32) -> IpAddr {
    Ipv4Addr::from(0x0a00_0000 + n.wrapping_mul(0x9e37_79b9) % (1 << 24)).into()
}

/// What became of the flood's time, once it was seen.
#[derive(Debug, Default)]
struct Outcome {
    cheap: u32,
    cheap_refused: u32,
    searches_of_regulars: u32,
    searches_of_regulars_refused: u32,
    attack: u32,
    attack_forwarded: u32,
    costly: u32,
    most_in_flight: u32,
}

impl Outcome {
    fn note(&mut self, kind: Kind, verdict: &Verdict) {
        let refused = u32::from(verdict.fate != Fate::Forward);
        match kind {
            Kind::Cheap => (self.cheap, self.cheap_refused) = (self.cheap + 1, self.cheap_refused + refused),
            Kind::Regular => {
                self.searches_of_regulars += 1;
                self.searches_of_regulars_refused += refused;
            }
            Kind::Attack => {
                (self.attack, self.attack_forwarded) = (self.attack + 1, self.attack_forwarded + 1 - refused)
            }
        }
        self.costly += u32::from(verdict.reason == Reason::FloodCostly);
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Cheap,
    Regular,
    Attack,
}

/// Twenty pages a second, half of them of strangers, a search every other second; then the flood from `bots` clients.
fn run(engine: &mut Engine, bots: u32) -> Outcome {
    let mut outcome = Outcome::default();
    for n in 0..END * 100 {
        // A hundredth of a second each.
        let (second, within) = (n / 100, n % 100);
        let mut send = |client, path, took, kind| {
            let verdict = engine.step_taking(&request(START + f64::from(n) * 0.01, client, path, true), took);
            if second >= ONSET + SEEN {
                outcome.note(kind, &verdict);
            }
        };
        if second >= ONSET {
            send(stranger((1 << 20) | (n % bots)), "/search", SEARCH, Kind::Attack);
        }
        match within % 10 {
            3 => send(regular(n / 10), "/page", PAGE, Kind::Cheap),
            7 => send(stranger(n / 50), "/page", PAGE, Kind::Cheap),
            5 if n % 200 == 5 => send(regular(n / 200), "/search", SEARCH, Kind::Regular),
            _ => {}
        }
        outcome.most_in_flight = outcome.most_in_flight.max(engine.state().in_flight.total());
    }
    outcome
}

#[test]
fn cheap_requests_survive_a_flood_of_dear_ones() {
    for bots in [100, 1_000, 10_000] {
        let mut engine = engine("true");
        let outcome = run(&mut engine, bots);
        assert_eq!((outcome.cheap_refused, outcome.searches_of_regulars_refused), (0, 0), "{bots}: {outcome:?}");
        assert!(outcome.costly > 0 && outcome.most_in_flight <= 50, "{bots}: {outcome:?}");
        let seen = engine.changes().iter().find(|c| c.to == FloodState::Overload).unwrap();
        assert_eq!(seen.cause, Cause::Costly);
        let after = seen.at.since(at(START + f64::from(ONSET)));
        assert!(after <= Duration::from_secs(2), "seen after {after:?}");
    }
}

#[test]
fn without_it_they_do_not() {
    let outcome = run(&mut engine("false"), 1_000);
    assert!(outcome.cheap_refused * 5 > outcome.cheap, "{outcome:?}");
}

#[test]
fn few_clients_soon_pay_with_their_own_limit() {
    let outcome = run(&mut engine("true"), 20);
    // 100/s were asked for.
    assert!(outcome.attack_forwarded < outcome.attack / 10, "{outcome:?}");
}

#[test]
fn usual_searches_are_no_alarm_and_the_state_ends() {
    let mut engine = engine("true");
    let outcome = run(&mut engine, u32::MAX);
    assert!(outcome.attack > 0);
    engine.advance(at(START + f64::from(END) + 120.0));
    assert_eq!(engine.state().flood.view().state, FloodState::Normal);
    let before = engine.changes().iter().filter(|c| c.at < at(START + f64::from(ONSET))).count();
    assert_eq!(before, 0);
}
