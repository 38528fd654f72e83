//! Messages as a collector reads them.

use super::*;
use crate::base::clock::Time;
use crate::base::units::Rate;
use crate::config::load_str;
use crate::config::settings::Addresses;
use crate::event::record::{Outcome, Record, Text};
use std::time::Duration;

fn sender(most: usize) -> Sender {
    let (host, app_name, task) = ("edge-1".into(), "weir".into(), "158d1c80".into());
    Sender { facility: 16, host, app_name, process: 7, task, most }
}

fn whole() -> Writing {
    Writing::new(
        Addresses::Whole,
        &load_str("[origin]\naddresses = [\"192.0.2.1:80\"]\n", "test").unwrap().settings.log,
    )
}

/// A record with something in every part.
fn record() -> Record {
    let mut record = Record::blank(Time::from_nanos(0));
    record.client = [192, 0, 2, 7].into();
    (record.outcome, record.reason, record.rule) = (Outcome::Refused, "limit", Text::new(b"login"));
    (record.client_port, record.observed, record.status, record.limit_burst, record.request_id) = (4, 1, 429, 10, 1);
    (record.retry_after, record.origin_latency) = (Duration::from_secs(1), Duration::from_secs(1));
    record.origin = Some(([192, 0, 2, 1], 80).into());
    (record.state, record.rank, record.pressure) = ("attack", "unknown", Some((900.0, 300.0)));
    record.limit_rate = Some(Rate::per_second(10));
    (record.method, record.host) = (Text::new(b"POST"), Text::new(b"app.example"));
    (record.path, record.user_agent) = (Text::new(b"/login"), Text::new(b"curl/8"));
    record
}

fn message(record: &Record, most: usize) -> String {
    let entry = Entry::new(record, &[]);
    sender(most).message(&Story::Request(record, &entry), &whole())
}

/// The parameters of the structured data, read as RFC 5424 says, and the sentence after it.
fn read(message: &str) -> (Vec<(String, String)>, String) {
    let (_, mut rest) = message.split_once("[weir@32473").unwrap();
    let mut params = Vec::new();
    while let Some(param) = rest.strip_prefix(' ') {
        let (name, quoted) = param.split_once("=\"").unwrap();
        let (mut value, mut chars) = (String::new(), quoted.char_indices());
        rest = loop {
            match chars.next().unwrap() {
                (_, '\\') => value.push(chars.next().unwrap().1),
                (_, ']') => panic!("a bare ] in {message}"),
                (at, '"') => break &quoted[at + 1..],
                (_, c) => value.push(c),
            }
        };
        params.push((name.to_owned(), value));
    }
    (params, rest.strip_prefix("] ").unwrap().to_owned())
}

#[test]
fn a_refusal_says_all_that_the_line_of_json_says() {
    let record = record();
    let text = message(&record, 8_000);
    // local0 is 16, notice 5.
    let entry = Entry::new(&record, &[]);
    assert!(text.starts_with(&format!("<133>1 {} edge-1 weir 7 refusal [weir@32473 client=", entry.time)), "{text}");
    let (params, sentence) = read(&text);
    assert_eq!(sentence, "refused 192.0.2.7: limit login, POST app.example/login, 429");
    let line = serde_json::to_value(&entry).unwrap();
    for (key, value) in line.as_object().unwrap().iter().filter(|(key, _)| !["time", "kind"].contains(&key.as_str())) {
        let said = &params.iter().find(|(name, _)| name == key).unwrap_or_else(|| panic!("no {key} in {text}")).1;
        let same = match value {
            serde_json::Value::String(text) => said == text,
            serde_json::Value::Array(list) => list.iter().all(|item| said == item.as_str().unwrap()),
            number => said.parse::<f64>().unwrap() == number.as_f64().unwrap(),
        };
        assert!(same, "{key}: {said} {value}");
    }
    assert_eq!(params.len(), line.as_object().unwrap().len() - 2 + 1, "and the task: {text}");
}

#[test]
fn nothing_that_a_client_sends_ends_a_value_or_a_line() {
    let mut record = record();
    record.path = Text::new(b"/\"]\\ [x@1 a=\"b\"]\r\n<13>1 \xc3\xa4\xff");
    let (params, sentence) = read(&message(&record, 8_000));
    let path = &params.iter().find(|(name, _)| name == "path").unwrap().1;
    assert_eq!(path, "/\"]\\ [x@1 a=\"b\"]??<13>1 ä\u{fffd}");
    assert!(sentence.starts_with('\u{feff}') && !sentence.contains(['\r', '\n']), "{sentence}");
}

#[test]
fn a_message_is_never_longer_than_it_may_be_and_still_whole() {
    let mut record = record();
    (record.path, record.user_agent) = (Text::new(&[0xff; 160]), Text::new(&[b'"'; 120]));
    record.host = Text::new(&[0xff; 64]);
    let long = message(&record, 8_000);
    assert!(long.len() > 1_400);
    for most in [700, 1_000, 1_400] {
        let text = message(&record, most);
        assert!(text.len() <= most, "{}", text.len());
        let (params, sentence) = read(&text);
        assert!(params[0].0 == "client" && sentence.contains("192.0.2.7"), "{text}");
    }
}

#[test]
fn news_have_their_severities() {
    let told = |news: News| sender(1_400).message(&Story::News(&news), &whole());
    let mut state = StateNews::fixture();
    let text = told(News::State(state.clone()));
    assert!(text.starts_with("<130>1 ") && text.contains(" weir 7 state [weir@32473 of=\"flood\""), "{text}");
    assert!(
        text.contains(r#"evidence="offered=900""#) && text.contains("from elevated to attack: the excess"),
        "{text}"
    );
    state.to = "normal".into();
    assert!(told(News::State(state)).starts_with("<133>1 "));
    let text = told(News::Ban(BanNews::fixture()));
    assert!(text.starts_with("<132>1 ") && text.contains(r#"action="added" network="192.0.2.7/32""#), "{text}");
}
