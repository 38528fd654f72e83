//! The weir command as a shell sees it: what it prints and the code it exits with.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output};

fn weir(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    for variable in ["WEIR_ADMIN", "WEIR_CONFIG", "WEIR_LOG", "WEIR_TOKEN_FILE"] {
        command.env_remove(variable);
    }
    command.args(arguments).output().unwrap()
}

fn code(arguments: &[&str]) -> i32 {
    weir(arguments).status.code().unwrap()
}

#[test]
fn wrong_usage_is_64_and_help_is_0() {
    for wrong in [
        &["nonsense"][..],
        &["why"],
        &["why", "app.example"],
        &["status", "--nonsense"],
        &["top", "--interval", "1"],
        &["--config"],
    ] {
        assert_eq!(code(wrong), 64, "{wrong:?}");
    }
    for command in [&["--help"][..], &["--version"], &["serve", "--help"], &["why", "--help"], &["check", "--help"]] {
        let output = weir(command);
        assert!(output.status.success() && !output.stdout.is_empty(), "{command:?}");
    }
    let help = String::from_utf8(weir(&["--help"]).stdout).unwrap();
    for part in ["Examples:", "weir why 192.0.2.7", "Exit codes:"] {
        assert!(help.contains(part), "{part:?} is not in:\n{help}");
    }
}

#[test]
fn a_config_that_is_not_there_is_66_and_a_faulty_one_78() {
    let dir = tempfile::tempdir().unwrap();
    let (missing, faulty) = (dir.path().join("missing.toml"), dir.path().join("faulty.toml"));
    std::fs::write(&faulty, "[listen]\nheader_timeout = \"10\"\n").unwrap();
    assert_eq!(code(&["check", missing.to_str().unwrap()]), 66);
    assert_eq!(code(&["check", faulty.to_str().unwrap()]), 78);
}

#[test]
fn nobody_there_is_69() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let admin = format!("http://{free}");
    for command in [&["status"][..], &["top"], &["top", "--json"], &["why", "192.0.2.7"]] {
        let output = weir(&[command, &["--admin", &admin]].concat());
        assert_eq!(output.status.code(), Some(69));
        assert!(String::from_utf8_lossy(&output.stderr).contains(&admin));
    }
}

#[test]
fn the_schema_is_json() {
    let schema: serde_json::Value = serde_json::from_slice(&weir(&["schema"]).stdout).unwrap();
    assert!(schema.get("properties").is_some());
}
