//! The keys of `[[limit]]`.

use crate::base::units::Rate;
use crate::config::kind::{Kind, choice, one_or_list, rate, share, whole};
use crate::config::place::path_pattern;
use crate::config::section::{Section, When};
use crate::config::settings::{Limit, LimitKey, PathPattern};
use crate::config::words::{ACTIONS, SCOPES};
use serde_json::json;

/// The most limits of one config: each is looked at for every request that it covers.
pub(super) const MOST: usize = 64;

/// What `key` says; the lengths of a prefix are keys of their own.
#[derive(Clone)]
enum KeyWord {
    Client,
    Prefix,
    Route,
    Header(String),
}

pub(super) fn limit(s: &mut Section<'_, '_>) -> Limit {
    let doc =
        "Unique name, shown in replies, logs and metrics; a reload keeps the counters of a limit whose name stays.";
    let name = s.required("name", name(), doc, When::Live).unwrap_or_default();
    let (paths, methods) = s.table("match", "Which requests it covers; all where nothing is said.", covers);
    let rate = s.required("rate", rate(), "The steady rate.", When::Live);
    let burst = s.live("burst", whole(1..=1_000_000), "10", "How many at once after a pause.");
    let key = key(s);
    let action = s.live(
        "action",
        choice(ACTIONS),
        r#""refuse""#,
        "What happens over the limit: 429, counted and let through, or the connection closed without a reply.",
    );
    let enforce = s.live(
        "enforce",
        share(),
        r#""100%""#,
        "The share of clients for whom the action is more than observe: the same clients each time.",
    );
    let slots = slots(s);
    let scope = s.live(
        "scope",
        choice(SCOPES),
        r#""task""#,
        "Over what it counts: what each task sees, or what all tasks of the fleet see together (needs fleet.enabled).",
    );
    Limit { name, paths, methods, rate: rate.unwrap_or(Rate::per_second(1)), burst, key, action, enforce, slots, scope }
}

fn covers(s: &mut Section<'_, '_>) -> (Vec<PathPattern>, Vec<String>) {
    let path = "Paths: exact, or a beginning with a * at its end; [] covers all.";
    let method = "Methods; [] covers all.";
    (
        s.live("path", one_or_list(path_pattern(), path_pattern()), "[]", path),
        s.live("method", one_or_list(self::method(), self::method()), "[]", method),
    )
}

/// Reads `key` with the two lengths that only a prefix has.
fn key(s: &mut Section<'_, '_>) -> LimitKey {
    let word = s.live(
        "key",
        key_word(),
        r#""client""#,
        "What it counts by: each client, each network, each value of a header (the client where it is absent), \
         or all requests that match together.",
    );
    let ipv4 = s.live("ipv4_prefix", whole(1..=32), "24", "With key = \"prefix\": leading bits of an IPv4 network.");
    let ipv6 = s.live("ipv6_prefix", whole(1..=128), "48", "With key = \"prefix\": leading bits of an IPv6 network.");
    if !matches!(word, KeyWord::Prefix) {
        for length in ["ipv4_prefix", "ipv6_prefix"] {
            if s.has(length) {
                let (path, key) = (s.join(length), s.join("key"));
                s.document()
                    .fault_between(&[&path, &key], "is only used with key = \"prefix\"; write that, or leave this out");
            }
        }
    }
    match word {
        KeyWord::Client => LimitKey::Client,
        KeyWord::Prefix => LimitKey::Prefix { ipv4, ipv6 },
        KeyWord::Route => LimitKey::Route,
        KeyWord::Header(name) => LimitKey::Header(name),
    }
}

/// Reads `slots`, and rounds it up to what a table can have.
fn slots(s: &mut Section<'_, '_>) -> u32 {
    let doc = "How many keys in debt the limit can tell apart, 8 bytes each; a power of two, else rounded up to one.";
    let written: u32 = s.start("slots", whole(1024..=1 << 28), "1048576", doc);
    let slots = written.next_power_of_two();
    if slots != written {
        let path = s.join("slots");
        s.document().note(&path, format!("{written} is rounded up to the power of two {slots}"));
    }
    slots
}

fn name() -> Kind<String> {
    const WANT: &str = "a name of 1 to 64 letters, digits, '-', '_' and '.'";
    let schema = json!({"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"});
    Kind::string("name", WANT, schema, |text| {
        let sound = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if sound { Ok(text.to_owned()) } else { Err(format!("cannot be a name; write {WANT}")) }
    })
}

fn method() -> Kind<String> {
    const WANT: &str = "a method such as \"POST\"";
    let schema = json!({"type": "string", "pattern": "^[A-Z][A-Z-]{0,31}$"});
    Kind::string("method", WANT, schema, |text| {
        let letters = |t: &str| {
            (1..=32).contains(&t.len())
                && t.starts_with(|c: char| c.is_ascii_uppercase())
                && t.bytes().all(|b| b.is_ascii_uppercase() || b == b'-')
        };
        match text {
            _ if letters(text) => Ok(text.to_owned()),
            _ if letters(&text.to_ascii_uppercase()) => {
                Err(format!("is in lower case, which no request's method is; write {:?}", text.to_ascii_uppercase()))
            }
            _ => Err(format!("is not a method; write {WANT}")),
        }
    })
}

fn key_word() -> Kind<KeyWord> {
    const WANT: &str = "\"client\", \"prefix\", \"route\" or \"header:NAME\"";
    let schema =
        json!({"type": "string", "pattern": "^(client|prefix|route|header:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})$"});
    Kind::string(WANT, WANT, schema, |text| match text {
        "client" => Ok(KeyWord::Client),
        "prefix" => Ok(KeyWord::Prefix),
        "route" => Ok(KeyWord::Route),
        _ if text.starts_with("claim:") => {
            Err(format!("needs a verified identity, which this version does not have; write {WANT}"))
        }
        _ => match text.strip_prefix("header:") {
            Some(name) if is_token(name) => Ok(KeyWord::Header(name.to_ascii_lowercase())),
            Some(_) => Err("does not name a header; write one such as \"header:X-Api-Key\"".to_owned()),
            None => Err(format!("is nothing to count by; write {WANT}")),
        },
    })
}

/// Whether `name` can be a header's name.
pub(super) fn is_token(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
