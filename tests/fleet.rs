//! A fleet over a real store: what one task knows, all know; and what becomes of that when the store is away.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "fleet/tasks.rs"]
mod tasks;

use common::eventually;
use common::redis::Store;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tasks::{Alone, Task};
use tokio::runtime::Runtime;
use weir::base::clock;
use weir::flood::state::FloodState;
use weir::sink::fleet::{Loads, Reach};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// So many tasks of one fleet, all connected.
fn fleet(runtime: &Runtime, store: &Store, count: usize) -> Vec<Task> {
    let tasks: Vec<Task> = (0..count).map(|n| Task::join(runtime, &store.url(), &format!("task-{n}"))).collect();
    eventually("all are connected", || tasks.iter().all(Task::is_connected));
    tasks
}

fn all_refuse(tasks: &[Task], address: &str) -> bool {
    tasks.iter().all(|task| task.is_banned(address))
}

#[test]
fn what_one_of_eight_bans_all_refuse_at_once() {
    let Some(store) = Store::start() else { return };
    let runtime = runtime();
    let tasks = fleet(&runtime, &store, 8);
    let mut took = vec![];
    for n in 0..160 {
        let address = format!("203.0.113.{n}");
        let began = Instant::now();
        match n % 2 {
            0 => tasks[n % 8].trap(&address),
            _ => tasks[n % 8].ban(&address),
        }
        eventually("all refuse it", || all_refuse(&tasks, &address));
        took.push(began.elapsed());
    }
    took.sort_unstable();
    println!("heard by 8 tasks: p50 {:?}, p95 {:?}, most {:?}", took[80], took[152], took[159]);
    let view = tasks[1].keeper.of("203.0.113.0".parse().unwrap(), clock::now());
    assert_eq!((view[0].from.as_deref(), view[0].by.as_str()), (Some("task-0"), "ladder"));
    assert!(view[0].evidence.contains("honeypot path"), "{view:?}");
    assert_eq!(tasks[1].keeper.status(clock::now()).added.iter().map(|a| a.count).sum::<u64>(), 20, "its own");
    let status = tasks[1].fleet.status();
    assert_eq!((status.sent, status.heard, status.faulty, status.spared), (20, 140, 0, 0));
    assert_eq!(status.delay.counts.iter().sum::<u64>(), 140);
    assert!(status.heard_age_s.is_some());
}

#[test]
fn lifts_and_the_switch_are_heard_and_old_records_do_not_come_back() {
    let Some(store) = Store::start() else { return };
    let runtime = runtime();
    let late = Alone::new("");
    tasks::ban(&late.keeper, "203.0.113.1");
    let tasks = fleet(&runtime, &store, 3);
    tasks[0].ban("203.0.113.1");
    tasks[0].trap("203.0.113.2");
    eventually("all refuse both", || all_refuse(&tasks, "203.0.113.1") && all_refuse(&tasks, "203.0.113.2"));
    tasks[1].lift("203.0.113.1");
    eventually("nobody refuses it", || !tasks.iter().any(|task| task.is_banned("203.0.113.1")));
    let late = late.join(&runtime, &store.url(), "late");
    eventually("who comes late with the old record hears of it", || !late.is_banned("203.0.113.1"));
    assert!(late.is_banned("203.0.113.2"), "it takes over all that holds");
    assert!(!tasks[0].is_banned("203.0.113.1"));
    tasks[2].keeper.pause(true, clock::now());
    eventually("the ladder is paused at all", || tasks.iter().all(|t| t.keeper.status(clock::now()).paused));
    assert!(!tasks[0].is_banned("203.0.113.2"));
    late.keeper.pause(false, clock::now());
    eventually("and goes on", || all_refuse(&tasks, "203.0.113.2"));
    let ban = "203.0.113.9";
    tasks[0].ban(ban);
    let network = weir::ban::Network::of_net("203.0.113.9/32".parse().unwrap());
    let reach = runtime.block_on(tasks[0].fleet.reach(network, Duration::from_secs(5)));
    assert_eq!(reach, Some(Reach { heard: 4, tasks: 4 }));
}

#[test]
fn a_store_that_comes_back_empty_is_told_all_again() {
    let Some(mut store) = Store::start() else { return };
    let runtime = runtime();
    let tasks = fleet(&runtime, &store, 3);
    tasks[0].ban("203.0.113.1");
    let gone = Task::join(&runtime, &store.url(), "gone");
    eventually("it is connected", || gone.is_connected());
    gone.ban("203.0.113.2");
    eventually("all refuse it", || all_refuse(&tasks, "203.0.113.2"));
    gone.die();
    store.kill();
    eventually("all notice", || !tasks.iter().any(Task::is_connected));
    tasks[1].trap("203.0.113.3");
    tasks[2].ban("203.0.113.4");
    eventually("each goes on alone", || tasks[1].is_banned("203.0.113.3") && tasks[2].is_banned("203.0.113.4"));
    eventually("nobody leads", || !tasks.iter().any(Task::leads));
    store.restart();
    for n in 1..5 {
        eventually("all refuse all", || all_refuse(&tasks, &format!("203.0.113.{n}")));
    }
    // A store without memory gives no lease until an old one would be over.
    eventually("one leads again", || tasks.iter().any(Task::leads));
    eventually("all that was known is there", || store.ask::<u64>(&["HLEN", "weir:{production}:bans"]) == 4);
    store.ask::<()>(&["FLUSHALL"]);
    eventually("the leader steps back", || !tasks.iter().any(Task::leads));
    eventually("one leads again", || tasks.iter().any(Task::leads));
    eventually("all is there, also without a break", || store.ask::<u64>(&["HLEN", "weir:{production}:bans"]) == 4);
    let new = Task::join(&runtime, &store.url(), "new");
    eventually("a new one hears all", || (1..5).all(|n| new.is_banned(&format!("203.0.113.{n}"))));
}

#[test]
fn one_leads_and_another_when_it_is_gone() {
    let Some(store) = Store::start() else { return };
    let runtime = runtime();
    let mut tasks = fleet(&runtime, &store, 3);
    let leaders = |tasks: &[Task]| tasks.iter().filter(|task| task.leads()).count();
    eventually("one leads", || leaders(&tasks) == 1);
    eventually("all are counted", || tasks.iter().all(|task| task.fleet.status().tasks == 3));
    // Frozen for longer than the lease lasts: its holder must let go before that.
    store.freeze(true);
    let frozen = Instant::now();
    eventually("the holder lets go", || leaders(&tasks) == 0);
    println!("let go after {:?} without the store", frozen.elapsed());
    store.freeze(false);
    eventually("one leads again", || {
        assert!(leaders(&tasks) <= 1, "two lead");
        leaders(&tasks) == 1
    });
    let at = tasks.iter().position(Task::leads).unwrap();
    tasks.remove(at).leave(&runtime);
    eventually("another leads", || leaders(&tasks) == 1);
    eventually("two are left", || tasks.iter().all(|task| task.fleet.status().tasks == 2));
    let at = tasks.iter().position(Task::leads).unwrap();
    tasks.remove(at).die();
    eventually("the last leads once the lease is over", || leaders(&tasks) == 1);
    eventually("and counts itself alone", || tasks[0].fleet.status().tasks == 1);
}

#[test]
fn what_tasks_demand_is_aggregated_and_applied() {
    let Some(mut store) = Store::start() else { return };
    let runtime = runtime();
    let (alone, sums): (Arc<AtomicUsize>, Arc<AtomicUsize>) = Default::default();
    let task = |n: u8| {
        let (alone, sums) = (alone.clone(), sums.clone());
        let loads = Loads {
            demand: Box::new(move || vec![n, b'\n']),
            aggregate: Box::new(|loads| vec![loads.iter().map(|(_, load)| load[0]).sum(), loads.len() as u8]),
            apply: Box::new(move |digest, live| match digest {
                Some(digest) if digest == [30, 2] && live == 2 => drop(sums.fetch_or(n.into(), Ordering::SeqCst)),
                Some(_) => {}
                None => drop(alone.fetch_or(n.into(), Ordering::SeqCst)),
            }),
        };
        Alone::new("").join_with(&runtime, &store.url(), &format!("task-{n}"), loads, |_| {})
    };
    let tasks = [task(10), task(20)];
    eventually("both heard what both demand", || sums.load(Ordering::SeqCst) == 30);
    alone.store(0, Ordering::SeqCst);
    store.kill();
    eventually("both know that they are alone", || alone.load(Ordering::SeqCst) == 30);
    drop(tasks);
}

#[test]
fn an_operators_ban_is_never_shortened_by_a_ladder() {
    let Some(store) = Store::start() else { return };
    let runtime = runtime();
    let (one, two) = (Alone::new(""), Alone::new(""));
    tasks::ban(&one.keeper, "203.0.113.1");
    let one = one.join(&runtime, &store.url(), "one");
    eventually("the store knows it", || store.ask::<u64>(&["HLEN", "weir:{production}:bans"]) == 1);
    store.freeze(true);
    // Bans of the ladder last an hour here, the operator's ten minutes; this one knows nothing of that.
    let two = two.join(&runtime, &store.url(), "two");
    two.trap("203.0.113.1");
    eventually("it bans by itself", || two.is_banned("203.0.113.1"));
    store.freeze(false);
    let by = |task: &Task| task.keeper.of("203.0.113.1".parse().unwrap(), clock::now())[0].by.clone();
    eventually("both hold the operator's", || by(&one) == "operator" && by(&two) == "operator");
    let stored = || store.ask::<String>(&["HGET", "weir:{production}:bans", "203.0.113.1"]);
    eventually("so does the store", || stored().contains("operator"));
}

#[test]
fn clients_known_at_one_task_are_known_at_all() {
    let Some(store) = Store::start() else { return };
    let runtime = runtime();
    let tasks = fleet(&runtime, &store, 2);
    let client = weir::client::key::ClientKey::new("203.0.113.7".parse().unwrap(), 64);
    // The keeper of time is the machine's clock, and credit takes two slots of ten minutes: so it begins in the past.
    let now = clock::now();
    let ago = |minutes: u64| now - Duration::from_secs(minutes * 60);
    [80, 60, 40].iter().for_each(|minutes| tasks[0].state.flood.history.good(client, ago(*minutes)));
    let known = |task: &Task| {
        let history = &task.state.flood.history;
        history.known(history.locate(client), now)
    };
    eventually("the other knows it as well", || known(&tasks[1]) == known(&tasks[0]));
    assert_eq!(known(&tasks[1]).standing, weir::flood::history::Standing::Credited);
    eventually("it was counted", || tasks[1].fleet.status().clients_heard == 1);
    let new = Task::join(&runtime, &store.url(), "new");
    eventually("a new task hears of it too", || known(&new) == known(&tasks[0]));
    let lottery = |task: &Task| task.state.flood.view().lottery;
    eventually("all draw alike", || lottery(&new) == lottery(&tasks[0]) && lottery(&new) == lottery(&tasks[1]));
    assert_eq!(new.state.flood.view().state, FloodState::Normal);
}
