//! The scenarios by name.

use super::attack::{Flood, Source, Target};
use super::attackers::Attackers;
use super::background::Background;
use super::crowd::Crowd;
use super::random::Random;
use super::{Event, Kind, LENGTH, ONSET, Scenario, WINDOW};

/// Every scenario: its name and what happens in it.
pub fn names() -> &'static [(&'static str, &'static str)] {
    &[
        ("botnet", "2,000 bots of one request a second"),
        ("mimic", "2,000 bots with the paths and agents of people, none passes a challenge"),
        ("quiet", "nothing out of the ordinary"),
        ("crowd-12-far", "twelve times the sessions, from other networks"),
        ("hot-page", "twenty times the sessions, people who all want one page: eight times the capacity"),
    ]
}

/// The scenario `name` as `seed` decides it.
pub fn build(name: &str, seed: u64, background: &Background, attackers: &Attackers) -> Result<Scenario, String> {
    let Some(&(name, _)) = names().iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = names().iter().map(|(name, _)| *name).collect();
        return Err(format!("unknown scenario \"{}\": expected one of {}", name.escape_debug(), known.join(", ")));
    };
    let mut scenario = Scenario {
        name,
        seed,
        history: background.history.clone(),
        events: vec![],
        onset: ONSET,
        end: ONSET + LENGTH,
        attacked: false,
        grows: false,
        challenge: true,
    };
    // The background of a seed is the same in every scenario.
    background.place(
        background.copies,
        WINDOW,
        &mut Random::named(seed, "background"),
        Random::unit,
        &mut scenario.events,
    );
    let mut random = Random::named(seed, name);
    let random = &mut random;
    let out = &mut scenario.events;
    let bots = |random: &mut Random, n| {
        random.sample(&attackers.spread, n).into_iter().map(Source::Address).collect::<Vec<_>>()
    };
    match name {
        "botnet" => Flood::new(bots(random, 2000), 1.0).run(background, random, out),
        "mimic" => Flood { target: Target::Mimic, ..Flood::new(bots(random, 2000), 1.0) }.run(background, random, out),
        "crowd-12-far" => Crowd { times: 12.0, far: true, hot: false }.run(background, WINDOW, random, out),
        "hot-page" => Crowd { times: 20.0, far: true, hot: true }.run(background, WINDOW, random, out),
        _ => {}
    }
    finish(&mut scenario, background);
    Ok(scenario)
}

/// Rounds, names and sorts the events.
fn finish(scenario: &mut Scenario, background: &Background) {
    for event in &mut scenario.events {
        event.t = (event.t * 1e6).round() / 1e6;
        if event.kind != Kind::Attacker {
            event.kind = if background.known.contains(&event.client) { Kind::Known } else { Kind::New };
        }
    }
    scenario.attacked = scenario.events.iter().any(|e: &Event| e.kind == Kind::Attacker);
    scenario.events.sort_by(|a, b| a.t.total_cmp(&b.t));
}
