//! Whose request it is: forwarding headers, who is believed, lists, and IPv6.

mod common;

use common::client::{Client, get};
use common::origin::{Origin, respond};
use common::{Weir, config, eventually};
use std::time::{Duration, Instant};

/// Answers with the X-Forwarded-For that it got.
fn origin() -> Origin {
    Origin::answering(|request, socket| {
        respond(socket, "200 OK", &[], request.header("x-forwarded-for").as_bytes());
        true
    })
}

const CLIENT: &str = "[client]\ntrusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\", \"fd00::/8\"]\n";
const DENY: &str = "[lists]\ndeny = [\"192.0.2.66\", \"2001:db8:66::/48\"]\n";

#[test]
fn the_client_is_the_rightmost_address_that_is_no_trusted_proxy() {
    let origin = origin();
    let weir = Weir::start(&config(origin.address, &format!("{CLIENT}{DENY}")));
    let mut client = Client::connect(weir.http);
    for (value, status) in [
        ("192.0.2.66", 403),
        ("  192.0.2.66\t", 403),
        ("192.0.2.66:1234", 403),
        ("::ffff:192.0.2.66", 403),
        ("[::ffff:192.0.2.66]:80", 403),
        ("198.51.100.1, 192.0.2.66", 403),
        ("garbage, 192.0.2.66", 403),
        (", ,192.0.2.66", 403),
        ("192.0.2.66, 10.1.2.3", 403),
        ("192.0.2.66,10.1.2.3,fd00::1,127.0.0.1", 403),
        ("198.51.100.1\r\nX-Forwarded-For: 192.0.2.66", 403),
        ("192.0.2.66\r\nX-FORWARDED-FOR: 10.0.0.1", 403),
        ("2001:db8:66::1", 403),
        ("[2001:db8:66::1]:443", 403),
        ("2001:DB8:66:0:0::1", 403),
        ("192.0.2.66, 198.51.100.1", 200),
        ("192.0.2.66\r\nX-Forwarded-For: 198.51.100.1", 200),
        ("2001:db8:67::1", 200),
        ("192.0.2.6", 200),
        ("", 200),
    ] {
        assert_eq!(client.ask(get("/", &format!("X-Forwarded-For: {value}\r\n"))).status, status, "{value:?}");
    }
    assert_eq!(weir.ended("deny-list"), 15);
}

#[test]
fn a_long_chain_is_read_from_the_right_and_does_not_get_in_the_way() {
    let origin = origin();
    let weir = Weir::start(&config(origin.address, &format!("{CLIENT}{DENY}")));
    let mut client = Client::connect(weir.http);
    let chain = format!("X-Forwarded-For: {}192.0.2.66\r\n", "198.51.100.1, ".repeat(2000));
    assert_eq!(client.ask(get("/", &chain)).status, 403);
}

#[test]
fn a_peer_that_is_not_trusted_speaks_only_for_itself() {
    let origin = origin();
    let more = "[client]\ntrusted_proxies = [\"192.0.2.0/24\"]\n[[limit]]\nname = \"two\"\nrate = \"1/h\"\nburst = 2\n";
    let weir = Weir::start(&config(origin.address, &format!("{more}{DENY}")));
    let mut client = Client::connect(weir.http);
    let mut ask =
        |n: u8| client.ask(get("/", &format!("X-Forwarded-For: 192.0.2.{n}\r\nForwarded: for=192.0.2.1\r\n")));
    assert_eq!(ask(66).text(), "127.0.0.1");
    assert_eq!(ask(1).text(), "127.0.0.1");
    // A new name does not get it a new burst.
    assert_eq!(ask(2).status, 429);
}

#[test]
fn one_ipv6_network_is_one_client() {
    let origin = origin();
    let limit = "[[limit]]\nname = \"two\"\nrate = \"1/h\"\nburst = 2\n";
    let weir = Weir::start(&config(origin.address, limit));
    let mut client = Client::connect(weir.http);
    let mut ask = |a: &str| client.ask(get("/", &format!("X-Forwarded-For: {a}\r\n"))).status;
    assert_eq!([ask("2001:db8:1:2::1"), ask("2001:db8:1:2:ffff::2"), ask("2001:db8:1:2::3")], [200, 200, 429]);
    assert_eq!(ask("2001:db8:1:3::1"), 200);
    // A mapped address is its IPv4 address.
    assert_eq!([ask("192.0.2.1"), ask("::ffff:192.0.2.1"), ask("192.0.2.1")], [200, 200, 429]);
}

#[test]
fn lists_of_a_hundred_thousand_networks_hold_and_allow_wins() {
    let origin = origin();
    // Every other /29 of 10.0.0.0/11 or so.
    let nets = |skip: u32| -> String {
        (0..100_000u32).map(|i| format!("{}/29\n", std::net::Ipv4Addr::from(0x0a00_0000 + i * 16 + skip))).collect()
    };
    let deny = format!("# denied\n{}2001:db8:66::/48\n", nets(0));
    let allow = "10.0.0.1 # one of ours\n";
    let lists =
        "[client]\ntrusted_proxies = [\"127.0.0.0/8\"]\n[lists]\nallow = [\"allow.txt\"]\ndeny = [\"deny.txt\"]\n";
    let files: [(&str, &[u8]); 2] = [("allow.txt", allow.as_bytes()), ("deny.txt", deny.as_bytes())];
    let weir = Weir::start_with(&config(origin.address, lists), &files);
    let mut client = Client::connect(weir.http);
    let mut ask = |a: String| client.ask(get("/", &format!("X-Forwarded-For: {a}\r\n"))).status;
    for i in (0..100_000u32).step_by(1009) {
        let start = 0x0a00_0000 + i * 16;
        assert_eq!(ask(std::net::Ipv4Addr::from(start + 7).to_string()), 403, "{i}");
        assert_eq!(ask(std::net::Ipv4Addr::from(start + 8).to_string()), 200, "{i}");
    }
    assert_eq!([ask("10.0.0.0".into()), ask("10.0.0.1".into()), ask("10.0.0.2".into())], [403, 200, 403]);
    assert_eq!([ask("2001:db8:66:1::1".into()), ask("2001:db8:67::1".into())], [403, 200]);
    eventually("counted", || weir.ended("allow-list") == 1);
}

#[test]
fn a_key_that_all_clients_share_is_pointed_out() {
    let origin = origin();
    let weir = Weir::start(&config(origin.address, "[client]\ntrusted_proxies = [\"192.0.2.0/24\"]\n"));
    let mut client = Client::connect(weir.http);
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        for n in 0..60 {
            client.ask(get("/", &format!("X-Forwarded-For: 198.51.100.{n}\r\n")));
        }
        let status: serde_json::Value = serde_json::from_str(&weir.ask("/api/status").1).unwrap();
        let notes = status["notes"].as_array().unwrap();
        if notes.iter().any(|n| n.as_str().unwrap().contains("127.0.0.1")) {
            break;
        }
        assert!(Instant::now() < deadline, "no warning: {notes:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
