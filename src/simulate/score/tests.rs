//! Scores of runs that are short enough to be reckoned by hand.

use super::baseline::Baseline;
use super::goals::{Goal, Measure, Standing, goals};
use super::summary::{Spread, judge, spread};
use super::*;
use crate::simulate::scenario::{Attackers, Background, build, names};
use std::sync::Arc;

const CAPACITY: f64 = 2.0;

fn event(t: f64, host: u8, kind: Kind) -> Event {
    let text = |s: &str| Arc::from(s);
    Event {
        t,
        client: IpAddr::from([192, 0, 2, host]),
        method: text("GET"),
        path: text("/"),
        has_query: false,
        status: 200,
        bytes: 1,
        user_agent: text(""),
        solves: host.is_multiple_of(2),
        kind,
    }
}

/// An attack, or a crowd, from 10 to 20.
fn scenario(events: Vec<Event>) -> Scenario {
    let attacked = events.iter().any(|e| e.kind == Kind::Attacker);
    let history = Arc::from([]);
    Scenario { name: "t", seed: 0, history, events, onset: 10.0, end: 20.0, attacked, grows: false, challenge: true }
}

/// The score of a run that went as the outcomes say.
fn score(scenario: &Scenario, outcomes: &[Outcome]) -> Score {
    assert_eq!(scenario.events.len(), outcomes.len());
    let mut scorer = Scorer::new(scenario, CAPACITY);
    scenario.events.iter().zip(outcomes).for_each(|(event, outcome)| scorer.add(event, *outcome));
    scorer.finish()
}

fn outcome(answer: Answer, state: State) -> Outcome {
    Outcome { answer, state, delay: 0.0 }
}

#[test]
fn every_figure_of_an_attack() {
    use Answer::{Challenge, Close, Forward, Refuse};
    use Kind::{Attacker, Known, New};
    use State::{Attack, Elevated, Normal};
    let run = [
        (event(1.0, 1, Known), outcome(Forward, Normal)),
        (event(2.0, 3, New), outcome(Refuse, Normal)), // before: 1 of 2
        (event(3.0, 5, Attacker), outcome(Forward, Normal)), // a scout: in no share
        (event(10.0, 5, Attacker), outcome(Forward, Normal)),
        (event(10.5, 7, Attacker), outcome(Forward, Elevated)),
        (event(11.0, 1, Known), outcome(Forward, Elevated)),
        (event(11.5, 3, New), outcome(Challenge, Attack)), // detected; does not solve
        (event(12.0, 2, New), outcome(Challenge, Attack)), // solves
        (event(12.5, 5, Attacker), outcome(Challenge, Attack)),
        (event(12.6, 6, Attacker), outcome(Challenge, Attack)), // a bot that solves
        (event(13.0, 1, Known), outcome(Close, Attack)),
        (event(13.1, 1, Known), outcome(Forward, Attack)),
        (event(19.9, 7, Attacker), outcome(Refuse, Attack)),
        (event(21.0, 1, Known), outcome(Refuse, Attack)), // less than 5 s after the end
        (event(25.0, 1, Known), outcome(Refuse, Attack)), // after: 1 of 4
        (event(30.0, 1, Known), outcome(Forward, Normal)), // recovered after 10 s
        (event(31.0, 1, Known), outcome(Forward, Elevated)), // an alarm, and an attack where there is none
        (event(32.0, 1, Known), outcome(Forward, Attack)),
    ];
    let (events, outcomes): (Vec<_>, Vec<_>) = run.into_iter().unzip();
    let score = score(&scenario(events), &outcomes);
    assert_eq!(score.detect, Some(1.5));
    assert_eq!((score.leak, score.leaked), (60.0, 3));
    assert_eq!(score.length, 10.0);
    assert_eq!(score.known, 100.0 / 3.0);
    assert_eq!(score.all, 40.0);
    assert_eq!((score.before, score.after), (50.0, 25.0));
    // Seconds 10, 12 and 13: two, two, one; the challenge that is passed counts.
    assert_eq!(score.peak, 1.0);
    // Clients from onset to end: 1 lost a third, 2 was served, 3 was not.
    assert_eq!(score.whole, 100.0 / 3.0);
    assert_eq!((score.false_attacks, score.alarms), (1, 1));
    assert_eq!(score.recovery, 10.0);
    let second = |at: usize| score.seconds[at];
    assert_eq!(score.seconds.len(), 33);
    assert_eq!(second(10), Second { legitimate: 0, attack: 2, forwarded: 2, refused: 0, state: Elevated });
    assert_eq!(second(12), Second { legitimate: 1, attack: 2, forwarded: 2, refused: 0, state: Attack });
    assert_eq!(second(13), Second { legitimate: 2, attack: 0, forwarded: 1, refused: 1, state: Attack });
}

#[test]
fn nothing_at_all_is_no_fault() {
    let score = score(&scenario(vec![]), &[]);
    let expected = Score { length: 10.0, whole: 100.0, ..Score::default() };
    assert_eq!(score, expected);
    assert_eq!(spread(Measure::All, &[]), None);
    assert!(judge("quiet", &[]).is_empty());
}

#[test]
fn an_attack_that_is_never_declared_is_not_detected() {
    let attack = scenario(vec![event(10.0, 1, Kind::Attacker), event(11.0, 2, Kind::New)]);
    let score = score(&attack, &[outcome(Answer::Forward, State::Elevated); 2]);
    assert_eq!(score.detect, None);
    assert_eq!(Measure::Detect.of(&score), f64::INFINITY);
    assert_eq!(goals("botnet")[0].standing(Measure::Detect.of(&score)), Standing::Missed);
    // Nor was it ever over: from the end to the last request, which came before it.
    assert_eq!(score.recovery, 0.0);
}

#[test]
fn a_crowd_that_is_called_an_attack_is_a_fault_each_time() {
    let crowd = scenario((0..6).map(|i| event(10.0 + f64::from(i), i, Kind::New)).collect());
    let states = [State::Normal, State::Attack, State::Attack, State::Overload, State::Attack, State::Normal];
    let score = score(&crowd, &states.map(|state| outcome(Answer::Forward, state)));
    assert_eq!((score.detect, score.false_attacks, score.alarms), (None, 2, 1));
}

#[test]
fn detection_of_a_growing_attack_counts_from_pressure() {
    // One a second, then two: from 14.5 on more than 0.8 x 2 within one second.
    let times = [10.0, 11.0, 12.0, 13.0, 14.0, 14.5, 15.0, 15.5, 16.0];
    let mut ramp = scenario(times.map(|t| event(t, 1, Kind::Attacker)).to_vec());
    ramp.grows = true;
    let states = |from: f64| times.map(|t| if t >= from { State::Attack } else { State::Normal });
    let run = |from| score(&ramp, &states(from).map(|state| outcome(Answer::Forward, state)));
    assert_eq!(run(15.5).detect, Some(1.0));
    // Declared before it pressed: at once.
    assert_eq!(run(12.0).detect, Some(0.0));
    ramp.events.truncate(5);
    assert_eq!(score(&ramp, &[outcome(Answer::Forward, State::Attack); 5]).detect, None);
}

#[test]
fn the_aftermath_of_a_crowd_begins_when_it_can_be_served() {
    // Two within a second, more than 0.95 x 2, last at 24.5: refusals count from 29.5 on.
    let times = [20.5, 24.0, 24.5, 26.0, 29.5, 31.0];
    let crowd = scenario(times.map(|t| event(t, 1, Kind::New)).to_vec());
    let refused = [true, true, true, true, true, false];
    let answer = |refused| if refused { Answer::Refuse } else { Answer::Forward };
    let score = score(&crowd, &refused.map(|r| outcome(answer(r), State::Overload)));
    assert_eq!(score.after, 50.0);
    assert_eq!(score.recovery, 6.5);
}

#[test]
fn the_origin_is_loaded_when_a_request_leaves_the_queue() {
    let events = scenario(vec![event(1.9, 1, Kind::New), event(1.95, 1, Kind::New), event(2.5, 1, Kind::New)]);
    let delayed = |delay| Outcome { answer: Answer::Forward, state: State::Normal, delay };
    let score = score(&events, &[delayed(0.05), delayed(0.1), delayed(0.0)]);
    assert_eq!(score.seconds.iter().map(|s| s.forwarded).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(score.peak, 1.0);
}

#[test]
fn medians_lean_to_the_worse_and_more_can_be_better() {
    let scores = [3.0, 1.0, 2.0, 4.0].map(|x| Score { leak: x, whole: 10.0 * x, ..Score::default() });
    assert_eq!(spread(Measure::Leak, &scores), Some(Spread { median: 3.0, worst: 4.0 }));
    assert_eq!(spread(Measure::Whole, &scores), Some(Spread { median: 20.0, worst: 10.0 }));
    let judged = judge("hot-page", &scores);
    let whole = judged.iter().find(|j| j.goal.measure == Measure::Whole).unwrap();
    assert_eq!((whole.median, whole.worst), (Standing::Stretch, Standing::Met));
}

#[test]
fn a_goal_is_reached_up_to_its_limit() {
    let goal = Goal { measure: Measure::Leak, must: 1.0, stretch: 0.3 };
    let standing = [0.3, 0.31, 1.0, 1.01].map(|value| goal.standing(value));
    assert_eq!(standing, [Standing::Stretch, Standing::Met, Standing::Met, Standing::Missed]);
    let one_source = Score { leaked: 701, length: 60.0, ..Score::default() };
    assert_eq!(Measure::Excess.of(&one_source), 1.0);
}

#[test]
fn every_goal_is_of_a_scenario_and_none_asks_less_than_its_must() {
    for (name, _) in names() {
        for goal in goals(name) {
            let (must, stretch) = (goal.must, goal.stretch);
            assert!(if goal.measure.wants_more() { stretch >= must } else { stretch <= must }, "{name}: {goal:?}");
        }
    }
    let own = |name: &&str| goals(name).len() > 3;
    let without: Vec<&str> = names().iter().map(|(name, _)| *name).filter(|name| !own(name)).collect();
    let informative = [
        "solver-50",
        "solver-80",
        "mimic-solver-20",
        "sub-capacity",
        "office-botnet",
        "botnet-no-cookies",
        "cold-start",
    ];
    assert_eq!(without, informative);
}

#[test]
fn baselines_do_what_their_names_say() {
    let burst: Vec<Event> = (0..150).map(|_| event(5.0, 1, Kind::New)).chain([event(6.0, 1, Kind::New)]).collect();
    let passed = |baseline: Baseline, capacity| {
        let mut filter = baseline.filter(capacity);
        burst.iter().filter(|e| filter.judge(e).answer == Answer::Forward).count()
    };
    assert_eq!(passed(Baseline::NoFilter, 300.0), 151);
    assert_eq!(passed(Baseline::FixedLimit, 300.0), 101);
    assert_eq!(passed(Baseline::BlindCap, 300.0), 16);
}

#[test]
fn a_blind_cap_refuses_as_many_people_as_bots() {
    let background = Background::generated(1);
    let flood = build("low-and-slow", 1, &background, &Attackers::generated(1)).unwrap();
    let of = |baseline: Baseline| {
        let mut filter = baseline.filter(300.0);
        run(&flood, 300.0, |e| filter.judge(e))
    };
    let none = of(Baseline::FixedLimit);
    assert!(none.leak > 99.9 && none.all < 0.1 && none.peak > 2.5, "{none:?}");
    let cap = of(Baseline::BlindCap);
    assert!((cap.all - (100.0 - cap.leak)).abs() < 5.0 && cap.all > 50.0, "{} and {}", cap.all, cap.leak);
    assert!(cap.peak <= 1.06, "{}", cap.peak);
}
