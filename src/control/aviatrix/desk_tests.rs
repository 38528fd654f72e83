//! Who is blamed for a report, who is spared, and what is counted.

use super::*;
use crate::config;
use crate::control::bans;
use crate::origin::Pool;
use crate::verdict::State;
use crate::verdict::policy::Networks;

const CONFIG: &str = r#"
    [origin]
    addresses = ["192.0.2.80:80"]
    [client]
    trusted_proxies = ["203.0.113.0/24"]
    [ban]
    refuse = "1h"
    [aviatrix]
    sources = ["10.0.0.0/8", "2001:db8::/32"]
    act_on = ["microseg", "guardduty"]
"#;

struct Bench {
    desk: Desk,
    keeper: Arc<Keeper>,
}

impl Bench {
    fn new(action: &str) -> Self {
        let state = Arc::new(State::new());
        let text = format!("{CONFIG}action = \"{action}\"\n");
        let settings = Arc::new(config::load_str(&text, "test").unwrap().settings);
        let pool = Arc::new(Pool::new(&settings.origin));
        let networks = Networks { allow: vec!["198.51.100.0/28".parse().unwrap()], deny: vec![] };
        let policy = Arc::new(ArcSwap::from_pointee(Policy::compile(settings, &networks, &state, clock::now())));
        let keeper = Arc::new(Keeper::open(bans::Parts {
            policy: policy.clone(),
            state,
            pool,
            file: None,
            news: Arc::default(),
        }));
        let parts = Parts { policy, keeper: keeper.clone(), seen: Arc::default(), listen: vec![] };
        Self { desk: Desk::new(parts), keeper }
    }

    /// What became of a denied flow from `address`, and why.
    fn deny(&self, address: &str) -> (String, String) {
        self.desk.hear(denied(address).as_bytes(), clock::now());
        let of = address.parse::<IpAddr>().unwrap();
        let last = self.desk.latest(1, |a| a == of).remove(0);
        (last.outcome, last.why)
    }

    fn bans(&self) -> Vec<(String, String)> {
        let shown = self.keeper.view(100, clock::now()).bans;
        shown.into_iter().map(|ban| (ban.network, ban.by)).collect()
    }

    fn line(&self, outcome: &str) -> u64 {
        self.desk.status().lines[outcome]
    }
}

fn denied(address: &str) -> String {
    format!("<14>Mar 4 22:54:38 gw1 AviatrixGwMicrosegPacket: SRC_IP={address} DST_IP=10.0.0.1 ACT=DENY")
}

#[test]
fn an_offender_is_banned_once_and_who_may_not_be_is_spared() {
    let bench = Bench::new("ban");
    assert_eq!(bench.deny("198.51.100.77"), ("banned".into(), String::new()));
    bench.deny("198.51.100.77");
    let shown = bench.desk.latest(9, |_| true);
    assert_eq!((shown.len(), shown[0].times, shown[0].outcome.as_str()), (1, 2, "banned"));
    for (address, why) in [("198.51.100.3", "allow list"), ("192.0.2.80", "origin"), ("203.0.113.9", "trusted_proxies")]
    {
        let (outcome, said) = bench.deny(address);
        assert!(outcome == "spared" && said.contains(why), "{address}: {outcome}: {said}");
    }
    for address in [
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.242.5",
        "127.0.0.1",
        "169.254.1.1",
        "fe80::1",
        "fd00::1",
        "::",
    ] {
        assert_eq!(bench.deny(address).0, "local", "{address}");
    }
    assert_eq!(bench.bans(), [("198.51.100.77".into(), "aviatrix".into())]);
    let bans = bench.keeper.view(9, clock::now()).bans;
    assert_eq!(bans[0].reason, "microseg report of gw1: a flow  was denied");
    let counted = bench.desk.status().reports;
    let of = |outcome: &str| counted.iter().find(|r| r.outcome == outcome).map_or(0, |r| r.count);
    assert_eq!((of("banned"), of("repeated"), of("spared"), of("local"), of("shown")), (1, 1, 3, 9, 0));
}

#[test]
fn what_the_config_does_not_act_on_is_shown_only() {
    let watched = Bench::new("observe");
    assert_eq!(watched.deny("198.51.100.77").0, "shown");
    let bench = Bench::new("ban");
    let dropped = "2026-03-04T22:54:38Z gw kernel: AvxRl gw1 D:IN=eth0 SRC=198.51.100.77 DST=10.0.0.1";
    let not_enforced = denied("198.51.100.78") + " ENFORCED=false";
    for line in [dropped, &not_enforced] {
        bench.desk.hear(line.as_bytes(), clock::now());
    }
    let shown = bench.desk.latest(9, |_| true);
    assert_eq!(
        shown.iter().map(|r| (r.kind.as_str(), r.outcome.as_str())).collect::<Vec<_>>(),
        [("microseg", "shown"), ("rule-drop", "shown")]
    );
    assert!(bench.bans().is_empty() && watched.bans().is_empty());
}

#[test]
fn suspicion_is_one_step_up_the_ladder() {
    let bench = Bench::new("suspect");
    assert_eq!(bench.deny("198.51.100.77").0, "suspected");
    bench.keeper.tick(clock::now());
    assert_eq!(bench.bans(), [("198.51.100.77".into(), "ladder".into())]);
    let evidence = bench.keeper.view(9, clock::now()).bans.remove(0).evidence;
    assert!(evidence.contains("1 findings") && evidence.contains("aviatrix microseg"), "{evidence}");
}

#[test]
fn an_operators_lift_holds_against_what_was_before_it() {
    let bench = Bench::new("ban");
    let (now, outcome) = (clock::now(), || bench.desk.latest(1, |_| true)[0].outcome.clone());
    let found = "gw cloudxd: AviatrixGuardDuty: Account [a], Instance ID [i], at 2024-03-04T02:05:35Z, 198.51.100.77 is probing";
    bench.desk.hear(format!("<14>Mar 4 22:54:38 {found}").as_bytes(), now);
    assert_eq!(outcome(), "banned");
    bench.keeper.remove("198.51.100.77/32".parse().unwrap(), now).unwrap();
    let earlier = "2024-03-04T22:54:38Z gw AviatrixGwMicrosegPacket: SRC_IP=198.51.100.77 DST_IP=10.0.0.1 ACT=DENY";
    bench.desk.hear(earlier.as_bytes(), now);
    assert_eq!(outcome(), "spared");
    bench.desk.hear(denied("198.51.100.77").as_bytes(), now + SAME * 2);
    assert_eq!(outcome(), "banned", "a new report counts");
}

#[test]
fn strangers_rates_and_unknown_lines_are_counted() {
    let bench = Bench::new("ban");
    for (from, admitted) in [("10.9.9.9", true), ("::ffff:10.0.0.1", true), ("2001:db8::1", true), ("192.0.2.1", false)]
    {
        assert_eq!(bench.desk.admits(from.parse().unwrap()), admitted, "{from}");
    }
    assert_eq!(bench.desk.status().last_foreign, Some("192.0.2.1".parse().unwrap()));
    let now = clock::now();
    for n in 0..100 {
        bench.desk.hear(format!("<14>Mar 4 22:54:38 gw prog{n}: \u{fffd}").as_bytes(), now);
    }
    bench.desk.hear(b"gw AviatrixGwNetStats \xff", now);
    let status = bench.desk.status();
    assert_eq!(
        (status.unknown.len(), status.unknown["prog3"], status.unknown["other"]),
        (UNKNOWN + 1, 1, 101 - UNKNOWN as u64)
    );
    for _ in 0..LINES_A_SECOND {
        bench.desk.hear(b"suricata: Notice: x", now);
    }
    assert_eq!((bench.line("limited"), bench.line("foreign"), bench.line("unknown")), (101, 1, 101));
    bench.desk.hear(b"suricata: Notice: x", now + Duration::from_secs(1));
    assert_eq!(bench.line("limited"), 101);
    assert_eq!(bench.desk.status().passed["suricata"], LINES_A_SECOND - 100);
}

#[test]
fn so_many_different_reports_that_nobody_can_tell_wait() {
    let bench = Bench::new("observe");
    let now = clock::now();
    for n in 0..DIFFERENT as u32 + 5 {
        let address = std::net::Ipv4Addr::from(0xc612_0000 + n);
        bench.desk.hear(denied(&address.to_string()).as_bytes(), now);
    }
    assert_eq!(bench.desk.inner().recent.len(), DIFFERENT);
    assert_eq!(bench.desk.latest(2_000, |_| true).len(), LATEST);
}
