//! Findings of GuardDuty through a real queue and the real binary: who is banned, who is not, and what is set aside.
#![cfg(feature = "aws")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::emulator::Emulator;
use common::origin::Origin;
use common::process::Process;
use common::{config, eventually, post};
use serde_json::{Value, json};

struct Queue<'a> {
    moto: &'a Emulator,
    url: String,
}

impl<'a> Queue<'a> {
    fn new(moto: &'a Emulator, name: &str) -> Self {
        // What is taken and not deleted comes again after two seconds.
        let body = json!({"QueueName": name, "Attributes": {"VisibilityTimeout": "2"}});
        let made = moto.call("sqs", "AmazonSQS.CreateQueue", &body);
        Self { moto, url: made["QueueUrl"].as_str().unwrap().to_owned() }
    }

    fn send(&self, body: &str) {
        self.moto.call("sqs", "AmazonSQS.SendMessage", &json!({"QueueUrl": self.url, "MessageBody": body}));
    }

    /// Messages in it: waiting, and taken but not deleted.
    fn filled(&self) -> (String, String) {
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let asked = json!({"QueueUrl": self.url, "AttributeNames": names});
        let answer = self.moto.call("sqs", "AmazonSQS.GetQueueAttributes", &asked);
        let of = |name: &str| answer["Attributes"][name].as_str().unwrap().to_owned();
        (of(names[0]), of(names[1]))
    }

    fn is_empty(&self) -> bool {
        self.filled() == ("0".into(), "0".into())
    }
}

/// A finding against `address`, updated in second `update`.
fn finding(id: &str, address: &str, update: u32) -> Value {
    json!({
        "detail-type": "GuardDuty Finding", "source": "aws.guardduty",
        "detail": {
            "id": id, "type": "UnauthorizedAccess:EC2/SSHBruteForce", "severity": 8.0,
            "createdAt": "2024-02-29T12:00:00.000Z", "updatedAt": format!("2024-02-29T12:00:{update:02}.000Z"),
            "service": {"archived": false, "resourceRole": "TARGET", "action": {"networkConnectionAction": {
                "connectionDirection": "INBOUND", "remoteIpDetails": {"ipAddressV4": address}
            }}}
        }
    })
}

fn changed(mut finding: Value, path: &str, value: Value) -> String {
    *finding.pointer_mut(path).unwrap() = value;
    finding.to_string()
}

fn start(moto: &Emulator, origin: &Origin, queue: &Queue<'_>, more: &str) -> Process {
    let keys = format!(
        "[client]\ntrusted_proxies = [\"10.0.0.0/8\", \"127.0.0.0/8\"]\n[lists]\nallow = [\"192.0.2.40\"]\n\
         [guardduty]\nenabled = true\nqueue_url = \"{}\"\n{more}",
        queue.url
    );
    Process::start_by(&config(origin.address, &keys), |command| moto.tell(command))
}

fn counts(weir: &Process) -> Value {
    serde_json::from_str::<Value>(&weir.ask("/api/status").1).unwrap()["guardduty"].clone()
}

fn reply(weir: &Process, address: &str) -> u16 {
    Client::connect(weir.http).ask(get("/", &format!("X-Forwarded-For: {address}\r\n"))).status
}

fn bans(weir: &Process) -> Vec<Value> {
    serde_json::from_str::<Value>(&weir.ask("/api/bans").1).unwrap()["bans"].as_array().unwrap().clone()
}

#[test]
fn inbound_offenders_are_banned_once_and_others_are_not() {
    let Some(moto) = Emulator::moto() else { return };
    let (origin, queue) = (Origin::echo(), Queue::new(&moto, "findings"));
    let weir = start(&moto, &origin, &queue, "duration = \"30m\"\n");
    let connection = "/detail/service/action/networkConnectionAction/connectionDirection";
    for body in [
        finding("a", "192.0.2.1", 1).to_string(),
        changed(finding("b", "192.0.2.2", 1), connection, json!("OUTBOUND")),
        changed(finding("c", "192.0.2.3", 1), "/detail/service/resourceRole", json!("ACTOR")),
        changed(finding("d", "192.0.2.4", 1), "/detail/severity", json!(3.9)),
        changed(finding("e", "192.0.2.5", 1), "/detail/service/archived", json!(true)),
        finding("f", "192.0.2.40", 1).to_string(),
        finding("g", "10.0.0.9", 1).to_string(),
        finding("a", "192.0.2.1", 1).to_string(),
    ] {
        queue.send(&body);
    }
    eventually("all are dealt with", || counts(&weir)["received"].as_u64().unwrap() >= 8 && queue.is_empty());
    let shown = counts(&weir);
    let of = |name: &str| shown[name].as_u64().unwrap();
    assert_eq!((of("acted"), of("passed"), of("spared"), of("repeated"), of("poison")), (3, 4, 2, 1, 0), "{shown}");
    assert_eq!(reply(&weir, "192.0.2.1"), 403);
    for address in ["192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.40"] {
        assert_eq!(reply(&weir, address), 200, "{address}");
    }
    let held = bans(&weir);
    assert_eq!((held.len(), &held[0]["by"]), (1, &"guardduty".into()), "{held:?}");
    assert_eq!(held[0]["reason"], "UnauthorizedAccess:EC2/SSHBruteForce, severity 8.0, finding a");
    assert!(weir.ask("/metrics").1.contains("weir_guardduty_messages_total{outcome=\"passed\"} 4"));
    // A newer word prolongs it; the kill switch lifts it; an operator's lift holds against what was found before.
    let until = held[0]["until"].as_str().unwrap().to_owned();
    queue.send(&finding("a", "192.0.2.1", 2).to_string());
    eventually("it is prolonged", || bans(&weir)[0]["until"].as_str().unwrap() > until.as_str());
    assert_eq!(post(weir.admin, "/api/bans/pause").0, 200);
    assert_eq!(reply(&weir, "192.0.2.1"), 200);
    assert_eq!(post(weir.admin, "/api/bans/resume").0, 200);
    assert_eq!(reply(&weir, "192.0.2.1"), 403);
    let lifted = ureq::delete(format!("http://{}/api/bans/192.0.2.1", weir.admin)).call().unwrap();
    assert_eq!(lifted.status(), 200);
    queue.send(&finding("a", "192.0.2.1", 3).to_string());
    eventually("it is spared", || counts(&weir)["spared"] == 3 && queue.is_empty());
    assert_eq!(reply(&weir, "192.0.2.1"), 200);
    queue.send(&changed(finding("h", "192.0.2.1", 4), "/detail/createdAt", json!("2999-01-01T00:00:00.000Z")));
    eventually("a new finding counts", || reply(&weir, "192.0.2.1") == 403);
}

#[test]
fn what_is_no_finding_goes_to_its_own_queue_or_stays_and_is_told_once() {
    let Some(moto) = Emulator::moto() else { return };
    let origin = Origin::echo();
    let (queue, poison) = (Queue::new(&moto, "findings"), Queue::new(&moto, "poison"));
    let bad = |queue: &Queue<'_>| {
        queue.send("no event at all, with AKIAIOSFODNN7EXAMPLE");
        queue.send(&changed(finding("a", "192.0.2.1", 1), "/source", json!("aws.health")));
        queue.send(&finding("a", "nobody", 1).to_string());
        queue.send(&finding("b", "192.0.2.2", 1).to_string());
    };
    bad(&queue);
    let weir = start(&moto, &origin, &queue, &format!("poison_queue_url = \"{}\"\n", poison.url));
    eventually("they are set aside", || counts(&weir)["poison"] == 3 && queue.is_empty());
    assert_eq!(poison.filled().0, "3");
    eventually("the good one counts", || reply(&weir, "192.0.2.2") == 403);
    let said = weir.stderr();
    assert!(said.contains("no event at all, with …") && !said.contains("AKIA"), "{said}");
    drop(weir);
    // Without a queue for them they stay where they are, out of sight.
    let queue = Queue::new(&moto, "other");
    bad(&queue);
    let weir = start(&moto, &origin, &queue, "");
    eventually("they are out of sight", || queue.filled() == ("0".into(), "3".into()));
    assert_eq!(weir.stderr().matches("it is set aside").count(), 3, "{}", weir.stderr());
}

#[test]
fn suspicion_is_a_step_up_the_ladder_and_an_outage_is_borne() {
    let Some(moto) = Emulator::moto() else { return };
    let (origin, queue) = (Origin::echo(), Queue::new(&moto, "findings"));
    let more = "action = \"suspect\"\n[ban]\nrefuse = \"1h\"\n";
    let weir = start(&moto, &origin, &queue, more);
    queue.send(&finding("a", "192.0.2.1", 1).to_string());
    eventually("it is refused", || reply(&weir, "192.0.2.1") == 403);
    let held = bans(&weir);
    assert_eq!(
        (&held[0]["by"], &held[0]["reason"], &held[0]["step"]),
        (&"ladder".into(), &"finding".into(), &"refuse".into())
    );
    let evidence = held[0]["evidence"].as_str().unwrap();
    assert!(evidence.contains("1 findings") && evidence.contains("SSHBruteForce"), "{evidence}");
    let come_back = moto.kill();
    eventually("it is noticed", || counts(&weir)["failing"].is_string());
    assert_eq!(reply(&weir, "192.0.2.9"), 200);
    let moto = come_back();
    let queue = Queue::new(&moto, "findings");
    queue.send(&finding("b", "192.0.2.2", 1).to_string());
    eventually("it reads on", || reply(&weir, "192.0.2.2") == 403);
    eventually("all is well again", || counts(&weir)["failing"].is_null());
}
