//! Alerts to SNS, read back from a queue that is subscribed to the topic.
#![cfg(feature = "aws")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::emulator::Emulator;
use common::origin::Origin;
use common::process::Process;
use common::{config, eventually};
use serde_json::{Value, json};

/// A call of SNS's own protocol; the text within `tag` of the answer.
fn sns(moto: &Emulator, action: &str, parameters: &str, tag: &str) -> String {
    let body = format!("Action={action}&Version=2010-03-31&{parameters}");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = moto.send("sns", "POST", "/", &form, body.as_bytes());
    let from = answer.split_once(&format!("<{tag}>")).map(|(_, rest)| rest).unwrap_or_default();
    from.split_once("</").map(|(text, _)| text.to_owned()).unwrap_or_default()
}

#[test]
fn a_queue_behind_the_topic_gets_the_message() {
    let Some(moto) = Emulator::moto() else { return };
    let topic = sns(&moto, "CreateTopic", "Name=weir-alerts", "TopicArn");
    let url = moto.call("sqs", "AmazonSQS.CreateQueue", &json!({"QueueName": "alerts"}))["QueueUrl"]
        .as_str()
        .unwrap()
        .to_owned();
    let queue = topic.replace(":sns:", ":sqs:").replace("weir-alerts", "alerts");
    sns(&moto, "Subscribe", &format!("TopicArn={topic}&Protocol=sqs&Endpoint={queue}"), "SubscriptionArn");
    let origin = Origin::echo();
    let rule = "[[alert]]\nname = \"here\"\nsignal = \"weir_ready\"\nabove = 0\nfor = \"0s\"\nseverity = \"info\"\n";
    let keys = format!("[alerts]\ndefaults = false\nsns_topic = \"{topic}\"\n{rule}");
    let weir = Process::start_by(&config(origin.address, &keys), |command| moto.tell(command));
    let mut got = Value::Null;
    eventually("a message", || {
        let asked = json!({"QueueUrl": url, "MaxNumberOfMessages": 1});
        let answer = moto.call("sqs", "AmazonSQS.ReceiveMessage", &asked);
        got = answer["Messages"][0]["Body"].as_str().map_or(Value::Null, |body| serde_json::from_str(body).unwrap());
        !got.is_null()
    });
    assert_eq!(got["Subject"], "[weir production] INFO: here: weir_ready is 1, above 0 for 0s");
    assert_eq!(got["MessageAttributes"]["severity"]["Value"], "info", "{got}");
    assert_eq!(got["MessageAttributes"]["dedup_key"]["Value"], "weir/production/here", "{got}");
    let said = got["Message"].as_str().unwrap();
    // AWS hands a queue the JSON; the emulator may hand it the text for all.
    match serde_json::from_str::<Value>(said) {
        Ok(message) => assert_eq!((&message["alert"], &message["kind"]), (&"here".into(), &"firing".into())),
        Err(_) => assert!(said.contains("here: weir_ready is 1"), "{said}"),
    }
    eventually("it is counted", || {
        weir.ask("/metrics").1.contains("weir_alerts_told_total{to=\"sns\",outcome=\"told\"} 1")
    });
}
