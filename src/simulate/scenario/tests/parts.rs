//! Tests of the parts: logs as background, floods, networks, lists of attackers.

use super::super::attack::{Flood, Source};
use super::*;
use crate::simulate::log::Log;
use std::io::{Cursor, Write};

/// A log of whole seconds: ten visits of two clients a day apart, and what does not belong in a background.
fn log_text() -> String {
    let mut log = "t\tip\tmethod\tpath\tstatus\tuser_agent\tlabel\n".to_owned();
    let mut line = |t: u32, ip: &str, path: &str, label: &str| {
        log.push_str(&format!("{t}\t{ip}\tGET\t{path}\t200\tMozilla/5.0 Firefox/1.0\t{label}\n"));
    };
    for day in 0..10 {
        let t = 1_000_000 + day * 86_400;
        line(t, "192.0.2.1", "/", "browser_like");
        line(t + 1, "192.0.2.1", "/a.css", "browser_like");
        line(t + 100, "host.example", "/wp-login.php", "human_era");
        line(t + 101, "203.0.113.9", "/x", "bruteforce");
        line(t + 102, "203.0.113.9", "/x", "moderate_bot");
        line(t + 2_000, "192.0.2.1", "/late", "");
    }
    log
}

fn from(text: &str) -> Result<Background, String> {
    Background::from_log(&mut Log::new(Cursor::new(text.to_owned()), None).unwrap(), Networks::default())
}

#[test]
fn a_log_becomes_history_and_sessions() {
    let background = from(&log_text()).unwrap();
    assert!(background.history.iter().all(|e| e.path.as_ref() != "/x"));
    // Of ten days six are history: four requests a day, each under sixteen identities.
    assert_eq!((background.copies, background.history.len()), (16.0, 6 * 4 * 16));
    assert_eq!(background.history.last().unwrap().t, -600.0);
    assert_eq!(background.known.len(), 2 * 16);
    // Two clients a day, one of whom comes back after a pause of more than half an hour.
    let lengths: Vec<usize> = background.sessions.iter().map(|s| s.rows.len()).collect();
    assert_eq!(lengths, [2, 1, 1].repeat(4));
    assert_eq!(background.sessions[0].rows[1].t, 1.0);
    let named = background.sessions[1].client;
    assert_eq!(named, networks::of_name("host.example"));
    assert_eq!(&*background.login, "/wp-login.php");
}

#[test]
fn sessions_keep_their_gaps() {
    let background = from(&log_text()).unwrap();
    let quiet = build("quiet", 1, &background, &BOTS).unwrap();
    assert_eq!(background.copies, 16.0);
    assert!(quiet.events.len() > 200 && quiet.events.len() <= 16 * 16);
    let of = |path: &str| {
        let rows = quiet.events.iter().filter(|e| &*e.path == path).map(|e| (e.client, e.t));
        rows.collect::<Vec<_>>()
    };
    let pages = of("/");
    for (client, t) in of("/a.css") {
        // One second and at most 0.9 s of what whole seconds hide.
        let page = pages.iter().find(|(c, page)| *c == client && (0.1..1.9).contains(&(t - page)));
        assert!(page.is_some(), "{client} at {t}");
    }
    // Clients are known under every identity.
    assert!(quiet.events.iter().all(|e| e.kind == Kind::Known));
}

#[test]
fn a_log_without_agents_is_of_browsers() {
    let text = log_text().replace("Mozilla/5.0 Firefox/1.0", "");
    let background = from(&text).unwrap();
    assert!(background.sessions.iter().flat_map(|s| &s.rows).all(|row| row.solves && !row.user_agent.is_empty()));
}

#[test]
fn a_log_that_has_too_little_is_refused() {
    let header = log_text().lines().next().unwrap().to_owned();
    assert_eq!(from(&header).unwrap_err(), "the log has no request to take a background from");
    let background = from(&format!("{header}\n1000\t192.0.2.1\tGET\t/\t200\t\t\n")).unwrap();
    assert_eq!((background.sessions.len(), background.history.len()), (1, 0));
    assert_eq!(background.starts() * WINDOW, 16.0);
    let error = build("office", 1, &background, &BOTS).unwrap_err();
    assert_eq!(error, "scenario office: the background has no visit by a browser");
    // Where no crawler is declared, one is made up.
    assert!(build("crawler-burst", 1, &background, &BOTS).unwrap().events.len() > 20_000);
}

#[test]
fn floods_pause_and_ramp() {
    let bots = vec![Source::Address(IpAddr::from([192, 0, 2, 1])); 20];
    let run = |flood: &Flood| {
        let mut out = vec![];
        flood.run(&SITE, &mut Random::new(5), &mut out);
        out.iter().map(|e| e.t - ONSET).collect::<Vec<f64>>()
    };
    let pulsed = run(&Flood { pulse: 30.0, ..Flood::new(bots.clone(), 5.0) });
    assert!(pulsed.iter().all(|t| t % 60.0 < 30.0));
    assert!(pulsed.len().abs_diff(20 * 5 * 120) < 500, "{}", pulsed.len());
    let ramp = run(&Flood { ramp: 100.0, ..Flood::new(bots, 5.0) });
    let within = |from: f64, to: f64| ramp.iter().filter(|t| (from..to).contains(*t)).count();
    // While they join, half of the bots are there on average.
    assert!(within(0.0, 100.0).abs_diff(5000) < 600, "{}", within(0.0, 100.0));
    assert!(within(100.0, 200.0).abs_diff(10_000) < 400, "{}", within(100.0, 200.0));
}

#[test]
fn rotating_bots_keep_their_48_and_change_their_64() {
    let network = "2001:db8:7::".parse().unwrap();
    let mut out = vec![];
    Flood::new(vec![Source::Rotating(network)], 5.0).run(&SITE, &mut Random::new(5), &mut out);
    let bits = |e: &Event, n: u32| match e.client {
        IpAddr::V6(v6) => u128::from(v6) >> (128 - n),
        IpAddr::V4(v4) => panic!("{v4}"),
    };
    assert_eq!(out.iter().map(|e| bits(e, 48)).collect::<HashSet<_>>().len(), 1);
    assert!(out.iter().map(|e| bits(e, 64)).collect::<HashSet<_>>().len() * 10 > out.len() * 9);
}

#[test]
fn a_share_of_the_bots_solves() {
    let bots: Vec<Source> = (0..100).map(|i| Source::Address(IpAddr::from([192, 0, 2, i]))).collect();
    let mut out = vec![];
    Flood { solvers: 0.2, ..Flood::new(bots, 0.1) }.run(&SITE, &mut Random::new(5), &mut out);
    let solvers = addresses(&out.iter().filter(|e| e.solves).collect::<Vec<_>>());
    assert!((10..=30).contains(&solvers.len()), "{}", solvers.len());
    assert!(out.iter().all(|e| e.solves == solvers.contains(&e.client)));
}

#[test]
fn clones_stay_in_their_system() {
    let table = tempfile::NamedTempFile::new().unwrap();
    let lines = "10.1.0.0,10.1.255.255,64500,\"One, Inc.\"\n10.2.0.0,10.2.0.255,64500,One\nbroken\n2001:db8::,2001:db8::1,64501,Six\n192.0.2.0\t192.0.2.255\t64502\tTwo\n";
    table.as_file().write_all(lines.as_bytes()).unwrap();
    let networks = Networks::open(table.path()).unwrap();
    let random = &mut Random::new(9);
    for _ in 0..20 {
        let far = networks.far([10, 1, 2, 3].into(), random);
        let IpAddr::V4(far) = far else { panic!("{far}") };
        assert!(far.octets().starts_with(&[10, 2, 0]) || far.octets().starts_with(&[10, 1]), "{far}");
        let only = networks.far([192, 0, 2, 7].into(), random);
        assert!(only.to_string().starts_with("192.0.2."), "{only}");
        let unlisted = networks.near([198, 51, 100, 7].into(), random);
        assert!(unlisted.to_string().starts_with("198.51.") && !unlisted.to_string().starts_with("198.51.100."));
    }
    let empty = tempfile::NamedTempFile::new().unwrap();
    let error = Networks::open(empty.path()).unwrap_err();
    assert!(error.ends_with(": no line reads start,end,asn with IPv4 addresses"), "{error}");
}

#[test]
fn lists_of_attackers_are_checked() {
    let list = tempfile::NamedTempFile::new().unwrap();
    let write = |text: &str| std::fs::write(list.path(), text).unwrap();
    write("# proxies\n192.0.2.2\n192.0.2.1\n192.0.2.2\n\n2001:db8::1\n");
    let attackers = Attackers::open(list.path()).unwrap();
    let expected: [IpAddr; 3] = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into(), "2001:db8::1".parse().unwrap()];
    assert_eq!((&attackers.spread[..], &attackers.hosting[..]), (&expected[..], &expected[..]));
    write("192.0.2.2\nnobody\n");
    let error = Attackers::open(list.path()).unwrap_err();
    assert!(error.ends_with(": \"nobody\": expected an address"), "{error}");
}

#[test]
fn generated_botnets_are_spread_or_crowded() {
    let crowded = |addresses: &[IpAddr]| {
        let mut members: HashMap<[u8; 3], usize> = HashMap::new();
        let net = |a: &IpAddr| match a {
            IpAddr::V4(v4) => [v4.octets()[0], v4.octets()[1], v4.octets()[2]],
            IpAddr::V6(v6) => panic!("{v6}"),
        };
        addresses.iter().for_each(|a| *members.entry(net(a)).or_default() += 1);
        addresses.iter().filter(|a| members[&net(a)] >= 4).count() as f64 / addresses.len() as f64
    };
    assert!(crowded(&BOTS.spread) < 0.01, "{}", crowded(&BOTS.spread));
    assert!((0.40..0.55).contains(&crowded(&BOTS.hosting)), "{}", crowded(&BOTS.hosting));
}

#[test]
fn a_scenario_can_be_read_back_as_a_log() {
    let event = Event {
        t: 12.25,
        client: IpAddr::from([192, 0, 2, 1]),
        path: Arc::from("/tab\there"),
        user_agent: Arc::from("agent\n"),
        ..attack::page("/".into())
    };
    let before = Event { t: -0.5, has_query: true, kind: Kind::Known, ..event.clone() };
    let written = text(&[before, event]);
    assert!(written.contains("\n1699999999.500000\t192.0.2.1\tGET\t/tab here\t1\t200\t5000\tagent \t0\tknown\n"));
    let mut log = Log::new(Cursor::new(written), None).unwrap();
    let line = log.next_line().unwrap().unwrap();
    assert_eq!((line.t, line.has_query, line.label.as_deref()), (1_699_999_999.5, true, Some("known")));
    let line = log.next_line().unwrap().unwrap();
    assert_eq!((line.t, line.status, line.label.as_deref()), (1_700_000_012.25, 200, Some("attack")));
}
