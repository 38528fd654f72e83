//! `weir simulate --scenario` on a background that is small enough for a test.

use super::*;

/// Visits of some people over an hour: a page and five pictures each.
fn visits() -> String {
    let rows = (0..60_u32).flat_map(|visit| {
        (0..6).map(move |n| (f64::from(visit) * 60.0 + f64::from(n) * 0.2, format!("192.0.2.{}", visit % 40), None))
    });
    tsv(rows)
}

#[test]
fn scenarios_are_listed() {
    let text = Place::new().good("--scenario list");
    assert!(text.contains("botnet-large        9,500 bots") && text.lines().count() > 40, "{text}");
}

#[test]
fn a_scenario_is_scored_beside_simple_filters_and_can_be_written() {
    let place = Place::new();
    place.write("site", visits());
    place.write("bots", (0..250).map(|n| format!("198.51.100.{n}\n")).collect::<String>());
    let arguments = "--scenario sub-capacity --background site --attackers bots --capacity 40/s";
    let text = place.good(&format!("{arguments} --write logs --report report"));
    for filter in ["weir", "no filter", "fixed limit", "blind cap"] {
        assert!(text.contains(&format!("sub-capacity  {filter}")), "{text}");
    }
    assert_eq!(text, place.good(arguments));
    let rows = place.json(arguments);
    let of_weir = &rows["rows"][0];
    assert_eq!((&of_weir["background"], &of_weir["filter"]), (&"site".into(), &"weir".into()));
    assert!(place.read("report/flood.md").contains("sub-capacity"));
    assert!(place.read("report/flood/site-sub-capacity.svg").starts_with("<svg"));
    // What was written is a log like any other, and the bots in it are seen.
    let log = place.json("--log logs/sub-capacity.log.tsv --history logs/sub-capacity.history.tsv");
    assert_eq!((&log["challenge"], &log["log"]["late"]), (&"as-logged".into(), &0.into()));
    assert!(log["configs"][0]["changes"].to_string().contains("attack"), "{log}");
}

#[test]
fn seeds_make_other_runs_and_their_order_is_kept() {
    let place = Place::new();
    place.write("site", visits());
    let arguments = "--scenario quiet --background site --seeds 3";
    let first = place.good(&format!("{arguments} --report one"));
    assert_eq!(first, place.good(&format!("{arguments} --report two")));
    assert_eq!(place.read("one/flood.csv"), place.read("two/flood.csv"));
    assert_eq!(place.read("one/flood.csv").lines().filter(|l| l.contains(",weir,")).count(), 3);
}

#[test]
fn what_a_scenario_cannot_be_made_from_says_why() {
    let place = Place::new();
    place.write("short", tsv([]));
    let output = place.run("--scenario quiet --background short");
    assert_eq!(exit(&output), 65, "{}", stderr(&output));
    let missing = absolute(&place.path("missing"));
    let output = place.run(&format!("--scenario quiet --background {missing}"));
    assert_eq!(exit(&output), 66, "{}", stderr(&output));
}
