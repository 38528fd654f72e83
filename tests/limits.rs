//! Limits end to end: what they cover, what they count by, and who is charged.

mod common;

use common::client::{Client, get};
use common::origin::{Origin, respond};
use common::{Weir, config, eventually};

/// A limit of `burst` that gives nothing back while a test runs.
fn limit(name: &str, burst: u32, more: &str) -> String {
    format!("[[limit]]\nname = \"{name}\"\nrate = \"1/h\"\nburst = {burst}\n{more}\n")
}

fn from(a: u32) -> String {
    format!("X-Forwarded-For: 198.51.{}.{}\r\n", 100 + a / 250, 1 + a % 250)
}

/// The sum of a metric's samples whose line has `label`.
fn metric(weir: &Weir, name: &str, label: &str) -> f64 {
    let text = weir.ask("/metrics").1;
    let lines = text.lines().filter(|l| l.starts_with(name) && l.contains(label));
    lines.filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[test]
fn every_disguise_of_a_path_meets_its_limit() {
    let origin = Origin::echo();
    let login = limit("login", 1, "match = { path = \"/login\", method = [\"POST\"] }");
    let weir = Weir::start(&config(origin.address, &login));
    let mut client = Client::connect(weir.http);
    let mut post =
        |path: &str| client.ask(format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi"));
    assert_eq!(post("/%6Cogin").text(), "POST /%6Cogin 2");
    for path in [
        "/login",
        "/login?a=b",
        "//login",
        "/./login",
        "/a/../login",
        "/%6cogin",
        "/%2e/login",
        "/a/%2E%2E/login",
        "/login;a=b",
        "/\\login",
        "/..//login",
        "http://test/login",
        "HTTP://test/login?x",
    ] {
        assert_eq!(post(path).status, 429, "{path}");
    }
    assert_eq!(post("/login/x").status, 200);
    assert_eq!(client.ask(get("/login", "")).status, 200);
}

#[test]
fn a_request_must_pass_every_limit_and_one_refused_is_charged_to_none() {
    let origin = Origin::echo();
    let both = format!("{}{}", limit("all", 6, ""), limit("few", 2, "match = { path = \"/few*\" }"));
    let weir = Weir::start(&config(origin.address, &both));
    let mut client = Client::connect(weir.http);
    let mut ask = |path: &str| client.ask(get(path, &from(1)));
    assert_eq!([ask("/few").status, ask("/few/2").status], [200, 200]);
    for _ in 0..10 {
        let refused = ask("/few");
        assert!(refused.text().contains("\"rule\":\"few\""), "{}", refused.text());
    }
    // Four of the six are left: the ten refusals took none.
    let statuses: Vec<_> = (0..5).map(|_| ask("/other").status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 429]);
    assert!(ask("/few").text().contains("\"rule\":\"all\""));
    assert_eq!(metric(&weir, "weir_limit_refused_total", "limit=\"few\""), 10.0);
    assert_eq!(metric(&weir, "weir_limit_refused_total", "limit=\"all\""), 2.0);
}

#[test]
fn what_the_origin_or_a_fault_turns_away_is_not_charged() {
    let (told, tell) = std::sync::mpsc::channel::<()>();
    let tell = std::sync::Mutex::new(tell);
    let origin = Origin::answering(move |request, socket| {
        if request.target == "/held" {
            tell.lock().unwrap().recv().unwrap();
        }
        respond(socket, "200 OK", &[], b"");
        true
    });
    let text = config(origin.address, &limit("two", 2, "")).replace("max_in_flight = 10000", "max_in_flight = 1");
    let weir = Weir::start(&text.replace("[admin]", "max_body_size = \"1KiB\"\n[admin]"));
    let mut holder = Client::connect(weir.http);
    holder.send(get("/held", &from(2)));
    eventually("held", || origin.requests() == 1);
    let mut client = Client::connect(weir.http);
    for _ in 0..10 {
        assert_eq!(client.ask(get("/", &from(1))).status, 503);
    }
    told.send(()).unwrap();
    assert_eq!(holder.read().status, 200);
    for _ in 0..10 {
        assert_eq!(client.ask(format!("TRACE / HTTP/1.1\r\nHost: test\r\n{}\r\n", from(1))).status, 405);
        let large = format!("POST / HTTP/1.1\r\nHost: test\r\n{}Content-Length: 5000\r\n\r\n", from(1));
        assert_eq!(Client::connect(weir.http).ask(large).status, 413);
        let broken = format!("POST / HTTP/1.1\r\nHost: test\r\n{}Transfer-Encoding: chunked\r\n\r\nx\r\n", from(1));
        assert_eq!(Client::connect(weir.http).ask(broken).status, 400);
    }
    let statuses: Vec<_> = (0..3).map(|_| client.ask(get("/", &from(1))).status).collect();
    assert_eq!(statuses, [200, 200, 429]);
}

#[test]
fn an_observed_limit_counts_and_lets_through() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, &limit("seen", 3, "action = \"observe\"")));
    let mut client = Client::connect(weir.http);
    for _ in 0..10 {
        assert_eq!(client.ask(get("/", &from(1))).status, 200);
    }
    assert_eq!(metric(&weir, "weir_limit_observed_total", "limit=\"seen\""), 7.0);
    assert_eq!(metric(&weir, "weir_limit_refused_total", "limit=\"seen\""), 0.0);
}

#[test]
fn a_share_enforces_the_same_clients_each_time() {
    let origin = Origin::echo();
    let share = limit("share", 1, "enforce = \"25%\"");
    let chosen = || -> Vec<u32> {
        let weir = Weir::start(&config(origin.address, &share));
        let mut client = Client::connect(weir.http);
        let mut over = |a: u32| {
            assert_eq!(client.ask(get("/", &from(a))).status, 200);
            let twice = [client.ask(get("/", &from(a))).status, client.ask(get("/", &from(a))).status];
            assert!(twice == [200, 200] || twice == [429, 429], "{twice:?}");
            twice[0] == 429
        };
        (0..400).filter(|a| over(*a)).collect()
    };
    let (first, second) = (chosen(), chosen());
    assert_eq!(first, second);
    assert!((60..=140).contains(&first.len()), "{} of 400", first.len());
}

#[test]
fn a_header_a_network_and_a_route_are_keys() {
    let origin = Origin::echo();
    let limits = [
        limit("key", 2, "key = \"header:X-Api-Key\"\nmatch = { path = \"/key\" }"),
        limit("net", 2, "key = \"prefix\"\nipv4_prefix = 24\nipv6_prefix = 48\nmatch = { path = \"/net\" }"),
        limit("route", 2, "key = \"route\"\nmatch = { path = \"/route\" }"),
    ];
    let weir = Weir::start(&config(origin.address, &limits.concat()));
    let mut client = Client::connect(weir.http);
    let mut ask = |path: &str, more: &str| client.ask(get(path, more)).status;
    let key = |a: u32, k: &str| format!("{}x-api-key: {k}\r\n", from(a));
    assert_eq!([ask("/key", &key(1, "a")), ask("/key", &key(2, "a")), ask("/key", &key(3, "a"))], [200, 200, 429]);
    assert_eq!(ask("/key", &key(1, "b")), 200);
    // Without the header the client is the key.
    assert_eq!([ask("/key", &from(9)), ask("/key", &from(9)), ask("/key", &from(9))], [200, 200, 429]);
    assert_eq!(ask("/key", &from(8)), 200);
    let net = |a: &str| format!("X-Forwarded-For: {a}\r\n");
    assert_eq!(["192.0.2.1", "192.0.2.200", "192.0.2.3"].map(|a| ask("/net", &net(a))), [200, 200, 429]);
    assert_eq!(ask("/net", &net("203.0.113.1")), 200);
    assert_eq!(
        ["2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:1:3::1"].map(|a| ask("/net", &net(a))),
        [200, 200, 429]
    );
    assert_eq!(ask("/net", &net("2001:db8:2::1")), 200);
    assert_eq!([ask("/route", &from(1)), ask("/route", &from(2)), ask("/route", &from(3))], [200, 200, 429]);
    assert_eq!(ask("/elsewhere", &from(3)), 200);
}
