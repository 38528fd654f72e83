//! Who fills the history, and many at once.

use super::*;

/// A 64th of the default sizes, filled by ten times as many clients as there is room for: as 10M fill the default.
const SCALED: Sizes = Sizes { clients: 1 << 14, net24: 1 << 12, net16: 1 << 10 };
const STRANGERS: u32 = 160_000;
const PEOPLE: u32 = 2_000;

/// People in 10.0.0.0/8, each in a /24 of its own.
fn person(n: u32) -> ClientKey {
    spread(10 << 16 | n)
}

/// Everybody else: addresses from 32/8 on, those of a /24 one after the other.
fn stranger(n: u32) -> ClientKey {
    ClientKey::new(IpAddr::V4(Ipv4Addr::from((32 << 24) + n * 8)), 64)
}

/// A history that knows the people: all credited within the hour.
fn with_people() -> History {
    let history = history(SCALED);
    for seconds in [0, 1, 700] {
        (0..PEOPLE).for_each(|n| history.good(person(n), at(seconds)));
    }
    history
}

#[test]
fn a_flood_of_newcomers_pushes_nobody_out_who_is_credited() {
    let history = with_people();
    let credited = |asked| (0..PEOPLE).filter(|&n| standing(&history, person(n), asked) == Standing::Credited).count();
    let before = credited(HOUR);
    assert!(before >= PEOPLE as usize - 2, "{before} of {PEOPLE}: a line has room for eight");
    for n in 0..STRANGERS {
        history.good(stranger(n), at(HOUR + u64::from(n % 60)));
    }
    assert_eq!(credited(2 * HOUR), before);
}

#[test]
fn credit_can_be_bought_but_pushes_nobody_out() {
    let history = with_people();
    let credited = |asked| (0..PEOPLE).filter(|&n| standing(&history, person(n), asked) == Standing::Credited).count();
    let before = credited(HOUR);
    // All strangers at the first slot, then again: patient bots, many more than fit.
    for round in 0..3 {
        (0..STRANGERS).for_each(|n| history.good(stranger(n), at(HOUR + round * 700)));
    }
    // Only who has his slot still can be credited, so let a smaller crowd come back at once.
    for n in 0..STRANGERS / 4 {
        [2, 2, 3].iter().for_each(|&slot| history.good(stranger(n), at(HOUR + slot * 700)));
    }
    assert_eq!(credited(3 * HOUR), before);
    assert!(history.dropped() > 0, "lines full of credited clients turn newcomers away");
}

#[test]
fn a_full_history_knows_no_stranger() {
    let history = with_people();
    (0..STRANGERS).for_each(|n| history.good(stranger(n), at(HOUR)));
    assert!(history.sweep(at(2 * HOUR)).clients > 16_000, "it is full");
    // From 128/8 on nobody was ever seen.
    let asked = 500_000;
    let taken = (0..asked).filter(|&n| standing(&history, spread((128 << 16) + n), 2 * DAY) != Standing::Unknown);
    let taken = taken.count();
    assert!(taken * 10_000 <= asked as usize, "{taken} of {asked} are taken for others");
}

#[test]
fn what_was_uncredited_or_long_unseen_gives_way() {
    // One line of eight.
    let history = history(Sizes { clients: 8, ..SMALL });
    let credit = |n: u32, seconds: u64| [0, 1, 700].iter().for_each(|&s| history.good(spread(n), at(seconds + s)));
    (0..7).for_each(|n| credit(n, u64::from(n) * HOUR));
    history.good(spread(7), at(10 * HOUR));
    history.good(spread(8), at(11 * HOUR));
    let knows = |n: u32, asked: u64| standing(&history, spread(n), asked) <= Standing::Seen;
    assert!((0..7).all(|n| knows(n, 12 * HOUR)) && !knows(7, 12 * HOUR) && knows(8, 12 * HOUR), "the uncredited one");
    credit(8, 11 * HOUR);
    assert_eq!(history.dropped(), 0);
    history.good(spread(9), at(23 * HOUR));
    assert!((0..9).all(|n| n == 7 || knows(n, 24 * HOUR)), "all were good within a day");
    assert_eq!(history.dropped(), 1);
    history.good(spread(9), at(26 * HOUR));
    assert!(!knows(0, 27 * HOUR) && (1..10).all(|n| n == 7 || knows(n, 27 * HOUR)), "the longest unseen");
}

#[test]
fn threads_lose_no_credit() {
    let history = history(Sizes { clients: 1 << 12, net24: 1 << 12, ..SMALL });
    for slot in 0..2 {
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let history = &history;
                scope.spawn(move || {
                    for n in 0..1_000 {
                        history.good(spread((n + thread * 250) % 1_000), at(slot * 600));
                        history.good(spread(n), at(slot * 600));
                    }
                    history.sweep(at(slot * 600));
                });
            }
        });
    }
    let credited = (0..1_000).filter(|&n| standing(&history, spread(n), HOUR) == Standing::Credited).count();
    assert_eq!((credited, history.dropped()), (1_000, 0));
    let filled = history.sweep(at(HOUR));
    assert_eq!((filled.clients, filled.net24), (1_000, 1_000), "nobody has two slots");
}
