//! The scenarios by name.

use super::attack::Target;
use super::attackers::Attackers;
use super::background::Background;
use super::crowd::Crowd;
use super::random::Random;
use super::stage::Stage;
use super::{Kind, LENGTH, ONSET, Scenario, WINDOW};
use std::sync::{Arc, OnceLock};

/// How a scenario comes about.
type Play = fn(&mut Stage) -> Result<(), String>;

/// One scenario of the catalog.
struct Entry {
    name: &'static str,
    text: &'static str,
    /// Seconds that it lasts.
    window: f64,
    play: Play,
}

const fn entry(name: &'static str, text: &'static str, play: Play) -> Entry {
    Entry { name, text, window: WINDOW, play }
}

/// Every scenario: its name and what happens in it.
pub fn names() -> &'static [(&'static str, &'static str)] {
    static NAMES: OnceLock<Vec<(&str, &str)>> = OnceLock::new();
    NAMES.get_or_init(|| entries().map(|e| (e.name, e.text)).collect())
}

/// The scenario `name` as `seed` decides it.
pub fn build(name: &str, seed: u64, background: &Background, attackers: &Attackers) -> Result<Scenario, String> {
    let Some(entry) = entries().find(|e| e.name == name) else {
        let known: Vec<&str> = entries().map(|e| e.name).collect();
        return Err(format!("unknown scenario \"{}\": expected one of {}", name.escape_debug(), known.join(", ")));
    };
    let scenario = Scenario {
        name: entry.name,
        seed,
        history: background.history.clone(),
        events: vec![],
        onset: ONSET,
        end: ONSET + LENGTH,
        attacked: false,
        grows: false,
        challenge: true,
    };
    let random = Random::named(seed, name);
    let mut stage = Stage { background, attackers, random, window: entry.window, scenario };
    (entry.play)(&mut stage).map_err(|e| format!("scenario {name}: {e}"))?;
    Ok(stage.finish())
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    ATTACKS.iter().chain(CONTROLS)
}

const ATTACKS: &[Entry] = &[
    entry("one-source-50", "one address, 50 requests a second for a minute", |s| s.one_source(50.0)),
    entry("one-source-500", "one address, 500 requests a second for a minute", |s| s.one_source(500.0)),
    entry("one-source-2000", "one address, 2,000 requests a second for a minute", |s| s.one_source(2000.0)),
    entry("one-source-5000", "one address, 5,000 requests a second for a minute", |s| s.one_source(5000.0)),
    entry("botnet", "2,000 bots of one request a second", |s| s.botnet(2000, 1.0, |_| {})),
    entry("botnet-large", "9,500 bots of two requests a second for a minute", |s| {
        s.botnet(9500, 2.0, |f| f.end = ONSET + 60.0)
    }),
    entry("low-and-slow", "4,000 bots of one request in five seconds", |s| s.botnet(4000, 0.2, |_| {})),
    entry("ramp", "3,000 bots that join within three minutes", |s| {
        s.scenario.grows = true;
        s.botnet(3000, 1.0, |f| f.ramp = 180.0)
    }),
    entry("pulse", "2,000 bots, half a minute of attack and half a minute of rest", |s| {
        s.botnet(2000, 1.0, |f| f.pulse = 30.0)
    }),
    entry("pre-warmed", "2,000 bots that each fetched a page in the minutes before", |s| s.pre_warmed(2000)),
    entry("hosting", "2,000 bots of which half share a /24 with others", |s| s.hosting()),
    entry("login", "1,500 bots that guess passwords", |s| s.botnet(1500, 0.3, |f| f.target = Target::Login)),
    entry("search", "1,500 bots that search", |s| s.botnet(1500, 0.5, |f| f.target = Target::Search)),
    entry("slow-poison", "2,000 bots that join over twenty minutes, so that the baseline learns them", |s| {
        s.scenario.grows = true;
        s.botnet(2000, 1.0, |f| (f.start, f.ramp) = (30.0, 1170.0))
    }),
    entry("solver-20", "2,000 bots of which a fifth passes the challenge", |s| {
        s.botnet(2000, 1.0, |f| f.solvers = 0.2)
    }),
    entry("solver-50", "2,000 bots of which half pass the challenge", |s| s.botnet(2000, 1.0, |f| f.solvers = 0.5)),
    entry("solver-80", "2,000 bots of which most pass the challenge", |s| s.botnet(2000, 1.0, |f| f.solvers = 0.8)),
    entry("mimic", "2,000 bots with the paths and agents of people; none passes the challenge", |s| {
        s.botnet(2000, 1.0, |f| f.target = Target::Mimic)
    }),
    entry("mimic-solver-20", "2,000 bots with the paths and agents of people; a fifth passes the challenge", |s| {
        s.botnet(2000, 1.0, |f| (f.target, f.solvers) = (Target::Mimic, 0.2))
    }),
    entry("patient-2h", "2,000 bots that behaved well two hours before", |s| s.patient(2000, 7200.0)),
    entry("patient-3d", "2,000 bots that behaved well three days before", |s| s.patient(2000, 3.0 * 86_400.0)),
    entry("sub-capacity", "250 bots that alone stay below the capacity", |s| s.botnet(250, 1.0, |_| {})),
    entry("crowd-botnet", "six times the sessions, and 2,000 bots among them", |s| {
        s.botnet(2000, 1.0, |_| {})?;
        s.crowd(Crowd { far: true, ..Crowd::new(6.0) })
    }),
    entry("hot-crowd-low-slow", "a page that everybody wants, and 4,000 slow bots", |s| {
        s.botnet(4000, 0.2, |_| {})?;
        s.crowd(Crowd::hot())
    }),
    entry("office-botnet", "500 people behind one address while 2,000 bots attack", |s| {
        s.botnet(2000, 1.0, |_| {})?;
        s.office(500)
    }),
    entry("botnet-no-cookies", "2,000 bots, and one person in twenty fails the challenge too", |s| {
        s.botnet(2000, 1.0, |_| {})?;
        s.without_cookies(0.05);
        Ok(())
    }),
    entry("cold-start", "2,000 bots against a filter that remembers nothing", |s| {
        s.scenario.history = Arc::from([]);
        s.botnet(2000, 1.0, |_| {})
    }),
    entry("challenge-off", "2,000 bots against a filter that may not challenge", |s| {
        s.scenario.challenge = false;
        s.botnet(2000, 1.0, |_| {})
    }),
    entry("ipv6-botnet", "200 bots of ten requests a second, each from another /64 of the bot's /48", |s| {
        s.ipv6_botnet(200, 10.0)
    }),
];

const CONTROLS: &[Entry] = &[
    entry("quiet", "nothing out of the ordinary", |s| s.quiet()),
    entry("crowd-3", "three times the sessions, from the same networks", |s| s.crowd(Crowd::new(3.0))),
    entry("crowd-6", "six times the sessions, from the same networks", |s| s.crowd(Crowd::new(6.0))),
    entry("crowd-6-far", "six times the sessions, from other networks", |s| {
        s.crowd(Crowd { far: true, ..Crowd::new(6.0) })
    }),
    entry("crowd-12-far", "twelve times the sessions, from other networks", |s| {
        s.crowd(Crowd { far: true, ..Crowd::new(12.0) })
    }),
    entry("hot-page", "people who all begin with one page: eight times the capacity", |s| s.crowd(Crowd::hot())),
    Entry {
        name: "match-day",
        text: "sessions swell to eight times as many over twenty minutes and stay",
        window: 3000.0,
        play: |s| {
            s.scenario.end = 3000.0;
            s.crowd(Crowd { far: true, end: 3000.0, swell: 1200.0, ..Crowd::new(8.0) })
        },
    },
    entry(
        "crawler-burst",
        "declared crawlers, up to forty times as busy for two minutes, from thirty addresses",
        |s| s.crawlers(30, 40.0),
    ),
    entry("office", "500 people behind one address", |s| s.quiet().and_then(|()| s.office(500))),
    entry("cgnat", "5,000 people behind twenty addresses", |s| s.cgnat(5000, 20)),
    entry("ipv6-48", "300 people in one IPv6 /48, each with an own /64", |s| s.ipv6_campus(300)),
    Entry {
        name: "day",
        text: "a whole day without anything out of the ordinary",
        window: 86_400.0,
        play: |s| {
            s.day();
            Ok(())
        },
    },
];

impl Stage<'_> {
    /// Rounds, names and sorts the events.
    fn finish(self) -> Scenario {
        let Self { mut scenario, background, .. } = self;
        for event in &mut scenario.events {
            event.t = (event.t * 1e6).round() / 1e6;
            if event.kind != Kind::Attacker {
                event.kind = if background.known.contains(&event.client) { Kind::Known } else { Kind::New };
            }
        }
        scenario.attacked = scenario.events.iter().any(|e| e.kind == Kind::Attacker);
        scenario.events.sort_by(|a, b| a.t.total_cmp(&b.t));
        scenario
    }
}
