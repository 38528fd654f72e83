//! The config from AWS, through the real binary and real servers that answer as AWS does: started from, changed,
//! broken, away, and back.
#![cfg(feature = "aws")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::emulator::{self, Emulator};
use common::origin::Origin;
use common::process::{Process, command};
use common::{config, eventually, fill, post};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

fn text(origin: &Origin, burst: u32) -> String {
    let limit = format!("[[limit]]\nname = \"a\"\nrate = \"1/h\"\nburst = {burst}\nslots = 1024\n");
    fill(&config(origin.address, &limit))
}

fn put_parameter(moto: &Emulator, text: &str) {
    let body = json!({"Name": "/weir/config", "Value": text, "Type": "SecureString", "Overwrite": true});
    moto.call("ssm", "AmazonSSM.PutParameter", &body);
}

fn start(source: &str, cache: &Path, adapt: impl FnOnce(&mut Command)) -> Process {
    Process::start_at(source, tempfile::tempdir().unwrap(), |command| {
        command.arg("--config-poll").arg("1s").arg("--config-cache").arg(cache);
        adapt(command);
    })
}

fn status(weir: &Process) -> Value {
    serde_json::from_str(&weir.ask("/api/status").1).unwrap()
}

fn in_force(weir: &Process, burst: u32) {
    eventually(&format!("burst {burst}"), || status(weir)["limits"][0]["burst"] == burst);
}

fn serves(weir: &Process) -> bool {
    Client::connect(weir.http).ask(get("/", "X-Forwarded-For: 192.0.2.77\r\n")).status == 200
}

#[test]
fn ssm_is_started_from_followed_and_outlived() {
    let Some(moto) = Emulator::moto() else { return };
    let (origin, folder) = (Origin::echo(), tempfile::tempdir().unwrap());
    let (address, cache) = (moto.address, folder.path().join("cache"));
    put_parameter(&moto, &text(&origin, 3));
    let weir = start("ssm:/weir/config", &cache, |c| moto.tell(c));
    let shown = status(&weir)["config"].clone();
    assert_eq!((&shown["path"], &shown["source"]["from"]), (&"ssm:/weir/config".into(), &"aws".into()), "{shown}");
    assert!(weir.stderr().contains("it is kept in"), "{}", weir.stderr());
    put_parameter(&moto, &text(&origin, 5));
    in_force(&weir, 5);
    // A fault on line 2: refused whole, with its place.
    put_parameter(&moto, &text(&origin, 6).replacen("[listen]\n", "[listen]\nnonsense = 1\n", 1));
    eventually("the fault", || status(&weir)["config"]["refused"].is_object());
    let refused = status(&weir)["config"]["refused"]["faults"][0]["message"].to_string();
    assert!(refused.contains("ssm:/weir/config:2:1: listen: unknown key \\\"nonsense"), "{refused}");
    assert_eq!(status(&weir)["limits"][0]["burst"], 5);
    let come_back = moto.kill();
    eventually("it is noticed", || status(&weir)["config"]["source"]["failing"].is_string());
    let (code, said) = post(weir.admin, "/api/reload");
    assert!(code == 422 && said.contains("ssm:/weir/config: cannot be fetched"), "{code} {said}");
    assert!(serves(&weir));
    let metrics = weir.ask("/metrics").1;
    assert!(metrics.contains("weir_config_fetches_total{result=\"failed\"}"), "{metrics}");
    drop(weir);
    // Started while AWS is away: the last good one, not the last one.
    let weir = start("ssm:/weir/config", &cache, |c| emulator::tell(address, c));
    assert!(weir.stderr().contains("starting with the last good one: version 2"), "{}", weir.stderr());
    assert_eq!(status(&weir)["limits"][0]["burst"], 5);
    assert_eq!(status(&weir)["config"]["source"]["from"], "cache");
    assert!(serves(&weir));
    let moto = come_back();
    put_parameter(&moto, &text(&origin, 7));
    in_force(&weir, 7);
    eventually("it is AWS's", || status(&weir)["config"]["source"]["from"] == "aws");
    assert_eq!(weir.stderr().matches("can be fetched again").count(), 1, "{}", weir.stderr());
}

#[test]
fn s3_is_started_from_and_followed_and_a_faulty_start_takes_the_last_good_one() {
    let Some(moto) = Emulator::moto() else { return };
    let (origin, folder) = (Origin::echo(), tempfile::tempdir().unwrap());
    let cache = folder.path().join("cache");
    let put = |text: &[u8]| _ = moto.send("s3", "PUT", "/edge-configs/weir.toml", &[], text);
    moto.send("s3", "PUT", "/edge-configs", &[], b"");
    // Paths in it start at the working directory.
    std::fs::write(folder.path().join("deny.txt"), "192.0.2.200\n").unwrap();
    let listed = |burst| text(&origin, burst) + "[lists]\ndeny = [\"deny.txt\"]\n";
    put(listed(3).as_bytes());
    let here = |c: &mut Command| {
        moto.tell(c);
        c.current_dir(folder.path());
    };
    let weir = start("s3://edge-configs/weir.toml", &cache, here);
    assert_eq!(Client::connect(weir.http).ask(get("/", "X-Forwarded-For: 192.0.2.200\r\n")).status, 403);
    eventually("asked again, and told that nothing changed", || {
        status(&weir)["config"]["source"]["fetches"].as_u64().unwrap() >= 3
    });
    assert_eq!(status(&weir)["config"]["reloads"], 0);
    put(listed(4).as_bytes());
    let (code, said) = post(weir.admin, "/api/reload");
    assert!(code == 200 && said.contains("limit[a].burst: 3 -> 4"), "{code} {said}");
    put(listed(5).as_bytes());
    in_force(&weir, 5);
    put(&vec![b'#'; (1 << 20) + 1]);
    eventually("it is too large", || {
        status(&weir)["config"]["source"]["failing"].as_str().is_some_and(|why| why.contains("larger than 1MiB"))
    });
    drop(weir);
    put(b"[listen]\nnonsense = 1\n");
    let weir = start("s3://edge-configs/weir.toml", &cache, here);
    assert_eq!(status(&weir)["limits"][0]["burst"], 5);
    eventually("the fault is shown", || status(&weir)["config"]["refused"].to_string().contains("nonsense"));
}

/// What stands in AppConfig: application, environment and profile by their ids.
struct Profile {
    stack: Emulator,
    ids: [String; 4],
}

impl Profile {
    fn new(stack: Emulator) -> Self {
        let made = |path: &str, body: Value| {
            let headers = [("Content-Type", "application/json")];
            let text = stack.send("appconfig", "POST", path, &headers, body.to_string().as_bytes());
            serde_json::from_str::<Value>(&text).unwrap()["Id"].as_str().unwrap().to_owned()
        };
        let app = made("/applications", json!({"Name": "edge"}));
        let env = made(&format!("/applications/{app}/environments"), json!({"Name": "production"}));
        let at_once = json!({"Name": "now", "DeploymentDurationInMinutes": 0, "GrowthFactor": 100.0,
            "FinalBakeTimeInMinutes": 0, "ReplicateTo": "NONE"});
        let strategy = made("/deploymentstrategies", at_once);
        let path = format!("/applications/{app}/configurationprofiles");
        let profile = made(&path, json!({"Name": "weir", "LocationUri": "hosted"}));
        Self { ids: [app, env, profile, strategy], stack }
    }

    fn deploy(&self, text: &str, version: u32) {
        let [app, env, profile, strategy] = &self.ids;
        let path = format!("/applications/{app}/configurationprofiles/{profile}/hostedconfigurationversions");
        let label = format!("release-{version}");
        let headers = [("Content-Type", "application/toml"), ("VersionLabel", label.as_str())];
        self.stack.send("appconfig", "POST", &path, &headers, text.as_bytes());
        let body = json!({"DeploymentStrategyId": strategy, "ConfigurationProfileId": profile,
            "ConfigurationVersion": version.to_string()});
        let headers = [("Content-Type", "application/json")];
        let path = format!("/applications/{app}/environments/{env}/deployments");
        self.stack.send("appconfig", "POST", &path, &headers, body.to_string().as_bytes());
    }
}

#[test]
fn appconfig_is_started_from_and_followed_with_tokens_that_are_good_for_one_question() {
    let Some(stack) = Emulator::ministack() else { return };
    let (origin, folder) = (Origin::echo(), tempfile::tempdir().unwrap());
    let profile = Profile::new(stack);
    profile.deploy(&text(&origin, 3), 1);
    let weir = Process::start_at("appconfig:edge/production/weir", tempfile::tempdir().unwrap(), |command| {
        command.arg("--config-poll").arg("15s").arg("--config-cache").arg(folder.path().join("cache"));
        profile.stack.tell(command);
    });
    assert_eq!(status(&weir)["config"]["source"]["version"], "release-1");
    profile.deploy(&text(&origin, 4), 2);
    // At an operator's word at once.
    let (code, said) = post(weir.admin, "/api/reload");
    assert!(code == 200 && said.contains("limit[a].burst: 3 -> 4"), "{code} {said}");
    profile.deploy(&text(&origin, 5), 3);
    // By itself, after the time that AppConfig asks for.
    let deadline = Instant::now() + Duration::from_secs(60);
    while status(&weir)["limits"][0]["burst"] != 5 {
        assert!(Instant::now() < deadline, "{}", status(&weir)["config"]);
        std::thread::sleep(Duration::from_millis(100));
    }
    let source = status(&weir)["config"]["source"].clone();
    assert_eq!((&source["version"], &source["failures"]), (&"release-3".into(), &0.into()), "{source}");
}

#[test]
fn a_config_in_aws_is_checked_and_one_that_is_not_there_is_said() {
    let Some(moto) = Emulator::moto() else { return };
    let origin = Origin::echo();
    let weir = |line: &[&str]| {
        let mut command = command();
        moto.tell(&mut command);
        let done = command.args(line).output().unwrap();
        let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        (done.status.code().unwrap(), said)
    };
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let (code, said) = weir(&["serve", "--config", "ssm:/weir/config", "--config-cache", cache.to_str().unwrap()]);
    assert!(code == 66 && said.contains("ParameterNotFound") && said.contains("nothing is kept in"), "{code} {said}");
    assert_eq!(weir(&["check", "ssm:/weir/config"]).0, 66);
    put_parameter(&moto, &text(&origin, 3));
    let (code, said) = weir(&["check", "ssm:/weir/config"]);
    assert!(code == 0 && said.contains("ssm:/weir/config is good"), "{code} {said}");
    put_parameter(&moto, &text(&origin, 3).replace("burst = 3", "burst = 0"));
    let (code, said) = weir(&["check", "ssm:/weir/config"]);
    assert!(code == 78 && said.contains("ssm:/weir/config:") && said.contains("burst"), "{code} {said}");
    for (line, wanted) in [
        (&["serve", "--config", "ssm:foo"][..], "expected ssm:/PATH"),
        (&["check", "appconfig:a/b"], "expected appconfig:APPLICATION/ENVIRONMENT/PROFILE"),
        (&["serve", "--config", "appconfig:a/b/c", "--config-poll", "5s"], "expected 15s or more"),
    ] {
        let (code, said) = weir(line);
        assert!(code == 64 && said.contains(wanted), "{line:?}: {code} {said}");
    }
}
