//! One story as a message of RFC 5424.
//!
//! `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID [weir@32473 name="value" …] sentence`

use crate::config::settings::RecordKind;
use crate::event::address::Writing;
use crate::event::entry::Entry;
use crate::event::news::{BanNews, News, StateNews};
use crate::event::story::Story;
use std::fmt::{Display, Write};

/// The id of the structured data. 32473 is the number that RFC 5612 keeps for examples: weir has none of its own.
const ID: &str = "weir@32473";

/// What is kept free for the sentence, where the structured data would take all room.
const SENTENCE: usize = 120;

/// What all messages of one weir have in common.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    /// Facility, 0 to 23.
    pub(super) facility: u8,
    /// HOSTNAME.
    pub(super) host: String,
    /// APP-NAME.
    pub(super) app_name: String,
    /// PROCID.
    pub(super) process: u32,
    /// The task's name, in the structured data.
    pub(super) task: String,
    /// The longest message, in bytes.
    pub(super) most: usize,
}

impl Sender {
    /// `story` as a message.
    pub(super) fn message(&self, story: &Story<'_>, writing: &Writing) -> String {
        let (time, severity, kind) = match story {
            Story::Request(_, entry) => (entry.time.as_str(), severity(story), entry.kind.as_ref()),
            Story::News(News::Ban(news)) => (news.time.as_str(), severity(story), "ban"),
            Story::News(News::State(news)) => (news.time.as_str(), severity(story), "state"),
        };
        let Self { facility, host, app_name, process, most, .. } = self;
        let head = format!("<{}>1 {time} {host} {app_name} {process} {kind} [{ID}", facility * 8 + severity);
        let mut data = Data { text: head, most: most.saturating_sub(SENTENCE) };
        let sentence = match story {
            Story::Request(_, entry) => request(&writing.entry(entry), &mut data, &self.task),
            Story::News(News::Ban(news)) => ban(news, writing, &mut data, &self.task),
            Story::News(News::State(news)) => state(news, &mut data, &self.task),
        };
        let mut text = data.text;
        text.push_str("] ");
        let sentence: String = sentence.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        if !sentence.is_ascii() {
            text.push('\u{feff}');
        }
        text.push_str(&sentence);
        text.truncate(text.floor_char_boundary(*most));
        text
    }
}

/// As RFC 5424 numbers them.
fn severity(story: &Story<'_>) -> u8 {
    const CRITICAL: u8 = 2;
    const WARNING: u8 = 4;
    const NOTICE: u8 = 5;
    const INFORMATIONAL: u8 = 6;
    match (story.kind(), story) {
        (RecordKind::Request, _) => INFORMATIONAL,
        (RecordKind::Refusal, _) => NOTICE,
        (RecordKind::Ban, _) => WARNING,
        (RecordKind::State, Story::News(News::State(news))) => match (news.of.as_str(), news.to.as_str()) {
            ("flood", "attack" | "overload") => CRITICAL,
            ("flood", "elevated") | ("config", "refused") | ("alert", "firing") => WARNING,
            _ => NOTICE,
        },
        (RecordKind::State, _) => NOTICE,
    }
}

/// Structured data that grows up to a bound.
struct Data {
    text: String,
    most: usize,
}

impl Data {
    /// One more value, if it has any text and there is room.
    fn put(&mut self, name: &str, value: impl Display) {
        let before = self.text.len();
        // Writing to a String can't fail.
        let _ = write!(self.text, " {name}=\"");
        let start = self.text.len();
        let _ = write!(Escaped(&mut self.text), "{value}");
        if self.text.len() == start || self.text.len() >= self.most {
            self.text.truncate(before);
        } else {
            self.text.push('"');
        }
    }

    fn put_some(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }
}

/// RFC 5424, 6.3.3: a backslash before `"`, `\` and `]`. Control characters, which break lines and terminals, go.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if text.bytes().all(|b| b >= b' ' && b != 0x7f && !matches!(b, b'"' | b'\\' | b']')) && text.is_ascii() {
            self.0.push_str(text);
            return Ok(());
        }
        for c in text.chars() {
            match c {
                '"' | '\\' | ']' => self.0.extend(['\\', c]),
                c if c.is_control() => self.0.push('?'),
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

/// What matters most comes first: it is what a short message keeps.
fn request(e: &Entry<'_>, data: &mut Data, task: &str) -> String {
    let some = |n: u16| (n != 0).then_some(n);
    data.put("client", e.client);
    data.put_some("client_port", some(e.client_port));
    data.put("peer", e.peer);
    data.put("outcome", &e.outcome);
    data.put("reason", &e.reason);
    data.put("rule", &e.rule);
    data.put_some("status", some(e.status));
    data.put("method", &e.method);
    data.put("host", &e.host);
    data.put("path", &e.path);
    data.put("state", &e.state);
    data.put("rank", &e.rank);
    data.put("limit_rate", &e.limit_rate);
    data.put_some("limit_burst", e.limit_burst);
    data.put_some("retry_after_s", e.retry_after_s);
    data.put_some("offered", e.offered);
    data.put_some("capacity", e.capacity);
    data.put("request_id", &e.request_id);
    data.put("protocol", &e.protocol);
    data.put_some("origin", e.origin);
    data.put("duration_ms", e.duration_ms);
    data.put_some("origin_ms", e.origin_ms);
    data.put("bytes_in", e.bytes_in);
    data.put("bytes_out", e.bytes_out);
    data.put("task", task);
    data.put("observed", e.observed.join(","));
    data.put("user_agent", &e.user_agent);
    let rule = if e.rule.is_empty() { String::new() } else { format!(" {}", e.rule) };
    let (client, outcome, reason) = (e.client, &e.outcome, &e.reason);
    format!("{outcome} {client}: {reason}{rule}, {} {}{}, {}", e.method, e.host, e.path, e.status)
}

fn ban(news: &BanNews, writing: &Writing, data: &mut Data, task: &str) -> String {
    let network = writing.network(news);
    data.put("action", &news.action);
    data.put("network", &network);
    data.put("step", &news.step);
    data.put("cause", &news.cause);
    data.put("until", &news.until);
    data.put("task", task);
    data.put("reason", &news.reason);
    let until = if news.until.is_empty() { String::new() } else { format!(" until {}", news.until) };
    format!("ban of {network} {}{until} ({}): {}", news.action, news.cause, news.reason)
}

fn state(news: &StateNews, data: &mut Data, task: &str) -> String {
    data.put("of", &news.of);
    data.put("name", &news.name);
    data.put("from", &news.from);
    data.put("to", &news.to);
    data.put("cause", &news.cause);
    data.put("task", task);
    let evidence: Vec<_> = news.evidence.iter().map(|(name, value)| format!("{name}={value}")).collect();
    data.put("evidence", evidence.join(" "));
    let name = if news.name.is_empty() { String::new() } else { format!(" {}", news.name) };
    format!("{}{name} went from {} to {}: {}", news.of, news.from, news.to, news.text)
}

#[cfg(test)]
mod tests;
