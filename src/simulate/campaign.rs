//! Scenarios played to weir and to the filters it is compared with, over seeds, on all cores.

use super::engine::{Engine, Request};
use super::report::{Runs, Trial};
use super::scenario::tsv::EPOCH;
use super::scenario::{Attackers, Background, Event, Scenario, build};
use super::score::baseline::Baseline;
use super::score::{self, Answer, Outcome, Score, State};
use crate::base::clock;
use crate::config::settings::Settings;
use crate::flood::state::FloodState;
use crate::verdict::Fate;
use crate::verdict::policy::Networks;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The name of what is judged, in tables.
pub const WEIR: &str = "weir";

/// What is played.
pub struct Campaign<'a> {
    /// Scenarios.
    pub names: &'a [&'static str],
    /// Seeds.
    pub seeds: &'a [u64],
    /// The traffic.
    pub background: &'a Background,
    /// Who attacks.
    pub attackers: &'a Attackers,
    /// The config.
    pub settings: &'a Settings,
    /// Its lists.
    pub networks: &'a Networks,
}

/// What was decided, and in what time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Speed {
    /// Requests that weir decided.
    pub decisions: u64,
    /// The time of one core that took.
    pub took: Duration,
}

/// One scenario with one seed.
struct Run {
    trial: Trial,
    scores: Vec<Score>,
    speed: Speed,
}

impl Campaign<'_> {
    /// All trials, in the order of the names; `tell` hears of every finished run.
    ///
    /// # Errors
    /// Where a scenario can't be built from the background.
    pub fn play(&self, tell: impl Fn() + Sync) -> Result<(Vec<Trial>, Speed), String> {
        let count = self.names.len() * self.seeds.len();
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            loop {
                // Relaxed: each number is given once, whatever the order in which workers see it.
                let job = next.fetch_add(1, Ordering::Relaxed);
                if job >= count {
                    return;
                }
                let run = self.run(self.names[job / self.seeds.len()], self.seeds[job % self.seeds.len()], job);
                done.lock().unwrap_or_else(PoisonError::into_inner).push((job, run));
                tell();
            }
        };
        std::thread::scope(|scope| {
            let workers = std::thread::available_parallelism().map_or(1, usize::from).min(count);
            (0..workers).for_each(|_| drop(scope.spawn(work)));
        });
        let mut runs = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        runs.sort_by_key(|(job, _)| *job);
        self.trials(runs.into_iter().map(|(_, run)| run))
    }

    fn trials(&self, runs: impl Iterator<Item = Result<Run, String>>) -> Result<(Vec<Trial>, Speed), String> {
        let (mut trials, mut speed): (Vec<Trial>, Speed) = (vec![], Speed::default());
        for (at, run) in runs.enumerate() {
            let Run { mut trial, scores, speed: of_run } = run?;
            speed = Speed { decisions: speed.decisions + of_run.decisions, took: speed.took + of_run.took };
            if at.is_multiple_of(self.seeds.len()) {
                let names = std::iter::once(WEIR).chain(Baseline::ALL.map(Baseline::name));
                trial.filters = names.map(|name| Runs { filter: name.to_owned(), scores: vec![] }).collect();
                trials.push(trial);
            }
            if let Some(trial) = trials.last_mut() {
                trial.filters.iter_mut().zip(scores).for_each(|(runs, score)| runs.scores.push(score));
            }
        }
        Ok((trials, speed))
    }

    fn run(&self, name: &str, seed: u64, job: usize) -> Result<Run, String> {
        let scenario = build(name, seed, self.background, self.attackers)?;
        let (mut score, speed) = judge(&scenario, self.settings, self.networks);
        // A chart is drawn of the first seed only, and a day of seconds is long.
        if !job.is_multiple_of(self.seeds.len()) {
            score.seconds = vec![];
        }
        let capacity = capacity(self.settings);
        let mut scores = vec![score];
        for baseline in Baseline::ALL {
            let mut filter = baseline.filter(capacity);
            let score = score::run(&scenario, capacity, |event| filter.judge(event));
            scores.push(Score { seconds: vec![], ..score });
        }
        Ok(Run { trial: Trial::new(&scenario), scores, speed })
    }
}

/// The origin's capacity in requests a second.
pub fn capacity(settings: &Settings) -> f64 {
    let rate = settings.origin.capacity;
    f64::from(rate.count) / rate.period.as_secs_f64()
}

/// How weir does in `scenario`, from what its history tells.
pub fn judge(scenario: &Scenario, settings: &Settings, networks: &Networks) -> (Score, Speed) {
    let mut settings = settings.clone();
    settings.flood.challenge.enabled &= scenario.challenge;
    let capacity = capacity(&settings);
    let mut engine = Engine::new(Arc::new(settings), networks, scenario.seed);
    scenario.history.iter().for_each(|event| engine.learn(&request(event)));
    let begun = clock::cpu_time();
    let outcomes: Vec<Outcome> = scenario.events.iter().map(|event| outcome(&mut engine, event)).collect();
    let speed = Speed { decisions: outcomes.len() as u64, took: clock::cpu_time() - begun };
    let mut outcomes = outcomes.into_iter();
    let lost = Outcome { answer: Answer::Refuse, state: State::Normal, delay: 0.0 };
    (score::run(scenario, capacity, |_| outcomes.next().unwrap_or(lost)), speed)
}

fn outcome(engine: &mut Engine, event: &Event) -> Outcome {
    let verdict = engine.step(&request(event));
    let answer = match verdict.fate {
        Fate::Forward | Fate::Own => Answer::Forward,
        // Who passes has been forwarded by now.
        Fate::Challenge | Fate::Refuse => Answer::Refuse,
        Fate::Close => Answer::Close,
    };
    let state = match engine.state().flood.view().state {
        FloodState::Normal => State::Normal,
        FloodState::Elevated => State::Elevated,
        FloodState::Overload => State::Overload,
        FloodState::Attack => State::Attack,
    };
    Outcome { answer, state, delay: verdict.delay.as_secs_f64() }
}

/// What the engine is asked for an event of a scenario.
pub fn request(event: &Event) -> Request<'_> {
    Request {
        t: EPOCH as f64 + event.t,
        client: event.client,
        method: &event.method,
        path: &event.path,
        query: event.has_query,
        status: event.status,
        user_agent: &event.user_agent,
        solves: event.solves,
    }
}
