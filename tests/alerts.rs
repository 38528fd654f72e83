//! Alerts on a running weir: what fires is told to a webhook over TLS and to SNS, once a fleet, and cleared.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::origin::{Origin, respond};
use common::process::{self, Process};
use common::tls::{Pair, pair_for};
use common::{Weir, config, eventually};
use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, verify};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// An all-clear takes ten seconds at least.
const LONG: Duration = Duration::from_secs(40);

/// A post as it came.
#[derive(Clone)]
struct Post {
    head: String,
    body: Value,
    signed: bool,
}

/// A server of webhooks over TLS. It answers 503 to the first post of each connection's message, if told so, else 204.
struct Hook {
    address: SocketAddr,
    posts: Arc<Mutex<Vec<Post>>>,
}

impl Hook {
    fn start(pair: &Pair, secret: &[u8], moody: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, posts) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<Post>>>::default());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![pair.der.clone()], key).unwrap();
        let (config, heard) = (Arc::new(config), posts.clone());
        let key = Key::new(HMAC_SHA256, digest(&SHA256, secret).as_ref());
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (config, heard, key) = (config.clone(), heard.clone(), key.clone());
                std::thread::spawn(move || {
                    let tls = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
                    let mut reader = BufReader::new(tls);
                    while let Some(post) = read(&mut reader, &key) {
                        let mut heard = heard.lock().unwrap();
                        heard.push(post);
                        let status = if moody && heard.len() == 1 { "503 Busy" } else { "204 No Content" };
                        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                        reader.get_mut().write_all(answer.as_bytes()).unwrap();
                    }
                });
            }
        });
        Self { address, posts }
    }

    fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }

    /// What was told, without what was told again.
    fn kinds(&self) -> Vec<String> {
        let mut seen: Vec<(String, String)> = Vec::new();
        for post in self.posts() {
            let of = |key: &str| post.body[key].as_str().unwrap().to_owned();
            if !seen.iter().any(|(id, _)| *id == of("id")) {
                seen.push((of("id"), of("kind")));
            }
        }
        seen.into_iter().map(|(_, kind)| kind).collect()
    }
}

fn read(reader: &mut impl BufRead, key: &Key) -> Option<Post> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let field =
        |name: &str| head.lines().find_map(|l| l.to_lowercase().strip_prefix(name).map(|v| v.trim().to_owned()));
    let mut body = vec![0; field("content-length:")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let signed = field("weir-signature:").is_some_and(|value| {
        let (time, tag) = value.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let tag: Vec<u8> =
            (0..tag.len() / 2).map(|i| u8::from_str_radix(&tag[2 * i..2 * i + 2], 16).unwrap()).collect();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let signed = [format!("{time}.").as_bytes(), &body].concat();
        now.abs_diff(time.parse().unwrap()) < 60 && verify(key, &signed, &tag).is_ok()
    });
    Some(Post { body: serde_json::from_slice(&body).unwrap(), head, signed })
}

fn long(what: &str, mut check: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !check() {
        assert!(Instant::now() < deadline, "not within {LONG:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

/// Keys for a webhook; `pem` and `secret` are to be beside the config.
fn hook_keys(hook: &Hook) -> String {
    format!(
        "[alerts]\ndefaults = false\nwebhook = \"https://{}/path-as-good-as-a-password\"\n\
         webhook_ca_file = \"hook.pem\"\nwebhook_secret_file = \"hook.key\"\n",
        hook.address
    )
}

#[test]
fn errors_of_the_origin_fire_are_told_with_evidence_and_clear() {
    let failing = Arc::new(AtomicBool::new(true));
    let broken = failing.clone();
    let origin = Origin::answering(move |_, socket| {
        // Relaxed: a lone flag.
        let status = if broken.load(Ordering::Relaxed) { "500 Oh No" } else { "200 OK" };
        respond(socket, status, &[], b"x");
        true
    });
    let pair = pair_for("127.0.0.1");
    let hook = Hook::start(&pair, SECRET, true);
    let rule = "[[alert]]\nname = \"server-errors\"\nsignal = \"server_error_share\"\nabove = \"50%\"\nfor = \"2s\"\n";
    let files: [(&str, &[u8]); 2] =
        [("hook.pem", pair.certificate.as_bytes()), ("hook.key", b"0123456789abcdef0123456789abcdef\n")];
    let keys = config(origin.address, &format!("{}{rule}", hook_keys(&hook)));
    let keys = keys.replace("access = \"off\"", "access = \"stdout\"\nforwarded_sample = \"0%\"");
    let weir = Process::start_with(&keys, &files, |_| {});
    let status = || serde_json::from_str::<Value>(&weir.ask("/api/status").1).unwrap();
    let state = || status()["alerts"][0]["state"].as_str().unwrap_or_default().to_owned();
    let ask = |times: u32| {
        let mut client = Client::connect(weir.http);
        (0..times).for_each(|_| _ = client.ask(get("/", "")));
    };
    ask(90);
    eventually("too few are fine", || status()["alerts"][0]["text"].as_str().is_some_and(|t| t.starts_with("too few")));
    ask(110);
    long("it fires", || hook.posts().len() >= 2);
    let posts = hook.posts();
    assert!(posts.iter().all(|p| p.signed && p.head.starts_with("POST /path-as-good-as-a-password HTTP/1.1\r\n")));
    // The first was not taken and came again.
    let (first, again) = (&posts[0].body, &posts[1].body);
    assert_eq!((first, hook.kinds()), (again, vec!["firing".to_owned()]));
    assert_eq!(
        (&first["alert"], &first["unit"], &first["side"]),
        (&"server-errors".into(), &"share".into(), &"above".into())
    );
    assert!(first["value"].as_f64().unwrap() > 0.9 && first["lasted_s"].as_f64().unwrap() >= 2.0, "{first}");
    assert_eq!((&first["evidence"]["state"], &first["evidence"]["origin"][1]), (&"normal".into(), &1.into()));
    assert!(first["text"].as_str().unwrap().contains("What to do: http"), "{first}");
    eventually("it shows", || state() == "firing");
    assert!(weir.ask("/metrics").1.contains("weir_alert_firing{alert=\"server-errors\"} 1"));
    // Relaxed: a lone flag.
    failing.store(false, Ordering::Relaxed);
    ask(400);
    long("it clears", || hook.kinds() == ["firing", "cleared"]);
    eventually("it shows no more", || state() == "ok");
    eventually("both were told", || {
        weir.ask("/metrics").1.contains("weir_alerts_told_total{to=\"webhook\",outcome=\"told\"} 2")
    });
    eventually("the log has both", || {
        let lines: Vec<Value> = weir.stdout().lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
        let of = lines.iter().filter(|l| l["of"] == "alert" && l["name"] == "server-errors");
        of.map(|l| l["to"].as_str().unwrap().to_owned()).collect::<Vec<_>>() == ["firing", "ok"]
    });
    let said = weir.stderr() + &weir.stdout() + &status().to_string();
    assert!(!said.contains("path-as-good") && said.contains("alert: server_error_share is"), "{said}");
}

#[test]
fn faults_of_rules_are_told_by_check_and_refuse_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weir.toml");
    let bad = "[[alert]]\nname = \"a\"\nsignal = \"sever_error_share\"\nabove = \"1%\"\n\
               [[alert]]\nname = \"b\"\nsignal = \"server_error_share\"\nabove = 2\n";
    std::fs::write(&file, format!("[origin]\naddresses = [\"demo\"]\n{bad}")).unwrap();
    let told = process::command().arg("check").arg(&file).output().unwrap();
    let err = String::from_utf8(told.stderr).unwrap();
    assert_eq!(told.status.code(), Some(78), "{err}");
    for part in [
        "alert[0].signal: \"sever_error_share\"",
        "did you mean \"server_error_share\"?",
        "alert[1].above: 2 has",
        "2 faults",
    ] {
        assert!(err.contains(part), "{part:?} is not in:\n{err}");
    }
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, ""));
    weir.rewrite(&config(origin.address, bad));
    assert!(weir.reload().unwrap_err().contains("alert[0].signal"));
    // That is an alert itself, of those built in.
    eventually("it fires", || {
        let status = weir.status();
        let alerts = status["alerts"].as_array().unwrap();
        alerts.iter().any(|a| a["name"] == "reload-refused" && a["state"] == "firing")
    });
    let listed = |args: &[&str]| {
        let out = process::command().args(["schema", "--alarms"]).args(args).output().unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap())
    };
    let shipped =
        |name: &str| std::fs::read_to_string(format!("{}/deploy/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    assert_eq!(listed(&[]), (Some(0), shipped("alarms.json")));
    let own =
        "[cloudwatch]\nenvironment = \"staging\"\n[[alert]]\nname = \"attack\"\nsignal = \"flood_state\"\nabove = 2\n";
    std::fs::write(&file, format!("[origin]\naddresses = [\"demo\"]\n{own}")).unwrap();
    let (code, text) = listed(&["--config", file.to_str().unwrap()]);
    let list: Value = serde_json::from_str(&text).unwrap();
    let attack = list["alarms"].as_array().unwrap().iter().find(|a| a["rule"] == "attack").unwrap();
    assert_eq!((code, &attack["name"], &attack["threshold"]), (Some(0), &"weir-staging-attack".into(), &2.0.into()));
    let out = process::command().args(["schema", "--alarms=prometheus"]).output().unwrap();
    assert_eq!(String::from_utf8(out.stdout).unwrap(), shipped("alerts.yml"));
}

#[test]
fn of_a_fleet_one_tells() {
    let Some(store) = common::redis::Store::start() else { return };
    let (origin, pair) = (Origin::echo(), pair_for("127.0.0.1"));
    let hook = Hook::start(&pair, SECRET, false);
    let rules = "[[alert]]\nname = \"here\"\nsignal = \"weir_ready\"\nabove = 0\nfor = \"3s\"\n";
    let fleet = format!("[fleet]\nenabled = true\nurl = \"{}\"\n", store.url());
    let keys = config(origin.address, &format!("{}{fleet}{rules}", hook_keys(&hook)));
    let files: [(&str, &[u8]); 2] = [("hook.pem", pair.certificate.as_bytes()), ("hook.key", SECRET)];
    let tasks: Vec<_> = (0..2).map(|_| Weir::start_with(&keys, &files)).collect();
    long("it fires on both", || tasks.iter().all(|task| task.status()["alerts"][0]["state"] == "firing"));
    long("it is told", || !hook.posts().is_empty());
    // The other's turn would have come within the same second.
    let told = |task: &Weir| task.status()["alerts_told"][0]["told"].as_u64().unwrap();
    eventually("it is counted", || tasks.iter().map(told).sum::<u64>() == 1);
    assert_eq!((hook.kinds(), hook.posts().len()), (vec!["firing".to_owned()], 1));
}
