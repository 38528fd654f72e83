//! Tests of the written report.

use super::table::figure;
use super::*;
use crate::simulate::score::{Second, State};

fn score(leak: f64) -> Score {
    let second = |t: u32| Second {
        legitimate: 20,
        attack: if t < 60 { 0 } else { 2000 },
        forwarded: 25,
        refused: t % 3,
        state: if t < 61 { State::Normal } else { State::Attack },
    };
    Score {
        leak,
        detect: Some(0.4),
        whole: 100.0,
        peak: 0.9,
        seconds: (0..300).map(second).collect(),
        ..Score::default()
    }
}

fn report() -> Report {
    let runs = |filter: &str, scores| Runs { filter: filter.into(), scores };
    let filters = vec![
        runs("weir", vec![score(0.2), score(1.5), score(0.25)]),
        runs("no, filter", vec![Score { leak: 100.0, detect: None, ..score(0.0) }]),
    ];
    let trial = Trial { scenario: "botnet", span: Span { from: 0.0, to: 300.0 }, filters };
    let empty = Trial { scenario: "quiet", span: Span { from: 0.0, to: 0.0 }, filters: vec![] };
    let part = Part { title: "Generated site".into(), slug: "site".into(), trials: vec![trial, empty] };
    Report { about: vec!["Seeds: 3.".into()], capacity: 300.0, parts: vec![part] }
}

#[test]
fn the_goals_are_judged_by_the_median_and_the_worst() {
    let text = markdown(&report());
    let has = |line: &str| assert!(text.lines().any(|l| l == line), "{line}\nnot in\n{text}");
    has("# Floods and crowds, in virtual time");
    has("- Seeds: 3.");
    has("Goals: 7, of which missed with any seed: 1.");
    has("| botnet | detected after s | 0.40 | ≤ 1 | ≤ 0.50 | stretch met |");
    has("| botnet | leak % | 0.25 / 1.50 | ≤ 1 | ≤ 0.30 | **missed** by the worst seed |");
    has("| everywhere; worst: botnet | peak / capacity | 0.90 | ≤ 1.05 | ≤ 1.05 | stretch met |");
    has("| botnet | weir | 0.40 | 0.25 / 1.50 | 0 | 0 | 100 | 0.90 | 0 |");
    has("| botnet | no, filter | never | 100 | 0 | 0 | 100 | 0.90 | 0 |");
    has("![botnet: 2,000 bots of one request a second](flood/site-botnet.svg)");
    assert!(!text.contains("site-quiet.svg"));
}

#[test]
fn every_run_is_a_line_of_values() {
    let text = csv(&report());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5);
    assert!(lines.iter().all(|line| line.split(',').count() == 15), "{text}");
    assert!(lines[2].starts_with("site,botnet,weir,1,0.4,1.5,0,"), "{text}");
    assert!(lines[4].starts_with("site,botnet,no  filter,0,,100,0,"), "{text}");
}

#[test]
fn a_chart_shows_curves_states_and_the_capacity() {
    let svg = chart::svg("a < b", &score(1.0), Span { from: 0.0, to: 300.0 }, 300.0);
    assert!(svg.contains("<title>a &lt; b: requests a second (up to 2020/s asked)</title>"), "{svg}");
    assert_eq!(svg.matches("<rect class=\"attack\"").count(), 1);
    assert!(!svg.contains("<rect class=\"elevated\""));
    // From the 62nd second of 300 to the last, over a width of 656.
    assert!(svg.contains("<rect class=\"attack\" x=\"185.8\""), "{svg}");
    assert!(svg.contains(">300 s</text>") && svg.contains("class=\"capacity\""));
    assert_eq!(svg.matches('L').count(), 4 * 299 + 2);
}

#[test]
fn a_day_has_no_more_points_than_a_screen() {
    let day = Score { seconds: vec![Second { legitimate: 10, ..Second::default() }; 86_400], ..Score::default() };
    let svg = chart::svg("day", &day, Span::around(0.0, 86_400.0, 86_399.0), 300.0);
    assert_eq!(svg.matches('L').count(), 4 * 599 + 2);
}

#[test]
fn a_run_of_nothing_is_an_empty_chart() {
    let svg = chart::svg("nothing", &Score::default(), Span { from: 10.0, to: 5.0 }, 300.0);
    assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
}

#[test]
fn a_span_has_room_around_but_ends_with_the_run() {
    assert_eq!(Span::around(1200.0, 1440.0, 2399.0), Span { from: 1140.0, to: 1560.0 });
    assert_eq!(Span::around(0.0, 86_400.0, 86_399.0), Span { from: 0.0, to: 86_400.0 });
    assert_eq!(Span::around(1200.0, 3000.0, 2999.0), Span { from: 750.0, to: 3000.0 });
}

#[test]
fn figures_have_no_more_digits_than_say_something() {
    let figures = [0.0, 90.0, 0.01, 0.123, 7.125, 87.72, f64::INFINITY].map(figure);
    assert_eq!(figures, ["0", "90", "0.0100", "0.12", "7.12", "87.7", "never"]);
}

#[test]
fn a_report_is_three_kinds_of_files() {
    let folder = tempfile::tempdir().unwrap();
    report().write(&folder.path().join("reports")).unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join("reports").join(name)).unwrap();
    assert_eq!(read("flood.md"), markdown(&report()));
    assert_eq!(read("flood.csv"), csv(&report()));
    assert!(read("flood/site-botnet.svg").starts_with("<svg "));
}
