//! The SmartGroup of offenders against a double of the Controller that speaks the API as its public client does, over TLS.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "aviatrix_smartgroup/controller.rs"]
mod controller;

use common::origin::Origin;
use common::{Weir, config, eventually, tls};
use controller::{Double, Fault, PASSWORD};
use ipnet::IpNet;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use weir::base::clock::{self, Time};
use weir::config::settings::{SecretPlace, SmartGroup};
use weir::sink::smartgroup::{GroupKeeper, Parts, SmartGroupStatus, Source};

const MARK: &str = "192.0.2.1/32";

/// Whom the test wants in the group.
#[derive(Clone, Default)]
struct Wants(Arc<Mutex<Vec<IpNet>>>);

impl Wants {
    fn are(&self, nets: &[&str]) {
        *self.0.lock().unwrap() = nets.iter().map(|n| n.parse().unwrap()).collect();
    }
}

impl Source for Wants {
    fn wants(&self) -> Vec<IpNet> {
        self.0.lock().unwrap().clone()
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(5)
    }
}

/// A keeper that syncs when the test says so.
struct Bench {
    double: Double,
    keeper: GroupKeeper,
    wants: Wants,
    leads: Arc<AtomicBool>,
    runtime: tokio::runtime::Runtime,
    now: Time,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(groups: serde_json::Value) -> Self {
        Self::beside(Double::start(groups), Duration::from_secs(10))
    }

    fn beside(double: Double, patience: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Some(path)
        };
        let group = SmartGroup {
            enabled: true,
            controller: double.url(),
            user: "weir & co".into(),
            password_file: file("password", &format!("{PASSWORD}\n")).map(SecretPlace::File),
            ca_file: file("ca.pem", &double.certificate),
            name: "offenders".into(),
            most: 100,
            interval: Duration::from_secs(5),
        };
        let (wants, leads) = (Wants::default(), Arc::new(AtomicBool::new(true)));
        let asked = leads.clone();
        // SeqCst: nothing here is in a hurry.
        let leads_now = Box::new(move || asked.load(Ordering::SeqCst));
        let parts = Parts { group, source: Box::new(wants.clone()), leads: leads_now, patience };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let keeper = GroupKeeper::new(parts).unwrap();
        Self { double, keeper, wants, leads, runtime, now: clock::now(), folder }
    }

    /// One sync, an hour after the last one.
    fn sync(&mut self) -> Result<(), String> {
        self.now = self.now + Duration::from_secs(3_600);
        self.runtime.block_on(self.keeper.sync(self.now))
    }

    fn status(&self) -> SmartGroupStatus {
        self.keeper.tally().status(self.now)
    }
}

#[test]
fn a_group_is_made_filled_changed_and_emptied() {
    let other = json!({"uuid": "u-0", "name": "others", "selector": {"any": [{"all": {"cidr": "198.51.100.0/24"}}]}});
    let mut bench = Bench::new(json!([other]));
    bench.sync().unwrap();
    assert_eq!(bench.double.networks("offenders"), [MARK]);
    bench.wants.are(&["198.51.100.7/32", "2001:db8::/64"]);
    bench.sync().unwrap();
    assert_eq!(bench.double.networks("offenders"), [MARK, "198.51.100.7/32", "2001:db8::/64"]);
    bench.wants.are(&["203.0.113.0/24"]);
    bench.sync().unwrap();
    bench.sync().unwrap();
    assert_eq!(bench.double.networks("offenders"), [MARK, "203.0.113.0/24"]);
    bench.wants.are(&[]);
    bench.sync().unwrap();
    assert_eq!(bench.double.networks("offenders"), [MARK]);
    assert_eq!(bench.double.group("others"), other, "others' groups are left alone");
    let status = bench.status();
    assert_eq!((status.updates, status.logins, status.failures, status.entries, status.age_s), (4, 1, 0, 0, Some(0.0)));
    assert_eq!(bench.double.count("PUT"), 3, "what did not change is not written");
}

#[test]
fn nothing_is_asked_while_nothing_changed() {
    let mut bench = Bench::new(json!([]));
    bench.sync().unwrap();
    let before = bench.double.count("GET");
    bench.runtime.block_on(bench.keeper.sync(bench.now)).unwrap();
    assert_eq!(bench.double.count("GET"), before);
    bench.sync().unwrap();
    assert!(bench.double.count("GET") > before, "but it is checked now and then");
}

#[test]
fn it_logs_in_again_when_the_session_is_over_and_reads_the_password_anew() {
    let mut bench = Bench::new(json!([]));
    for fault in [Fault::Expired, Fault::ExpiredOld] {
        bench.double.next(fault);
        bench.sync().unwrap();
    }
    assert_eq!(bench.status().logins, 3);
    std::fs::write(bench.folder.path().join("password"), "wrong-secret").unwrap();
    bench.double.end_sessions();
    let said = bench.sync().unwrap_err();
    assert!(said.starts_with("login: ") && said.contains("says no") && !said.contains("wrong-secret"), "{said}");
    std::fs::write(bench.folder.path().join("password"), PASSWORD).unwrap();
    bench.sync().unwrap();
    assert_eq!((bench.status().logins, bench.status().failures, bench.status().failing), (4, 1, None));
    std::fs::remove_file(bench.folder.path().join("password")).unwrap();
    bench.double.end_sessions();
    assert!(bench.sync().unwrap_err().contains("password_file"));
}

#[test]
fn errors_and_slow_answers_are_counted_and_the_next_try_mends_all() {
    let mut bench = Bench::beside(Double::start(json!([])), Duration::from_millis(300));
    bench.wants.are(&["198.51.100.7/32"]);
    for (fault, said) in [
        (Fault::Status(500), "500"),
        (Fault::Status(429), "429"),
        (Fault::Slow, "no answer within 300ms"),
        (Fault::Rubbish, "a form that weir does not know"),
        (Fault::Status(302), "302"),
    ] {
        bench.double.next(fault);
        let failed = bench.sync().unwrap_err();
        assert!(failed.contains(said), "{failed}");
        assert!(bench.status().failing.is_some());
    }
    bench.sync().unwrap();
    assert_eq!((bench.status().failures, bench.status().failing), (5, None));
    assert_eq!(bench.double.networks("offenders"), [MARK, "198.51.100.7/32"]);
}

#[test]
fn others_selectors_stay_also_where_an_answer_was_lost_or_another_task_led() {
    let theirs = json!([{"all": {"type": "vm", "tags.role": "a&b=c%20+é"}}, {"all": {"cidr": "203.0.113.0/24"}}]);
    let group = json!({"uuid": "u-1", "name": "offenders", "selector": {"any": theirs}});
    let mut bench = Bench::beside(Double::start(json!([group])), Duration::from_millis(300));
    bench.wants.are(&["198.51.100.7/32"]);
    bench.double.next(Fault::None);
    bench.double.next(Fault::SlowButDone);
    bench.sync().unwrap_err();
    assert_eq!(bench.double.networks("offenders"), ["?", "203.0.113.0/24", "198.51.100.7/32"]);
    bench.wants.are(&["198.51.100.8/32"]);
    bench.sync().unwrap();
    assert_eq!(bench.double.networks("offenders"), ["?", "203.0.113.0/24", "198.51.100.8/32"]);
    // A new leader finds what the old one put there.
    let Bench { double, .. } = bench;
    let mut bench = Bench::beside(double, Duration::from_secs(10));
    bench.wants.are(&["198.51.100.8/32"]);
    bench.sync().unwrap();
    bench.wants.are(&[]);
    bench.sync().unwrap();
    assert_eq!(bench.double.group("offenders")["selector"]["any"], theirs);
    assert_eq!((bench.status().entries, bench.status().foreign), (0, 2));
}

#[test]
fn who_does_not_lead_writes_nothing_and_ipv6_is_left_out_where_it_is_refused() {
    let mut bench = Bench::new(json!([]));
    bench.leads.store(false, Ordering::SeqCst);
    assert!(bench.sync().unwrap_err().contains("another task"));
    assert_eq!(bench.double.count("POST app-domains"), 0);
    bench.leads.store(true, Ordering::SeqCst);
    bench.double.refuse_ipv6();
    bench.wants.are(&["198.51.100.7/32", "2001:db8::/64"]);
    bench.sync().unwrap();
    assert_eq!(bench.double.networks("offenders"), [MARK, "198.51.100.7/32"]);
    assert!(bench.status().ipv4_only);
}

#[test]
fn a_controller_with_a_strange_certificate_is_told_nothing() {
    let mut double = Double::start(json!([]));
    double.certificate = tls::pair_for("127.0.0.1").certificate;
    let mut bench = Bench::beside(double, Duration::from_secs(10));
    assert!(bench.sync().unwrap_err().starts_with("login: "));
    assert_eq!(bench.double.count(""), 0);
}

#[test]
fn bans_of_a_running_weir_are_in_the_group_while_they_last() {
    let double = Double::start(json!([]));
    let keys = format!(
        "[client]\ntrusted_proxies = [\"127.0.0.0/8\"]\n[aviatrix.smartgroup]\nenabled = true\ncontroller = \"{}\"\n\
         password_file = \"password\"\nca_file = \"ca.pem\"\nname = \"offenders\"\ninterval = \"5s\"\n",
        double.url()
    );
    let origin = Origin::echo();
    let files: [(&str, &[u8]); 2] = [("password", PASSWORD.as_bytes()), ("ca.pem", double.certificate.as_bytes())];
    let weir = Weir::start_with(&config(origin.address, &keys), &files);
    eventually("the group is made", || double.networks("offenders") == [MARK]);
    let body = json!({"address": "198.51.100.7", "for": "10m", "reason": "test"});
    ureq::post(format!("http://{}/api/bans", weir.admin)).send_json(&body).unwrap();
    eventually("it is in the group", || double.networks("offenders").contains(&"198.51.100.7/32".to_owned()));
    ureq::delete(format!("http://{}/api/bans/198.51.100.7", weir.admin)).call().unwrap();
    eventually("it is out again", || double.networks("offenders") == [MARK]);
    let status = weir.status()["smartgroup"].clone();
    assert_eq!(
        (&status["leads"], &status["updates"], &status["failures"]),
        (&true.into(), &3.into(), &0.into()),
        "{status}"
    );
    assert!(weir.ask("/metrics").1.contains("weir_smartgroup_entries 0"));
}
