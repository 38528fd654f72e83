//! History, sketch and top clients in every interleaving.

use loom::sync::Arc;
use loom::thread;
use weir::base::clock::Time;
use weir::client::key::ClientKey;
use weir::flood::history::{History, Sizes, Standing};
use weir::flood::sketch::Sketch;
use weir::limit::seeds::Seeds;
use weir::limit::top::Top;

/// A Unix time that begins a ten-minute slot, as the zero of the scale.
const UNIX_ZERO: u64 = 1_750_000_200;

fn at(seconds: u64) -> Time {
    Time::from_nanos(seconds * 1_000_000_000)
}

/// The `n`th client, in networks of its own.
fn client(n: u8) -> ClientKey {
    ClientKey::new([10 + n, 0, 0, 1].into(), 64)
}

/// A response touches three levels, and a set of top clients has eight words: more than loom gets through without a
/// bound on forced switches.
fn bounded(switches: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches);
    builder.check(model);
}

/// A line of two slots on each level.
fn history() -> Arc<History> {
    Arc::new(History::new(Sizes { clients: 1, net24: 1, net16: 1 }, Seeds::fixed(1), UNIX_ZERO))
}

fn standing(history: &History, n: u8, seconds: u64) -> Standing {
    history.known(history.locate(client(n)), at(seconds)).standing
}

#[test]
fn responses_at_once_lose_no_credit() {
    loom::model(|| {
        let history = history();
        history.good(client(1), at(0));
        let other = history.clone();
        let racer = thread::spawn(move || other.good(client(1), at(600)));
        history.good(client(1), at(600));
        racer.join().unwrap();
        assert_eq!(standing(&history, 1, 3_600), Standing::Credited);
    });
}

#[test]
fn a_newcomer_that_comes_twice_at_once_gets_one_slot() {
    loom::model(|| {
        let history = history();
        let other = history.clone();
        let racer = thread::spawn(move || other.good(client(1), at(0)));
        history.good(client(1), at(0));
        racer.join().unwrap();
        let filled = history.sweep(at(3_600));
        assert_eq!((filled.clients, filled.net24, filled.net16), (1, 1, 1));
        assert_eq!(standing(&history, 1, 3_600), Standing::Seen);
    });
}

#[test]
fn newcomers_at_once_get_a_slot_each() {
    loom::model(|| {
        let history = history();
        let other = history.clone();
        let racer = thread::spawn(move || other.good(client(2), at(0)));
        history.good(client(1), at(0));
        racer.join().unwrap();
        assert!([1, 2].map(|n| standing(&history, n, 3_600)).iter().all(|s| *s == Standing::Seen));
        assert_eq!(history.sweep(at(3_600)).clients, 2);
    });
}

#[test]
fn newcomers_never_push_out_who_is_credited() {
    bounded(3, || {
        let history = history();
        [0, 0, 600].iter().for_each(|&seconds| history.good(client(1), at(seconds)));
        let other = history.clone();
        let racer = thread::spawn(move || other.good(client(2), at(700)));
        history.good(client(1), at(900));
        history.good(client(3), at(900));
        racer.join().unwrap();
        assert_eq!(standing(&history, 1, 3_600), Standing::Credited);
    });
}

#[test]
fn a_sweep_beside_a_response_loses_neither() {
    loom::model(|| {
        let history = history();
        let days = |n: u64| n * 24 * 3_600;
        history.good(client(1), at(0));
        history.good(client(2), at(0));
        history.sweep(at(days(28) - 900));
        let other = history.clone();
        let sweeper = thread::spawn(move || other.sweep(at(days(28) + 900)));
        history.good(client(1), at(days(28) - 900));
        sweeper.join().unwrap();
        let asked = at(days(28) + 3_600);
        let known = |n| history.known(history.locate(client(n)), asked).standing;
        assert_eq!((known(1), known(2)), (Standing::Seen, Standing::Unknown));
    });
}

#[test]
fn what_is_added_beside_a_rotation_is_counted() {
    loom::model(|| {
        let sketch = Arc::new(Sketch::new(1, Seeds::fixed(1)));
        sketch.rotate();
        let other = sketch.clone();
        let rotator = thread::spawn(move || other.rotate());
        sketch.add(1, 5);
        assert!(sketch.estimate(1) == 5 || sketch.estimate(1) == 0);
        rotator.join().unwrap();
        assert_eq!(sketch.estimate(1), 5);
        sketch.rotate();
        sketch.rotate();
        assert_eq!(sketch.estimate(1), 0, "and only for two epochs");
    });
}

#[test]
fn additions_at_once_are_all_counted() {
    loom::model(|| {
        let sketch = Arc::new(Sketch::new(1, Seeds::fixed(1)));
        let top = Arc::new(Top::new(1, Seeds::fixed(1)));
        let (other_sketch, other_top) = (sketch.clone(), top.clone());
        let racer = thread::spawn(move || {
            other_sketch.add(1, 2);
            other_top.add(client(1), 2);
        });
        sketch.add(2, 3);
        top.add(client(1), 3);
        racer.join().unwrap();
        assert_eq!(sketch.estimate(1), 5, "they share the one cell");
        assert_eq!(top.worst(9), [(client(1), 5)]);
    });
}

/// A set of two slots, both taken, one with more.
fn full_set() -> Arc<Top> {
    let top = Arc::new(Top::new(1, Seeds::fixed(1)));
    top.add(client(1), 10);
    top.add(client(2), 2);
    top
}

/// Everybody in the list came, and not less often than it says.
fn assert_sure(top: &Top) {
    for (who, count) in top.worst(9) {
        let n = (1..5u8).find(|&n| client(n) == who).expect("a client that came");
        let came = [0, 10, 2, 1, 1][usize::from(n)];
        assert!(count <= came, "{who} came {came} times, not {count}");
    }
}

#[test]
fn a_slot_that_changes_hands_is_read_whole() {
    bounded(3, || {
        let top = full_set();
        let other = top.clone();
        let racer = thread::spawn(move || {
            other.add(client(3), 1);
            other.add(client(4), 1);
        });
        assert_sure(&top);
        racer.join().unwrap();
        assert_eq!(top.worst(9), [(client(1), 10), (client(4), 1)]);
    });
}

#[test]
fn newcomers_at_once_never_take_the_worst_offenders_slot() {
    bounded(3, || {
        let top = full_set();
        let other = top.clone();
        let racer = thread::spawn(move || other.add(client(3), 1));
        top.add(client(4), 1);
        racer.join().unwrap();
        assert_eq!(top.worst(1), [(client(1), 10)]);
        assert_sure(&top);
    });
}

#[test]
fn halving_beside_additions_overstates_nobody() {
    bounded(3, || {
        let top = full_set();
        let other = top.clone();
        let halver = thread::spawn(move || other.decay());
        top.add(client(1), 6);
        top.add(client(3), 4);
        halver.join().unwrap();
        let worst = top.worst(9);
        assert!(worst[0].0 == client(1) && (8..=11).contains(&worst[0].1), "{worst:?}");
        let most = |who| if who == client(3) { 4 } else { 1 };
        assert!(worst[1..].iter().all(|&(who, count)| count <= most(who)), "{worst:?}");
    });
}
