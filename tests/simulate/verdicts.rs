//! What becomes of requests, in the file of verdicts and in the report.

use super::*;

#[test]
fn verdicts_stand_in_the_order_of_the_log_and_are_the_same_each_time() {
    let place = Place::new();
    // As a load balancer writes: by the time of the answer, here up to four seconds late.
    let rows = (0..400_u32).map(|n| (f64::from(n / 4) - f64::from(n % 4), format!("192.0.2.{}", n % 50), None));
    place.write("log", tsv(rows.map(|(t, ip, c)| (t + 10.25, ip, c))));
    let rows = place.verdicts("--log log");
    let first = place.read("out.tsv");
    let log = place.read("log");
    let input: Vec<(&str, &str)> =
        log.lines().skip(1).map(|l| l.split('\t')).map(|mut l| (l.next().unwrap(), l.next().unwrap())).collect();
    let output: Vec<(&str, &str)> = rows.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    assert_eq!(input, output);
    for row in &rows {
        assert!(["forward", "refuse", "challenge", "close"].contains(&row[2].as_str()), "{row:?}");
        assert!(["normal", "elevated", "attack", "overload"].contains(&row[4].as_str()), "{row:?}");
        assert!(row[5].parse::<u8>().is_ok_and(|rank| rank <= 5), "{row:?}");
        assert!(row[6].parse::<f64>().is_ok() && row[6].split_once('.').unwrap().1.len() == 6, "{row:?}");
    }
    place.verdicts("--log log");
    assert_eq!(first, place.read("out.tsv"));
    let report = place.json("--log log");
    assert_eq!(report, place.json("--log log"));
    assert_eq!(report["log"]["late"], 0);
}

#[test]
fn requests_wait_for_the_capacity_and_then_are_refused() {
    let place = Place::new();
    place.write("log", tsv((0..200_u32).map(|n| (f64::from(n) * 0.0001, format!("192.0.2.{n}"), None))));
    let rows = place.verdicts("--log log");
    let delays: Vec<f64> = rows.iter().filter(|r| r[2] == "forward").map(|r| r[6].parse().unwrap()).collect();
    assert!(delays.iter().any(|d| *d > 0.0) && delays.iter().all(|d| *d <= 0.3), "{delays:?}");
    assert!(rows.iter().any(|r| r[2..4] == ["refuse", "origin-capacity"]));
    let config = &place.json("--log log")["configs"][0];
    assert_eq!(config["peak_offered"]["count"], 200);
    assert!(config["peak_forwarded"]["count"].as_u64().unwrap() <= 53, "{config}");
    assert_eq!(config["waited"].as_u64().unwrap() as usize, delays.iter().filter(|d| **d > 0.0).count());
}

#[test]
fn a_path_in_disguise_meets_the_limit_of_the_path() {
    let place = Place::new();
    let rule =
        "[[limit]]\nname = \"login\"\nmatch = { path = \"/login\" }\nrate = \"1/h\"\nburst = 3\nkey = \"route\"\n";
    place.write("weir.toml", place.read("weir.toml") + rule);
    let paths = ["/login", "//login", "/%6Cogin", "/x/../login", "/%6cogin", "/logins"];
    let rows = paths.iter().enumerate().map(|(n, path)| format!("{}\t192.0.2.{n}\tGET\t{path}\n", START + n as u64));
    place.write("log", format!("t\tip\tmethod\tpath\n{}", rows.collect::<String>()));
    let rows = place.verdicts("--log log");
    assert_eq!(column(&rows, 2), ["forward", "forward", "forward", "refuse", "refuse", "forward"]);
}

#[test]
fn a_client_on_the_deny_list_has_no_rank() {
    let place = Place::new();
    place.write("log", burst(1, "203.0.113.7", None));
    let rows = place.verdicts("--log log");
    assert_eq!(rows[0][1..], ["203.0.113.7", "refuse", "deny-list", "normal", "", "0.000000"]);
}

#[test]
fn whoever_passes_a_challenge_is_forwarded() {
    let place = Place::new();
    let last = |passes: Option<bool>, more: &str| {
        place.write("log", burst(6, "192.0.2.7", passes));
        place.verdicts(&format!("--log log {more}")).pop().unwrap()[2..4].join(" ")
    };
    // Its limit is used up, but it may be one of several browsers behind its address.
    assert_eq!(last(Some(true), ""), "forward forwarded");
    assert_eq!(last(Some(false), ""), "challenge limit");
    assert_eq!(last(None, ""), "refuse limit");
    assert_eq!(last(None, "--assume-browsers-pass"), "forward forwarded");
    place.write("log", burst(6, "192.0.2.7", Some(false)));
    let report = place.json("--log log");
    let config = &report["configs"][0];
    assert_eq!(
        (&report["challenge"], &config["challenged"], &config["passed"]),
        (&"as-logged".into(), &1.into(), &0.into())
    );
    place.write("log", burst(6, "192.0.2.7", None));
    let report = place.json("--log log");
    assert_eq!(report["challenge"], "off");
    assert!(report["notes"][0].as_str().unwrap().contains("--assume-browsers-pass"), "{report}");
}

#[test]
fn a_history_gives_ranks() {
    let place = Place::new();
    place.write("log", burst(1, "192.0.2.7", None));
    let past = [-7200.0, -7000.0, -5000.0, -4000.0].map(|t| (t, "192.0.2.7".to_owned(), None));
    place.write("history", tsv(past));
    let rank = |arguments: &str| place.verdicts(arguments)[0][5].clone();
    assert_eq!(rank("--log log"), "5");
    assert_eq!(rank("--log log --history history"), "0");
    let stranger = burst(1, "198.51.100.9", None).replace("198.51.100.9", "198.51.100.200");
    place.write("log", stranger);
    assert_eq!(rank("--log log --history history"), "5");
}

#[test]
fn a_history_that_is_not_before_the_log_is_passed_over() {
    let place = Place::new();
    place.write("log", burst(3, "192.0.2.7", None));
    let report = place.json("--log log --history log");
    assert_eq!((&report["history"]["requests"], &report["history"]["overlap"]), (&3.into(), &3.into()));
    assert!(report["notes"].to_string().contains("passed over"));
}

#[test]
fn two_configs_stand_side_by_side() {
    let place = Place::new();
    place.write("other.toml", CONFIG.replace("burst = 5", "burst = 7").replace("203.0.113.0/24", "192.0.2.9"));
    place.write("log", burst(9, "192.0.2.7", None));
    let report = place.json("--log log --compare other.toml");
    let refused = |n: usize| report["configs"][n]["verdicts"]["refuse"].as_u64().unwrap();
    assert_eq!((refused(0), refused(1)), (4, 2));
    let differences = &report["differences"];
    assert_eq!((&differences["requests"], &differences["only_second_forwards"]), (&2.into(), &2.into()));
    assert_eq!(differences["clients_only_first_refuses"], 0);
    // The verdicts are the first config's.
    assert_eq!(column(&place.verdicts("--log log --compare other.toml"), 2)[5], "refuse");
    let text = place.good("--log log --compare other.toml");
    assert!(text.contains("Side by side") && text.contains("by limit per-client"), "{text}");
    assert!(place.json("--log log")["differences"].is_null());
}

#[test]
fn the_report_says_what_happened_and_why() {
    let place = Place::new();
    place.write("log", burst(9, "192.0.2.7", None) + "nonsense\n");
    let text = place.good("--log log");
    for part in [
        "9 requests of 1 client, 2023-11-14 22:13:20Z",
        "1 lines could not be used:",
        "5 forwarded, 4 turned away (44.44 %)",
        "limit      per-client         4  44.44 %        1",
        "192.0.2.7        4   9",
        "┄ capacity 50/s",
        "Notes",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    assert!(!text.contains('\x1b'), "{text}");
    assert!(!place.good("--log log --top 0").contains("192.0.2.7"));
}

#[test]
fn json_has_the_documented_keys() {
    let place = Place::new();
    place.write("log", burst(9, "192.0.2.7", None));
    let report = place.json("--log log");
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/simulate.md")).unwrap();
    let config = &report["configs"][0];
    let all = [&report, &report["log"], config, &config["series"], &config["reasons"][0], &config["top"][0]];
    for key in all.into_iter().flat_map(keys) {
        assert!(guide.contains(&format!("`{key}`")), "docs/simulate.md does not tell of {key:?}");
    }
    assert!(keys(&report).len() == 6 && keys(config).len() > 10);
}
