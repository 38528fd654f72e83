//! Logs and configs with faults, and logs that are strange but right.

use super::*;

#[test]
fn lines_with_faults_are_counted_and_get_no_verdict() {
    let place = Place::new();
    let huge = format!("{START}\t192.0.2.9\tGET\t/{}\t200\t0\t-\t\n", "x".repeat(70_000));
    let good = burst(2, "192.0.2.7", None);
    place.write("log", format!("{good}{huge}not a line\n{START}\t192.0.2.8\tGET\t/\tx\t0\t-\t\n"));
    assert_eq!(place.verdicts("--log log").len(), 2);
    let log = &place.json("--log log")["log"];
    assert_eq!((&log["requests"], &log["faults"]), (&2.into(), &3.into()));
    let faults = log["first_faults"].to_string();
    assert!(faults.contains("log, line 4: longer than 65536 bytes") && faults.contains("line 6: status"), "{faults}");
}

#[test]
fn what_is_no_log_is_65_and_what_is_not_there_is_66() {
    let place = Place::new();
    place.write("faulty", "t\tip\nx\t192.0.2.1\ny\t\n");
    place.write("prose", "once upon a time\n");
    place.write("header", "ip\tpath\n192.0.2.1\t/\n");
    place.write("cut.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1]);
    place.write("log", burst(1, "192.0.2.7", None));
    std::fs::create_dir(place.path("folder")).unwrap();
    for (arguments, code, word) in [
        ("--log faulty", 65, "no line of the log is a request (2 faults); faulty, line 2: t \"x\""),
        ("--log prose", 65, "prose"),
        ("--log header --format tsv", 65, "\"t\""),
        ("--log cut.gz", 65, "cut.gz"),
        ("--log missing", 66, "missing"),
        ("--log log --log missing", 66, "missing"),
        ("--log log --history missing", 66, "missing"),
        ("--log folder", 66, "folder"),
        ("--log log --config missing.toml", 66, "missing.toml"),
        ("--log log --compare missing.toml", 66, "missing.toml"),
        ("--log - --history -", 64, "once"),
        ("--log log --format xml", 64, "xml"),
        ("--scenario nonsense", 64, "--scenario list"),
        ("", 64, "--log"),
    ] {
        let output = place.run(arguments);
        assert_eq!(exit(&output), code, "{arguments}: {}", stderr(&output));
        assert!(stderr(&output).contains(word), "{arguments}: {}", stderr(&output));
        assert!(output.stdout.is_empty(), "{arguments}");
    }
}

#[test]
fn a_faulty_config_is_78_in_the_words_of_check() {
    let place = Place::new();
    place.write("faulty.toml", "[origin]\naddresses = [\"demo\"]\ncapacity = 5\n[lists]\ndenied = []\n");
    place.write("log", burst(1, "192.0.2.7", None));
    let simulated = place.run("--log log --config faulty.toml");
    assert_eq!(exit(&simulated), 78);
    let mut check = Command::new(env!("CARGO_BIN_EXE_weir"));
    let checked = stderr(&check.args(["check", "faulty.toml"]).current_dir(place.0.path()).output().unwrap());
    assert!(checked.starts_with(&stderr(&simulated)) && stderr(&simulated).contains("faulty.toml:3"), "{checked}");
}

#[test]
fn certificates_and_tokens_are_not_asked_for_but_lists_are() {
    let place = Place::new();
    place.write("log", burst(1, "192.0.2.7", None));
    let files = "[listen.tls]\naddress = [\"0.0.0.0:8443\"]\ncertificate = \"no.crt\"\nkey = \"no.key\"\n\
                 [admin]\naddress = \"0.0.0.0:9901\"\ntoken_file = \"no.token\"\n\
                 [flood.challenge]\nsecret_file = \"no.secret\"\n";
    place.write("weir.toml", format!("{CONFIG}{files}"));
    assert_eq!(place.verdicts("--log log")[0][2], "forward");
    place.write("weir.toml", CONFIG.replace("203.0.113.0/24", "denied.txt"));
    let missing = place.run("--log log");
    assert_eq!(exit(&missing), 78);
    assert!(stderr(&missing).contains("denied.txt"), "{}", stderr(&missing));
    place.write("denied.txt", "192.0.2.0/24\n");
    assert_eq!(place.verdicts("--log log")[0][3], "deny-list");
}

#[test]
fn an_empty_log_is_an_empty_report() {
    let place = Place::new();
    place.write("log", "");
    assert!(place.verdicts("--log log").is_empty());
    assert_eq!(place.json("--log log")["log"]["requests"], 0);
    assert!(place.good("--log log").contains("0 requests"));
}

#[test]
fn a_clock_that_goes_back_stands_still() {
    let place = Place::new();
    let (forth, back) = (burst(3, "192.0.2.7", None), burst(3, "192.0.2.8", None));
    let back = back.lines().skip(1).map(|l| l.replace("1700000000", "1699990000") + "\n").collect::<String>();
    let later =
        tsv([(100.5, "192.0.2.9".to_owned(), None)]).lines().skip(1).map(|l| l.to_owned() + "\n").collect::<String>();
    place.write("log", format!("{forth}{later}{back}"));
    let rows = place.verdicts("--log log");
    assert_eq!(rows.len(), 7);
    assert_eq!(rows[4][0], "1699990000.000000");
    let report = place.json("--log log");
    assert_eq!(report["log"]["late"], 3);
    assert!(report["notes"].to_string().contains("sort the log"), "{report}");
}

#[test]
fn nineteen_days_without_a_request_are_passed_over() {
    let place = Place::new();
    let days = 19.0 * 86_400.0;
    let mut rows: Vec<_> = (0..8).map(|n| (f64::from(n) * 0.01, "192.0.2.7".to_owned(), None)).collect();
    rows.extend((0..8).map(|n| (days + f64::from(n) * 0.01, "192.0.2.7".to_owned(), None)));
    place.write("log", tsv(rows));
    let verdicts = place.verdicts("--log log");
    let one = [vec!["forward"; 5], vec!["refuse"; 3]].concat();
    assert_eq!(column(&verdicts, 2), [one.clone(), one].concat());
    let report = place.json("--log log");
    assert_eq!((report["configs"][0]["series"]["points"].as_array().unwrap().len() <= 500).then_some(()), Some(()));
    assert!(place.good("--log log").contains("(19 d)"));
}

#[test]
fn what_a_client_wrote_plays_no_tricks_on_the_terminal() {
    let place = Place::new();
    let line = serde_json::json!({"t": START, "ip": "a\u{1b}[2J\tb\nc", "path": "/"});
    place.write("log", format!("{line}\n").repeat(9));
    let rows = place.verdicts("--log log");
    assert!(rows.len() == 9 && rows.iter().all(|row| row.len() == 7 && !row[1].contains('\x1b')), "{rows:?}");
    assert!(!place.good("--log log").contains('\x1b'));
}
