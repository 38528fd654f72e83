//! The config as operators meet it: every message, every shipped file, and that schema, reader and reference agree.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "config/changes.rs"]
mod changes;

use changes::{CHANGES, ELSEWHERE};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::path::Path;
use weir::cli::exit::Code;
use weir::config::settings::Settings;
use weir::config::{self, Loaded, diff, load, load_str};
use weir::control::source::Source;

const DEMO: &str = "[origin]\naddresses = [\"demo\"]\n";
const SHIPPED: [&str; 5] = [
    "config/weir.toml",
    "config/examples/alb.toml",
    "config/examples/cloudfront-alb.toml",
    "config/examples/nlb.toml",
    "config/examples/direct.toml",
];

fn good(text: &str) -> Settings {
    load_str(text, "w.toml").unwrap_or_else(|faults| panic!("{faults}\nin\n{text}")).settings
}

/// What is said about `text`: all faults, or all notes.
fn said(text: &str) -> Vec<String> {
    match load_str(text, "w.toml") {
        Ok(Loaded { notes, .. }) => notes.iter().map(|note| format!("note: {note}")).collect(),
        Err(faults) => faults.to_string().lines().map(str::to_owned).collect(),
    }
}

/// Each case is a config, then `=>` and each line that it must bring forth. Where it has no origin, one is added.
/// What `weir check` says of the file at `path`.
fn examine(path: impl Into<std::path::PathBuf>) -> (Code, String, String) {
    weir::cli::check::examine(&Source::File(path.into()))
}

#[test]
fn every_fault_says_what_is_wrong_and_what_to_write() {
    let file = include_str!("config/faults.txt").trim_end();
    let mut messages = BTreeSet::new();
    for case in file.split("\n---\n") {
        let (text, expected): (Vec<&str>, Vec<&str>) = case.lines().partition(|line| !line.starts_with("=> "));
        let mut text = text.join("\n") + "\n";
        if !text.contains("origin") {
            text.push_str(DEMO);
        }
        let expected: Vec<&str> = expected.iter().map(|line| &line[3..]).collect();
        assert!(!expected.is_empty(), "nothing is expected of\n{text}");
        assert_eq!(said(&text), expected, "of\n{text}");
        messages.extend(expected.into_iter().filter(|line| !line.starts_with("note: ")));
    }
    assert!(messages.len() >= 40, "only {} distinct faults", messages.len());
}

#[test]
fn limits_and_faults_are_bounded() {
    let limits: String = (0..65).map(|n| format!("[[limit]]\nname = \"l{n}\"\nrate = \"1/s\"\n")).collect();
    let faults = said(&(limits + DEMO));
    assert_eq!(faults.len(), 1);
    assert!(faults[0].ends_with("limit: is there 65 times; at most 64 are held"), "{faults:?}");

    let unknown: String = (0..100_000).map(|n| format!("k{n}=1\n")).collect();
    let faults = said(&unknown);
    assert_eq!((faults.len(), faults.last().map(String::as_str)), (501, Some("w.toml: and 99501 faults more")));
    let broken = "= 1\n".repeat(100_000);
    assert_eq!(said(&broken).len(), 501);
}

#[test]
fn shipped_configs_load_without_a_note_and_keep_to_the_schema() {
    let schema = jsonschema::draft202012::new(&config::schema()).unwrap();
    for path in SHIPPED {
        let loaded = load(Path::new(path)).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(loaded.notes, [], "{path}");
        let value: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
        let value = serde_json::to_value(value).unwrap();
        let errors: Vec<String> = schema.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert_eq!(errors, [""; 0], "{path}");
    }
    assert!(!schema.is_valid(&json!({"listen": {"header_timeout": 10}, "origin": {"addresses": ["demo"]}})));
    assert!(!schema.is_valid(&json!({"listen": {"header_timeot": "10s"}, "origin": {"addresses": ["demo"]}})));
    assert!(!schema.is_valid(&json!({"origin": {}})));
}

#[test]
fn comments_in_the_default_config_show_the_defaults() {
    let text = std::fs::read_to_string("config/weir.toml").unwrap();
    let mut section = "";
    let mut count = 0;
    let mut told = String::new();
    for line in text.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        if bare.starts_with('[') {
            section = bare.split(']').next().unwrap();
        }
        let word = bare.split([' ', ']']).next().unwrap();
        let key_or_table = bare.starts_with('[') || bare.split(' ').nth(1) == Some("=");
        // Files that are not there, and bodies that are by choice.
        let optional = section == "[listen.tls"
            || section == "[reply"
            || ["token_file", "secret_file", "file", "asn_database"].contains(&word);
        if line.starts_with("# ") && key_or_table && !optional {
            count += 1;
            told.push_str(bare);
        } else {
            told.push_str(line);
        }
        told.push('\n');
    }
    assert!(count > 40, "only {count} defaults are shown");
    assert_eq!(good(&told), good(&text));
}

#[test]
fn the_config_of_the_design_loads() {
    let text = include_str!("config/design.toml");
    let folder = tempfile::tempdir().unwrap();
    for file in ["tls.crt", "tls.key"] {
        std::fs::write(folder.path().join(file), "").unwrap();
    }
    let text = text.replace("/etc/weir", &folder.path().display().to_string());
    let loaded = load_str(&text, "w.toml").unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(loaded.settings.limits.len(), 2);
    assert_eq!(loaded.settings.listen.tls.unwrap().address, ["0.0.0.0:8443".parse().unwrap()]);
    let keys: Vec<&str> = loaded.notes.iter().map(|note| note.key.as_str()).collect();
    assert_eq!(keys, ["flood.challenge.secret_file"]);
}

/// Calls `see` with the path and the schema of every value; `[]` stands for an element of a list of tables.
fn walk(schema: &Json, path: &str, see: &mut impl FnMut(&str, &Json)) {
    let dot = if path.is_empty() { "" } else { "." };
    for (name, of) in schema["properties"].as_object().unwrap() {
        let path = format!("{path}{dot}{name}");
        if of["properties"].is_object() {
            walk(of, &path, see);
        } else if of["items"]["properties"].is_object() {
            walk(&of["items"], &format!("{path}[]"), see);
        } else {
            see(&path, of);
        }
    }
}

fn keys() -> Vec<String> {
    let mut keys = Vec::new();
    walk(&config::schema(), "", &mut |path, _| keys.push(path.to_owned()));
    keys
}

/// `table.key = value` as a config, in front of the origin.
fn config_with(key: &str, value: &str) -> String {
    let limit = "[[limit]]\nname = \"a\"\nrate = \"10/s\"\n";
    let origin = "origin.addresses = [\"demo\"]\n";
    if let Some(key) = key.strip_prefix("alert[].") {
        let rule = [("name", "\"a\""), ("signal", "\"origin_latency\""), ("above", "1")];
        let rule = rule.iter().filter(|(other, _)| *other != key).map(|(key, value)| format!("{key} = {value}\n"));
        return format!("{origin}[[alert]]\n{}{key} = {value}\n", rule.collect::<String>());
    }
    match key.strip_prefix("limit[].") {
        Some(_) if key.ends_with("v4_prefix") || key.ends_with("v6_prefix") => {
            format!("{origin}{limit}key = \"prefix\"\n{} = {value}\n", &key[8..])
        }
        Some("name") => format!("{origin}[[limit]]\nname = {value}\nrate = \"10/s\"\n"),
        Some("rate") => format!("{origin}[[limit]]\nname = \"a\"\nrate = {value}\n"),
        Some(key) => format!("{origin}{limit}{key} = {value}\n"),
        None if key == "origin.addresses" => format!("{key} = {value}\n{limit}"),
        None => format!("{origin}{key} = {value}\n{limit}"),
    }
}

#[test]
fn every_default_of_the_schema_is_what_the_reader_takes() {
    let mut count = 0;
    walk(&config::schema(), "", &mut |path, schema| {
        let Some(default) = schema.get("default") else { return };
        let value = toml::Value::try_from(default).unwrap().to_string();
        assert_eq!(
            good(&config_with(path, &value)),
            good(
                &config_with(path, &value).replace(&format!("{} = {value}\n", path.trim_start_matches("limit[].")), "")
            ),
            "{path} = {value}"
        );
        count += 1;
    });
    assert!(count > 60, "only {count} defaults");
}

#[test]
fn every_key_of_the_schema_is_read_and_no_other() {
    let written: BTreeSet<&str> = CHANGES.iter().map(|(key, ..)| *key).chain(ELSEWHERE.iter().copied()).collect();
    let known = keys();
    let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
    assert_eq!(written, known, "each key needs a line in CHANGES");
    for key in known.iter().filter(|key| !key.starts_with("listen.tls")) {
        let faults = said(&config_with(&format!("{key}x"), "0"));
        assert!(faults.iter().any(|fault| fault.contains("unknown key")), "{key}x: {faults:?}");
    }
}

/// A reload of each key alone: what is written is what the reader took, under its own name, live or not.
#[test]
fn a_change_of_one_key_is_that_change() {
    for &(key, value, live) in CHANGES {
        let changed = config_with(key, value);
        let plain =
            if key == "origin.addresses" { config_with(key, "[\"demo\"]") } else { config_with("listen.h2c", "false") };
        let plain = if key.ends_with("_prefix") && key.starts_with("limit") {
            config_with("limit[].key", "\"prefix\"")
        } else {
            plain
        };
        let changes = diff(&good(&plain), &good(&changed));
        let [change] = changes.as_slice() else { panic!("{key}: {changes:?}") };
        assert_eq!(change.key, key.replace("limit[]", "limit[a]"));
        assert_eq!(change.new.replace(['[', ']'], ""), value.replace(['"', '[', ']'], ""), "{key}");
        assert_eq!(change.live, live, "{key}");
        assert_ne!(change.old, change.new);
    }
}

#[test]
fn a_difference_reads_well() {
    let limits = |text: &str| good(&format!("origin.addresses = [\"demo\"]\nlisten.workers = 2\n{text}"));
    let old = limits(
        "[[limit]]\nname = \"a\"\nrate = \"10/s\"\n[[limit]]\nname = \"b\"\nrate = \"1/s\"\n[[limit]]\nname = \"c\"\nrate = \"1/s\"",
    );
    let mut new = limits(
        "[[limit]]\nname = \"c\"\nrate = \"1/s\"\n[[limit]]\nname = \"d\"\nrate = \"5/m\"\nslots = 1024\n[[limit]]\nname = \"a\"\nrate = \"20/s\"\nkey = \"header:X\"",
    );
    new.listen.workers = 4;
    let lines: Vec<String> = diff(&old, &new).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "listen.workers: 2 -> 4 (takes effect at the next start)",
            "limit[b]: removed (was 1/s, burst 10, by client, refuse)",
            "limit[d]: added 5/m, burst 10, by client, refuse",
            "limit[a].rate: 10/s -> 20/s",
            "limit[a].key: client -> header:x",
            "limit (their order): [a, c] -> [c, a]",
        ]
    );
    assert_eq!(diff(&old, &old), []);
}

#[test]
fn the_reference_is_up_to_date() {
    let found = std::fs::read_to_string("docs/config.md").unwrap_or_default();
    assert!(
        found == config::reference(),
        "docs/config.md is stale; run: cargo run -- schema --markdown > docs/config.md"
    );
    let schema = std::fs::read_to_string("config/weir.schema.json").unwrap_or_default();
    let stale = "config/weir.schema.json is stale; run: cargo run -- schema > config/weir.schema.json";
    assert!(schema == format!("{:#}\n", config::schema()), "{stale}");
    for key in keys() {
        let name = key.rsplit('.').next().unwrap();
        assert!(found.contains(&format!("| `{name}` |")), "{key} is not in docs/config.md");
    }
}

#[test]
fn check_sums_up_a_good_config() {
    let (code, out, err) = examine(Path::new("config/weir.toml"));
    assert_eq!((code, err.as_str()), (Code::Ok, ""));
    for line in [
        "config/weir.toml is good",
        "  listen  0.0.0.0:8080 (HTTP/1.1)",
        "  client  from x-forwarded-for, believed from 10.0.0.0/8, 127.0.0.0/8, ::1/128; IPv6 by /64",
        "  origin  demo; 500/s, at most 512 in flight, least-connections",
        "   limit  per-client: each client may send 10/s, 150 at once; what is over is refused [8MiB]",
        "    8.0  limit login                                  1   8,388,608",
        "  528.0  requests in flight                         512   1,081,344",
    ] {
        assert!(out.lines().any(|l| l == line), "no {line:?} in\n{out}");
    }
    assert!(out.contains("  memory  at most ") && out.contains("and 1250.0 MiB more while every"), "{out}");
}

#[test]
#[cfg(feature = "aws")]
fn check_says_whom_it_tells_and_hears() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.toml");
    let shared = "[fleet]\nenabled = true\n[waf]\nenabled = true\n[guardduty]\nenabled = true\n\
                  queue_url = \"https://sqs.eu-central-1.amazonaws.com/111122223333/findings\"\n\
                  [[limit]]\nname = \"a\"\nrate = \"10/s\"\nburst = 20\nscope = \"fleet\"\n";
    std::fs::write(&path, format!("{shared}{DEMO}")).unwrap();
    let (code, out, err) = examine(&path);
    assert_eq!((code, err.as_str()), (Code::Ok, ""));
    for line in [
        "   fleet  production at redis://127.0.0.1:6379",
        "     waf  regional, bans from refuse on to weir-ipv4-0, weir-ipv6-0; 1/s updates at most",
        "findings  from https://sqs.eu-central-1.amazonaws.com/111122223333/findings, severity 4.0 and above: ban",
        "   limit  a: each client may send 10/s over all tasks together, 20 at once; what is over is refused [8MiB]",
    ] {
        assert!(out.lines().any(|l| l == line), "no {line:?} in\n{out}");
    }
}

#[test]
fn check_tells_faults_by_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.toml");
    assert_eq!(examine(&path).0, Code::NoInput);

    std::fs::write(&path, format!("[lists]\ndeny = [\"deny.txt\"]\n{DEMO}")).unwrap();
    std::fs::write(folder.path().join("deny.txt"), "# ours\n192.0.2.0/24\n203.0.113.9\n").unwrap();
    let (code, out, _) = examine(&path);
    assert!(code == Code::Ok && out.contains("    deny  2 networks\n"), "{out}");

    std::fs::write(folder.path().join("deny.txt"), "192.0.2.0/24\nnobody\n").unwrap();
    let (code, out, err) = examine(&path);
    assert!(code == Code::Config && out.is_empty() && err.contains("deny.txt: line 2: \"nobody\""), "{err}");

    std::fs::write(&path, format!("[listen]\nheader_timeout = \"10\"\nhttp = 7\n{DEMO}")).unwrap();
    let (code, _, err) = examine(&path);
    assert!(code == Code::Config && err.lines().count() == 3 && err.ends_with("w.toml: 2 faults\n"), "{err}");

    std::fs::write(&path, b"[listen]\n\xff").unwrap();
    assert!(examine(&path).2.contains("is not UTF-8 text (line 2)"));
    std::fs::write(&path, "#".repeat(config::MAX_CONFIG_BYTES + 1)).unwrap();
    assert!(examine(&path).2.contains("is larger than 1MiB"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever happens to a config's text, it loads or its faults are told.
    #[test]
    fn no_text_panics(at in 0..5000usize, cut in 0..40usize, put in "[\\[\\]{}=\"'.,#\n a-z0-9/\\PC]{0,12}") {
        let text = std::fs::read_to_string("config/weir.toml").unwrap().replace("\n# ", "\n");
        let floor = |at: usize| (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap();
        let (from, to) = (floor(at), floor(at + cut));
        let text = format!("{}{put}{}", &text[..from], &text[to..]);
        if let Err(faults) = load_str(&text, "w.toml") {
            prop_assert!(!faults.list.is_empty() && faults.to_string().lines().count() == faults.list.len());
        }
    }
}

/// Alerts are known by their names, and a webhook's path is as good as a password.
#[test]
fn alerts_differ_in_words_and_show_no_secret() {
    let rule = |rest: &str| format!("{DEMO}[[alert]]\nname = \"errors\"\nsignal = \"server_error_share\"\n{rest}");
    let lines = |old: &str, new: &str| -> Vec<String> {
        diff(&good(old), &good(new)).iter().map(ToString::to_string).collect()
    };
    let (two, slow) = (rule("above = \"2%\""), rule("above = \"0.5%\"\nfor = \"1m\"\nseverity = \"critical\""));
    let words = "server_error_share above 2% for 5m, warning";
    assert_eq!(lines(DEMO, &two), [format!("alert[errors]: added {words}")]);
    assert_eq!(lines(&two, DEMO), [format!("alert[errors]: removed (was {words})")]);
    let changed = format!("alert[errors]: {words} -> server_error_share above 0.5% for 1m, critical");
    assert_eq!(lines(&two, &slow), [changed]);
    let hook = |path: &str| format!("{DEMO}[alerts]\nwebhook = \"https://me:pw@hooks.example/{path}\"\n");
    let [change] = diff(&good(&hook("hunter2")), &good(&hook("hunter3"))).try_into().unwrap();
    assert!(change.new.starts_with("https://hooks.example/… (SHA-256 "), "{change}");
    assert!(!change.to_string().contains("hunter") && !change.to_string().contains("pw"), "{change}");
}
