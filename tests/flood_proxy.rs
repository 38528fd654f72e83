//! A flood through the running proxy, in real time, beside the same flood in the simulator: the same counts within 1 %.
//!
//! Minutes long, and it needs a machine with nothing else to do: `make flood-proxy` runs it (SCENARIOS="botnet mimic").
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, Response};
use common::origin::{Origin, respond};
use common::{Weir, config};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use weir::base::clock;
use weir::client::key::ClientKey;
use weir::flood::history::{History, Sizes};
use weir::limit::seeds::Seeds;
use weir::simulate::campaign::request;
use weir::simulate::engine::Engine;
use weir::simulate::scenario::{self, Attackers, Background, Event, Kind, Scenario};
use weir::verdict::Fate;
use weir::verdict::policy::Networks;

/// Seconds of the scenario before the onset, and from it on.
const PART: (f64, f64) = (60.0, 90.0);
/// Connections of the load balancer that this plays; more than may ever be in flight and in line.
const SENDERS: usize = 256;
/// How long the origin takes: what the simulator assumes.
const SERVICE: Duration = Duration::from_millis(50);

fn rules(challenge: bool) -> String {
    format!(
        "[flood]\nenabled = true\n[flood.history]\nfile = \"history\"\n[flood.challenge]\nenabled = {challenge}\n\
         [[limit]]\nname = \"per-client\"\nrate = \"10/s\"\nburst = 100\n"
    )
}

fn whole_config(origin: SocketAddr, challenge: bool) -> String {
    config(origin, &rules(challenge)).replace("\"50000/s\"", "\"300/s\"").replace("= 10000", "= 512")
}

/// How many requests of known clients, new ones and attackers were forwarded.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    all: [usize; 3],
    forwarded: [usize; 3],
}

impl Counts {
    fn note(&mut self, kind: Kind, forwarded: bool) {
        self.all[kind as usize] += 1;
        self.forwarded[kind as usize] += usize::from(forwarded);
    }
}

/// The part of the scenario that is played, and all that came before it.
fn parts(scenario: &Scenario) -> (Vec<&Event>, Vec<&Event>) {
    let (from, to) = (scenario.onset - PART.0, scenario.onset + PART.1);
    let before = scenario.history.iter().chain(scenario.events.iter().filter(|e| e.t < from));
    (before.collect(), scenario.events.iter().filter(|e| (from..to).contains(&e.t)).collect())
}

fn simulated(scenario: &Scenario, toml: &str) -> Counts {
    let settings = weir::config::load_str(toml, "flood_proxy").unwrap().settings;
    let mut engine = Engine::new(Arc::new(settings), &Networks::default(), 1);
    let (before, played) = parts(scenario);
    before.iter().for_each(|e| engine.learn(&request(e)));
    let mut counts = Counts::default();
    played.iter().for_each(|e| counts.note(e.kind, engine.step(&request(e)).fate == Fate::Forward));
    counts
}

/// What the proxy is to know of those who came before, as if it had seen them up to now.
fn history(before: &[&Event], start: f64) -> Vec<u8> {
    let unix = clock::unix_nanos(clock::now()) / 1_000_000_000;
    let oldest = before.first().map_or(0.0, |e| start - e.t) + 1.0;
    let history = History::new(Sizes::default(), Seeds::random(), unix - oldest as u64);
    let at = |t: f64| clock::Time::from_nanos(((t - start + oldest) * 1e9) as u64);
    for event in before.iter().filter(|e| History::good_status(e.status)) {
        history.good(ClientKey::new(event.client, 64), at(event.t));
    }
    let folder = tempfile::tempdir().unwrap();
    history.save(&folder.path().join("history"), at(start)).unwrap();
    std::fs::read(folder.path().join("history")).unwrap()
}

/// Browsers: one for each address and agent, with the cookies that it holds.
type Jars = Mutex<HashMap<(std::net::IpAddr, Arc<str>), String>>;

/// Sends `event` as its client would, redirects followed; whether the origin answered in the end.
fn is_served(client: &mut Client, weir: SocketAddr, event: &Event, jars: &Jars) -> bool {
    let jar = (event.client, event.user_agent.clone());
    let query = if event.has_query { "?q=1" } else { "" };
    let mut target = format!("{}{query}", event.path);
    for _ in 0..5 {
        let cookie = jars.lock().unwrap().get(&jar).map_or(String::new(), |c| format!("Cookie: {c}\r\n"));
        let length = if matches!(&*event.method, "GET" | "HEAD") { "" } else { "Content-Length: 0\r\n" };
        let (address, agent, status) = (event.client, &event.user_agent, event.status);
        let text = format!(
            "{} {target} HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: {address}\r\nUser-Agent: {agent}\r\n\
             Accept: text/html\r\nX-Status: {status}\r\n{cookie}{length}\r\n",
            event.method
        );
        let Some(answer) = ask(client, weir, &text, &*event.method == "HEAD") else { return false };
        if event.solves
            && let Some(cookie) = answer.header("set-cookie").split(';').next().filter(|c| !c.is_empty())
        {
            jars.lock().unwrap().insert(jar.clone(), cookie.to_owned());
        }
        match answer.header("location") {
            _ if !answer.header("x-origin").is_empty() => return true,
            to if to.starts_with('/') && (event.solves || !to.starts_with("/.well-known/weir/c")) => {
                to.clone_into(&mut target)
            }
            _ => return false,
        }
    }
    false
}

/// One request, on a fresh connection where the old one was closed.
fn ask(client: &mut Client, weir: SocketAddr, text: &str, head: bool) -> Option<Response> {
    for _ in 0..2 {
        let sent = std::io::Write::write_all(&mut client.socket, text.as_bytes()).is_ok();
        if let Some(answer) = sent.then(|| client.try_read(head)).flatten() {
            if answer.header("connection") == "close" {
                *client = Client::connect(weir);
            }
            return Some(answer);
        }
        *client = Client::connect(weir);
    }
    None
}

fn through_the_proxy(scenario: &Scenario) -> Counts {
    let origin = Origin::answering(|request, socket| {
        std::thread::sleep(SERVICE);
        let status = request.header("x-status");
        respond(socket, &format!("{} Said", if status == "0" { "200" } else { &status }), &[("x-origin", "1")], b"");
        true
    });
    let (before, played) = parts(scenario);
    let from = scenario.onset - PART.0;
    let file = history(&before, from);
    let weir = Weir::start_with(&whole_config(origin.address, scenario.challenge), &[("history", &file)]);
    let (counts, jars, next) = (Mutex::new(Counts::default()), Jars::default(), AtomicUsize::new(0));
    let start = Instant::now();
    let late = Mutex::new(Duration::ZERO);
    std::thread::scope(|threads| {
        for _ in 0..SENDERS {
            threads.spawn(|| {
                let mut client = Client::connect(weir.http);
                // Relaxed: a lone counter.
                while let Some(event) = played.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let due = Duration::from_secs_f64(event.t - from);
                    std::thread::sleep(due.saturating_sub(start.elapsed()));
                    let delay = start.elapsed().saturating_sub(due);
                    let served = is_served(&mut client, weir.http, event, &jars);
                    counts.lock().unwrap().note(event.kind, served);
                    let mut late = late.lock().unwrap();
                    *late = late.max(delay);
                }
            });
        }
    });
    println!("{}: the latest request was {:?} late", scenario.name, late.into_inner().unwrap());
    counts.into_inner().unwrap()
}

#[test]
#[ignore = "minutes of real time: make flood-proxy"]
fn a_flood_meets_the_same_in_the_proxy_and_in_the_simulator() {
    let names = std::env::var("SCENARIOS").unwrap_or_else(|_| "botnet".into());
    let (background, attackers) = (Background::generated(1), Attackers::generated(1));
    for name in names.split_whitespace() {
        let scenario = scenario::build(name, 1, &background, &attackers).unwrap();
        let expected =
            simulated(&scenario, &common::fill(&whole_config("127.0.0.1:9".parse().unwrap(), scenario.challenge)));
        let real = through_the_proxy(&scenario);
        println!("{name}: known, new, attackers: simulated {expected:?}, through the proxy {real:?}");
        let all: usize = expected.all.iter().sum();
        for (is, was) in real.forwarded.iter().zip(expected.forwarded) {
            assert!(is.abs_diff(was) * 100 <= all, "{name}: differs by more than 1 % of {all}: {real:?} {expected:?}");
        }
    }
}
