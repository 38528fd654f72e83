//! Whatever is done to a token, it is good for nothing but what it was made for.

use super::*;
use crate::config::settings::{Secret, SecretPlace};
use proptest::prelude::*;
use std::net::IpAddr;

const NOW: u64 = 1_750_000_000;
const HOUR: u64 = 3600;

fn settings(secret: u8) -> settings::Challenge {
    settings::Challenge {
        enabled: true,
        form: settings::Form::Redirect,
        secret: Some(Secret::new(SecretPlace::File("secret".into()), [secret; 32])),
        rotate_every: Duration::from_secs(24 * HOUR),
        lifetime: Duration::from_secs(12 * HOUR),
        difficulty: 8,
        exempt: vec![],
        exempt_headers: vec![],
    }
}

fn challenge(secret: u8) -> Challenge {
    Challenge::new(&settings(secret))
}

fn client(last: u8) -> ClientKey {
    ClientKey::new(IpAddr::from([192, 0, 2, last]), 64)
}

fn is_valid(proof: Proof) -> bool {
    matches!(proof, Proof::Valid { .. })
}

fn solve(challenge: &Challenge, problem: &Token, client: ClientKey) -> String {
    let tries = (0u64..).map(|n| n.to_string());
    let mut good = tries.filter(|n| challenge.is_solved(problem.as_str().as_bytes(), n.as_bytes(), client, NOW));
    good.next().unwrap()
}

#[test]
fn a_cookie_shows_what_it_was_issued_with() {
    let challenge = challenge(1);
    for strength in [REDIRECT, WORK] {
        let cookie = challenge.issue(client(7), strength, NOW, 0xdead_beef);
        let proof = challenge.verify(cookie.as_str().as_bytes(), client(7), NOW + 5);
        assert_eq!(proof, Proof::Valid { id: 0xdead_beef, strength });
    }
}

#[test]
fn a_cookie_lives_its_time_across_rotations() {
    let challenge = challenge(1);
    for start in (0..48).map(|h| NOW + h * HOUR) {
        let cookie = challenge.issue(client(7), REDIRECT, start, 1);
        let at = |unix| challenge.verify(cookie.as_str().as_bytes(), client(7), unix);
        assert!([0, 1, HOUR, 12 * HOUR, 12 * HOUR + 60].iter().all(|age| is_valid(at(start + age))));
        assert!(is_valid(at(start - 60)), "a clock of the fleet may be behind");
        assert_eq!(at(start - 61), Proof::Forged);
        assert_eq!(at(start + 12 * HOUR + 61), Proof::None);
        assert_eq!(at(u64::MAX), Proof::None);
        assert_eq!(at(0), Proof::Forged);
    }
}

#[test]
fn tasks_with_one_secret_agree_and_with_two_do_not() {
    let cookie = challenge(1).issue(client(7), WORK, NOW, 1);
    assert!(is_valid(challenge(1).verify(cookie.as_str().as_bytes(), client(7), NOW)));
    assert_eq!(challenge(2).verify(cookie.as_str().as_bytes(), client(7), NOW), Proof::Forged);
}

#[test]
fn without_a_file_a_reload_keeps_the_secret() {
    let none = settings::Challenge { secret: None, ..settings(1) };
    let cookie = Challenge::new(&none).issue(client(7), REDIRECT, NOW, 1);
    assert!(is_valid(Challenge::new(&none).verify(cookie.as_str().as_bytes(), client(7), NOW)));
    assert_eq!(challenge(0).verify(cookie.as_str().as_bytes(), client(7), NOW), Proof::Forged);
}

#[test]
fn keys_change_from_epoch_to_epoch() {
    let keys = Keys::new(Some(&Secret::new(SecretPlace::File("secret".into()), [1; 32])), Duration::from_secs(HOUR));
    let macs: std::collections::BTreeSet<_> = (0..100).map(|epoch| keys.mac(epoch, b"same")).collect();
    assert_eq!(macs.len(), 100);
    assert!((0..100).all(|epoch| macs.contains(&keys.mac(epoch, b"same"))), "and none changes later");
}

#[test]
fn a_replay_from_any_other_address_is_forged() {
    let challenge = challenge(1);
    let cookie = challenge.issue(client(7), WORK, NOW, 1);
    for last in (0..=255).filter(|last| *last != 7) {
        assert_eq!(challenge.verify(cookie.as_str().as_bytes(), client(last), NOW), Proof::Forged);
    }
    let v6 = |text: &str| ClientKey::new(text.parse().unwrap(), 64);
    let cookie = challenge.issue(v6("2001:db8:1:2::1"), WORK, NOW, 1);
    let at = |text| challenge.verify(cookie.as_str().as_bytes(), v6(text), NOW);
    assert!(is_valid(at("2001:db8:1:2::9")), "one prefix is one client");
    assert_eq!(at("2001:db8:1:3::1"), Proof::Forged);
}

#[test]
fn the_first_valid_candidate_counts() {
    let challenge = challenge(1);
    let good = challenge.issue(client(7), REDIRECT, NOW, 1);
    let proof = |field: &str| challenge.proof([field.as_bytes()].into_iter(), client(7), NOW);
    assert!(is_valid(proof(&format!("a=b; weir=planted; __Host-weir={}", good.as_str()))));
    assert!(is_valid(proof(&format!("__Host-weir=x; weir={}", good.as_str()))));
    assert_eq!(proof(&format!("weir=planted; weir={}", good.as_str())), Proof::Forged);
    assert_eq!(proof("a=b"), Proof::None);
    assert_eq!(proof("weir=; __Host-weir="), Proof::Forged);
}

#[test]
fn a_huge_header_is_no_way_in() {
    let challenge = challenge(1);
    let huge = "weir=".repeat(1_000_000) + &"; weir=x".repeat(100_000);
    assert_eq!(challenge.proof([huge.as_bytes()].into_iter(), client(7), NOW), Proof::Forged);
}

#[test]
fn work_is_checked_and_bound_to_client_and_time() {
    let challenge = challenge(1);
    let problem = challenge.problem(client(7), NOW, 1);
    let text = problem.as_str().as_bytes();
    let nonce = solve(&challenge, &problem, client(7));
    let solved = |nonce: &str, last, unix| challenge.is_solved(text, nonce.as_bytes(), client(last), unix);
    assert!(solved(&nonce, 7, NOW + 300));
    assert!(!solved(&nonce, 8, NOW), "another client's work");
    assert!(!solved(&nonce, 7, NOW + 361), "too late");
    for wrong in ["", "x", "-1", "+1", " 1", "1234567890123456", &format!("{nonce}x"), &format!("0{nonce}x")] {
        assert!(!solved(wrong, 7, NOW), "{wrong:?}");
    }
    let share = (0..4096).filter(|n| solved(&n.to_string(), 7, NOW)).count();
    assert!((1..64).contains(&share), "8 bits are one of 256: {share} of 4096");
}

#[test]
fn a_cookie_is_no_problem_and_a_problem_no_cookie() {
    let challenge = challenge(1);
    let problem = challenge.problem(client(7), NOW, 1);
    assert_eq!(challenge.verify(problem.as_str().as_bytes(), client(7), NOW), Proof::Forged);
    // Strength 0 would be a problem that any number solves.
    let cookie = challenge.issue(client(7), 0, NOW, 1);
    assert!(!challenge.is_solved(cookie.as_str().as_bytes(), b"1", client(7), NOW));
}

proptest! {
    #[test]
    fn a_token_with_any_change_is_worth_nothing(at in 0usize..36, to in any::<u8>(), last: u8, age in 0u64..12 * HOUR) {
        let challenge = challenge(1);
        let cookie = challenge.issue(client(last), WORK, NOW, u32::from(last));
        let mut text = cookie.as_str().as_bytes().to_vec();
        prop_assume!(text[at] != to);
        text[at] = to;
        prop_assert!(!is_valid(challenge.verify(&text, client(last), NOW + age)));
    }

    #[test]
    fn a_token_cut_or_grown_is_worth_nothing(cut in 0usize..36, more in proptest::collection::vec(any::<u8>(), 1..40)) {
        let challenge = challenge(1);
        let text = challenge.issue(client(7), WORK, NOW, 1).as_str().as_bytes().to_vec();
        prop_assert_eq!(challenge.verify(&text[..cut], client(7), NOW), Proof::Forged);
        let grown = [&text[..], &more].concat();
        prop_assert_eq!(challenge.verify(&grown, client(7), NOW), Proof::Forged);
    }

    #[test]
    fn no_bytes_are_valid_or_panic(bytes: Vec<u8>, text in "[A-Za-z0-9_-]{36}", unix: u64) {
        let challenge = challenge(1);
        for value in [&bytes[..], text.as_bytes()] {
            prop_assert!(!is_valid(challenge.verify(value, client(7), unix)));
            prop_assert!(!challenge.is_solved(value, b"7", client(7), unix));
            prop_assert!(!is_valid(challenge.proof([value].into_iter(), client(7), unix)));
        }
    }
}
