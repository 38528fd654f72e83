//! `weir serve` as a shell and a person meet it: exit codes, and a banner whose commands do what it says.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::eventually;
use common::process::{Process, command};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

/// Exit code and standard error of `weir serve` with this config.
fn serve(path: &Path) -> (i32, String) {
    let output = command().arg("serve").arg("--config").arg(path).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn serve_and_check_agree_on_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weir.toml");
    let good = "[listen]\nhttp = [\"127.0.0.1:0\"]\n[origin]\naddresses = [\"demo\"]\ncapacity = \"500/s\"\n";
    let admin = |more: &str| format!("{good}[admin]\naddress = \"127.0.0.1:0\"\n{more}");
    std::fs::write(folder.path().join("short"), "secret\n").unwrap();
    let cases = [
        (format!("{good}[admin]\naddress = \"0.0.0.0:0\"\n"), "needs admin.token_file"),
        (admin("token_file = \"absent\"\n"), "absent"),
        (admin("token_file = \"short\"\n"), "at least 16"),
        (admin("[lists]\ndeny = [\"absent.txt\"]\n"), "absent.txt"),
        (admin("[reply]\npage = { 429 = \"absent.html\" }\n"), "absent.html"),
        (admin("[log]\naccess = \"absent/log\"\n"), "absent/log"),
        (admin("[listen.tls]\naddress = [\"127.0.0.1:0\"]\ncertificate = \"short\"\nkey = \"short\"\n"), "certificate"),
        (admin("").replace("500/s", "500"), "origin.capacity"),
    ];
    for (text, told) in cases {
        std::fs::write(&path, text).unwrap();
        let (code, said) = serve(&path);
        assert!(code == 78 && said.contains(told), "{told}: {code} {said}");
        let check = command().arg("check").arg(&path).output().unwrap();
        let (code, checked) = (check.status.code(), String::from_utf8(check.stderr).unwrap());
        assert!(code == Some(78) && checked.contains(told), "{told}: {code:?} {checked}");
        let first = checked.lines().next().unwrap();
        assert!(said.contains(first), "check says {first}\nserve says {said}");
    }
}

#[test]
fn a_config_that_cannot_be_read_is_66() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = serve(&folder.path().join("missing.toml"));
    assert!(code == 66 && said.contains("--config FILE"), "{code} {said}");
    assert_eq!(serve(folder.path()).0, 66);
}

#[test]
fn an_address_that_is_taken_is_69() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weir.toml");
    for (http, admin) in [(taken.to_string(), "127.0.0.1:0".into()), ("127.0.0.1:0".into(), taken.to_string())] {
        let origin = "[origin]\naddresses = [\"192.0.2.1:80\"]\ncapacity = \"500/s\"\n";
        std::fs::write(&path, format!("[listen]\nhttp = [\"{http}\"]\n[admin]\naddress = \"{admin}\"\n{origin}"))
            .unwrap();
        let (code, said) = serve(&path);
        assert!(code == 69 && said.contains(&taken.to_string()), "{code} {said}");
    }
}

#[test]
fn the_banner_says_where_things_are_and_its_commands_do_what_it_says() {
    if !["curl", "bash"].iter().all(|tool| Command::new(tool).arg("--version").output().is_ok()) {
        assert!(std::env::var_os("CI").is_none(), "curl and bash are needed");
        return eprintln!("skipped: curl or bash is missing");
    }
    let config = std::fs::read_to_string("config/weir.toml").unwrap();
    let config = config.replace("0.0.0.0:8080", "0.0.0.0:0").replace("127.0.0.1:9901", "ADMIN");
    let weir = Process::start(&config);
    let banner = weir.stderr();
    assert!(banner.contains("the built-in demo service"), "{banner}");
    let lines: Vec<_> = banner.lines().map(str::trim).collect();
    let commands: Vec<_> = lines.iter().filter(|l| l.starts_with("curl") || l.starts_with("for ")).collect();
    assert_eq!(commands.len(), 3, "{banner}");
    let run = |line: &str| {
        let output = Command::new("bash").args(["-c", line]).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let answers: Vec<_> = commands.iter().map(|line| run(line)).collect();
    assert!(answers[0].starts_with("HTTP/1.1 200"), "{}", answers[0]);
    assert!(answers[1].contains("HTTP/1.1 200"), "{}", answers[1]);
    let codes: Vec<_> = answers[2].split_whitespace().collect();
    assert_eq!((codes.len(), codes.iter().filter(|c| **c == "429").count()), (12, 2), "{codes:?}");
    assert!(codes[..10].iter().all(|c| *c != "429"), "{codes:?}");
    assert_eq!(weir.ask("/").0, 200);
    assert!(weir.ask("/metrics").1.contains("weir_"));
}

/// As a task of ECS gets them, and its health check.
#[test]
fn secrets_may_stand_in_environment_variables() {
    const TOKEN: &str = "a-token-of-this-test";
    const KEY: &str = "0123456789abcdef0123456789abcdef";
    let config = "[listen]\nhttp = [\"HTTP\"]\n[admin]\naddress = \"ADMIN\"\ntoken_file = \"env:WEIR_TEST_TOKEN\"\n\
        [origin]\naddresses = [\"demo\"]\ncapacity = \"500/s\"\n[flood.challenge]\nsecret_file = \"env:WEIR_TEST_KEY\"\n\
        [log]\naccess = \"stdout\"\n[[limit]]\nname = \"login\"\nrate = \"1/s\"\nburst = 1\n";
    let weir = Process::start_by(config, |c| _ = c.env("WEIR_TEST_TOKEN", TOKEN).env("WEIR_TEST_KEY", KEY));
    let status = |token: Option<&str>| {
        let mut asks = command();
        asks.args(["status", "--admin", &format!("http://{}", weir.admin)]).env("WEIR_TEST_TOKEN", TOKEN);
        token.map(|token| asks.args(["--token-file", token]));
        asks.output().unwrap()
    };
    assert!(status(Some("env:WEIR_TEST_TOKEN")).status.success());
    let (wrong, none) = (status(Some("env:PATH")), status(None));
    assert_eq!((wrong.status.code(), none.status.code()), (Some(77), Some(77)), "{wrong:?} {none:?}");
    assert_eq!(status(Some("env:no-name")).status.code(), Some(64));

    // What an operator does with the token is in the ingress log; the token is nowhere.
    let answer = ureq::post(format!("http://{}/api/limits/login/enforce", weir.admin))
        .header("Authorization", format!("Bearer {TOKEN}"))
        .send_json(serde_json::json!({"enforce": "25%"}));
    assert_eq!(answer.unwrap().status(), 200);
    let moved = r#""kind":"state","of":"limit","name":"login","from":"100%","to":"25%","cause":"enforce""#;
    eventually("it is told", || weir.stdout().contains(moved));
    let said = format!("{}{}", weir.stderr(), weir.stdout());
    assert!(!said.contains(TOKEN) && !said.contains(KEY), "{said}");
}
