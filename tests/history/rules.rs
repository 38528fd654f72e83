//! The rules of standing at their edges.

use super::*;

/// Good responses at these seconds, and the standing asked for at another.
fn after(good: &[u64], asked: u64) -> Standing {
    let (history, client) = (history(SMALL), key("192.0.2.7"));
    good.iter().for_each(|&seconds| history.good(client, at(seconds)));
    standing(&history, client, asked)
}

#[test]
fn a_client_is_seen_after_a_quarter_of_an_hour() {
    // The response came somewhere in the step that ends at 300; whoever came at its end is as old as is said.
    for first in [0, 1, 299] {
        assert_eq!(after(&[first], 300 + 15 * MINUTE - 1), Standing::Unknown);
        assert_eq!(after(&[first], 300 + 15 * MINUTE), Standing::Seen);
    }
    assert_eq!(after(&[300], 300 + 15 * MINUTE), Standing::Unknown);
    assert_eq!(after(&[7 * DAY], 0), Standing::Unknown, "what came later counts for nothing");
    assert_eq!(after(&[], DAY), Standing::Unknown);
}

#[test]
fn credit_takes_three_responses_in_two_slots_and_a_quarter_of_an_hour() {
    let hour = HOUR;
    for (good, expected) in [
        (&[0, 600][..], Standing::Seen),
        (&[0, 1, 599], Standing::Seen),
        (&[0, 1, 2, 3, 4, 599], Standing::Seen),
        (&[0, 1, 600], Standing::Credited),
        (&[599, 600, 601], Standing::Credited),
        (&[0, 600, 1200], Standing::Credited),
        (&[0, 1, 2, 3, 1200], Standing::Credited),
        // Too late to be settled.
        (&[0, 1, HOUR - 15 * MINUTE], Standing::Seen),
        (&[0, 1, HOUR - 15 * MINUTE - 1], Standing::Credited),
    ] {
        assert_eq!(after(good, hour), expected, "{good:?}");
    }
    assert_eq!(after(&[0, 1, 2 * HOUR], 2 * HOUR), Standing::Seen, "credit is as old as its last condition");
    assert_eq!(after(&[0, 1, 600, 27 * DAY], 28 * DAY), Standing::Credited, "and lasts");
}

#[test]
fn a_network_vouches_for_its_clients() {
    let history = history(SMALL);
    history.good(key("192.0.2.7"), at(0));
    history.good(key("2001:db8:1:100::1"), at(0));
    let asked = 300 + 15 * MINUTE;
    for (address, soon, next_day) in [
        ("192.0.2.7", Standing::Seen, Standing::Seen),
        ("192.0.2.8", Standing::Net24, Standing::Net24),
        ("192.0.3.7", Standing::Unknown, Standing::Net16),
        ("198.51.100.7", Standing::Unknown, Standing::Unknown),
        ("2001:db8:1:100::2", Standing::Seen, Standing::Seen),
        ("2001:db8:1:1ff::1", Standing::Net24, Standing::Net24),
        ("2001:db8:1:200::1", Standing::Unknown, Standing::Net16),
        ("2001:db8:2:100::1", Standing::Unknown, Standing::Unknown),
    ] {
        assert_eq!(standing(&history, key(address), asked - 1), Standing::Unknown, "{address}");
        assert_eq!(standing(&history, key(address), asked), soon, "{address}");
        assert_eq!(standing(&history, key(address), 300 + DAY - 1), soon, "{address}");
        assert_eq!(standing(&history, key(address), 300 + DAY), next_day, "{address}");
    }
}

#[test]
fn a_standing_is_young_for_a_day() {
    let (history, client) = (history(SMALL), key("192.0.2.7"));
    [0, 1, 600].iter().for_each(|&seconds| history.good(client, at(seconds)));
    for (asked, young) in [(HOUR, true), (300 + DAY - 1, true), (300 + DAY, false)] {
        assert_eq!(known(&history, client, asked), Known { standing: Standing::Credited, young });
        assert_eq!(known(&history, key("192.0.2.8"), asked), Known { standing: Standing::Net24, young });
    }
    assert!(!known(&history, key("192.0.3.8"), 2 * DAY).young && !known(&history, key("198.51.100.1"), DAY).young);
    // A long-known /24 does not make a new client's standing old.
    history.good(key("192.0.2.9"), at(2 * DAY));
    assert_eq!(known(&history, key("192.0.2.9"), 2 * DAY), Known { standing: Standing::Net24, young: false });
    assert_eq!(known(&history, key("192.0.2.9"), 2 * DAY + HOUR), Known { standing: Standing::Seen, young: true });
}

#[test]
fn nobody_earns_a_standing_during_an_attack() {
    let (history, client, old) = (history(SMALL), key("192.0.2.7"), key("198.51.100.7"));
    history.good(old, at(0));
    let onset = DAY;
    for seconds in (onset..onset + 3 * DAY).step_by(200) {
        history.good(client, at(seconds));
        history.good(old, at(seconds));
    }
    assert_eq!(standing(&history, client, onset), Standing::Unknown);
    assert_eq!(standing(&history, client, onset + 3 * DAY), Standing::Credited);
    assert_eq!(standing(&history, old, onset), Standing::Seen, "credit was earned during the attack");
}

#[test]
fn an_entry_is_forgotten_after_fourteen_days() {
    for last in [0, 599] {
        let (history, client) = (history(SMALL), key("192.0.2.7"));
        history.good(client, at(last));
        pass(&history, last, 28 * DAY - 1);
        assert_eq!(standing(&history, client, 28 * DAY - 1), Standing::Seen);
        assert_eq!(standing(&history, client, last + 28 * DAY + 1), Standing::Unknown);
        assert_eq!(history.sweep(at(28 * DAY + 600)).clients, 0);
    }
}

#[test]
fn stamps_wrap_and_nobody_comes_back() {
    let (history, gone, stays) = (history(SMALL), key("192.0.2.7"), key("198.51.100.7"));
    history.good(gone, at(0));
    for hour in 0..30 * 24 {
        let now = hour * HOUR;
        if hour % 24 == 0 {
            [0, 1, 700].iter().for_each(|seconds| history.good(stays, at(now + seconds)));
        }
        let asked = now + HOUR - 1;
        history.sweep(at(asked));
        let expected = if asked < 28 * DAY { Standing::Seen } else { Standing::Unknown };
        assert_eq!(standing(&history, gone, asked), expected, "hour {hour}");
        let expected = Known { standing: Standing::Credited, young: hour < 24 };
        assert_eq!(known(&history, stays, asked), expected, "hour {hour}");
    }
}

#[test]
fn a_leap_in_time_brings_nobody_back() {
    let (gone, other) = (key("192.0.2.7"), key("198.51.100.7"));
    for hours in (1..60 * 24).chain([9_000, 100_000]) {
        let history = history(Sizes { clients: 8, net24: 8, net16: 8 });
        history.good(gone, at(0));
        let asked = hours * HOUR;
        let expected = if asked < 28 * DAY { Standing::Seen } else { Standing::Unknown };
        assert_eq!(standing(&history, gone, asked), expected, "looked at after {hours} h");
        history.good(other, at(asked));
        assert_eq!(standing(&history, gone, asked), expected, "after somebody else came after {hours} h");
        history.good(gone, at(asked + 1));
        let young = known(&history, gone, asked + HOUR) == Known { standing: Standing::Seen, young: true };
        assert_eq!(young, hours < 24 || asked >= 28 * DAY, "after {hours} h");
    }
}

#[test]
fn a_clock_that_is_behind_ages_nobody() {
    let (history, client) = (history(SMALL), key("192.0.2.7"));
    history.good(key("198.51.100.7"), at(3 * HOUR));
    history.good(client, at(0));
    assert_eq!(standing(&history, client, 3 * HOUR), Standing::Unknown, "stamped with the latest time known");
    assert_eq!(standing(&history, client, 3 * HOUR + 20 * MINUTE), Standing::Seen);
}

#[test]
fn what_is_good() {
    for status in [100, 200, 204, 301, 304, 400, 404, 418, 499] {
        assert!(History::good_status(status), "{status}");
    }
    for status in [0, 99, 401, 403, 429, 500, 502, 503, 599, 999] {
        assert!(!History::good_status(status), "{status}");
    }
}

#[test]
fn sizes_and_memory_are_as_said() {
    assert_eq!(History::new(Sizes::default(), Seeds::fixed(1), 0).bytes(), (8 << 20) + (2 << 20) + (1 << 19));
    let history = history(Sizes { clients: 0, net24: 1, net16: 9 });
    assert_eq!(history.bytes(), 64 + 64 + 128);
    history.good(key("192.0.2.7"), at(0));
    let filled = history.sweep(at(HOUR));
    assert_eq!((filled.clients, filled.credited, filled.net24, filled.net16), (1, 0, 1, 1));
    assert_eq!(history.filled(), filled);
}
