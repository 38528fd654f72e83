//! The proof of work, solved by hand.

use crate::browser::Browser;
use crate::common::client::Response;
use crate::common::origin::Origin;
use crate::{attacked, attacked_with};
use ring::digest::{SHA256, digest};

/// What the page asks for.
fn problem(page: &Response) -> (String, u32) {
    let text = page.text();
    let value = |name: &str| text.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned();
    (value("data-problem"), value("data-difficulty").parse().unwrap())
}

fn solve(problem: &str, difficulty: u32) -> u64 {
    let good = |n: &u64| {
        let hash = digest(&SHA256, format!("{problem}{n}").as_bytes());
        u32::from_be_bytes(hash.as_ref()[..4].try_into().unwrap()).leading_zeros() >= difficulty
    };
    (0..).find(good).unwrap()
}

#[test]
fn a_solution_buys_a_cookie_and_the_cookie_the_page() {
    let origin = Origin::echo();
    let weir = attacked(origin.address, "form = \"proof-of-work\"\ndifficulty = 10");
    let before = origin.requests();
    let mut browser = Browser::new(weir.http, "192.0.2.1");
    let page = browser.get("/page");
    assert_eq!((page.status, page.header("retry-after"), page.header("cache-control")), (429, "10", "no-store"));
    assert!(page.header("content-type").starts_with("text/html") && page.text().contains("<noscript>"));
    assert!(page.header("set-cookie").is_empty());
    let (problem, difficulty) = problem(&page);
    assert_eq!(difficulty, 10);
    let url = "/.well-known/weir/pow";
    assert_eq!(browser.get(url).status, 403, "nothing is proven yet");
    assert_eq!(browser.post(&format!("{url}?{problem}&x")).status, 403);
    let target = format!("{url}?{problem}&{}", solve(&problem, difficulty));
    assert_eq!(Browser::new(weir.http, "192.0.2.2").post(&target).status, 403, "another client's work");
    assert_eq!(origin.requests(), before);
    let solved = browser.post(&target);
    assert_eq!((solved.status, solved.body.len()), (204, 0));
    assert_eq!(browser.get(url).status, 204);
    assert_eq!(browser.get("/page").status, 200);
    assert_eq!(weir.ended("challenge-passed"), 2);
    // Once more is no fault, and buys nothing that the client does not have.
    assert_eq!(browser.post(&target).status, 204);
}

#[test]
fn who_takes_no_html_is_told_in_its_own_words() {
    let origin = Origin::echo();
    let weir = attacked(origin.address, "form = \"proof-of-work\"");
    let answer = Browser::new(weir.http, "192.0.2.1").accepting("application/json").get("/page");
    assert_eq!((answer.status, answer.header("content-type")), (429, "application/problem+json"));
    assert!(answer.text().contains("\"reason\":\"challenge\""));
    assert!(!answer.header("retry-after").is_empty());
}

#[test]
fn a_cookie_of_the_redirect_is_not_enough_once_work_is_asked_for() {
    let origin = Origin::echo();
    let weir = attacked(origin.address, "");
    let mut browser = Browser::new(weir.http, "192.0.2.1");
    assert_eq!(browser.follow("/").0.status, 200);
    weir.rewrite(&crate::config(origin.address, "[flood.challenge]\nform = \"proof-of-work\"\n"));
    weir.reload().unwrap();
    assert_eq!(browser.get("/").status, 429);
}

#[test]
fn a_target_too_long_for_a_redirect_gets_the_page() {
    let origin = Origin::echo();
    let weir = attacked_with(origin.address, "", "");
    let answer = Browser::new(weir.http, "192.0.2.1").get(&format!("/{}", "x".repeat(5_000)));
    assert_eq!(answer.status, 429);
    let _ = problem(&answer);
}
