//! Dashboards and rules as files: fresh, and good for those who read them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::origin::Origin;
use common::{Weir, config, eventually};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use weir::cli::schema::Dashboard;
use weir::sink::cloudwatch::series;
use weir::sink::metrics::names;

fn path(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Where a program is; none, and said why, where it is not installed.
fn program(name: &str) -> Option<String> {
    let folders = std::env::var("PATH").unwrap();
    let found = folders.split(':').map(|folder| format!("{folder}/{name}")).find(|file| std::fs::exists(file).unwrap());
    if found.is_none() {
        let advice = format!("{name} is not installed: run make setup-test, or install Debian's package prometheus");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{advice}");
        eprintln!("skipped: {advice}");
    }
    found
}

/// Words of a text that look like metrics of weir or of its process.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("weir_") || word.starts_with("process_")).collect()
}

#[test]
fn files_are_fresh_and_name_nothing_that_is_not_there() {
    for (which, name) in [
        (Dashboard::Grafana, "deploy/dashboards/grafana.json"),
        (Dashboard::Cloudwatch, "deploy/dashboards/cloudwatch.json"),
        (Dashboard::Rules, "deploy/dashboards/rules.yml"),
    ] {
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(path("deploy/dashboards")).unwrap();
            std::fs::write(path(name), which.text()).unwrap();
        }
        let text = std::fs::read_to_string(path(name)).unwrap_or_default();
        assert!(text == which.text(), "{name} is stale: run UPDATE_DOCS=1 cargo test --test dashboards");
        for word in named(&text) {
            let bare = word.strip_suffix("_bucket").unwrap_or(word);
            assert!(names::find(bare).is_some(), "{name}: there is no metric {word}");
        }
    }
    let body: Value = serde_json::from_str(&Dashboard::Cloudwatch.text()).unwrap();
    for line in body["widgets"].as_array().unwrap().iter().flat_map(|w| w["properties"]["metrics"].as_array().unwrap())
    {
        if let Some(name) = line[1].as_str() {
            assert!(series::find(name).is_some(), "there is no metric {name} in CloudWatch");
        }
    }
}

#[test]
fn the_table_of_cloudwatch_is_fresh() {
    let (file, begin, end) = (path("docs/cloudwatch.md"), "<!-- metrics -->\n", "<!-- end of metrics -->");
    let page = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = page.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let fresh = format!("{before}{begin}{}{end}{after}", series::reference());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &fresh).unwrap();
    } else {
        assert!(page == fresh, "docs/cloudwatch.md is stale: run UPDATE_DOCS=1 cargo test --test dashboards");
    }
}

/// A command's fate with `input` on its standard input.
fn fed(command: &mut Command, input: &str) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
    assert!(out.status.success() && !told.contains("error"), "{told}");
}

/// A weir with something in most of its figures.
fn busy(origin: &Origin) -> Weir {
    let keys = "[lists]\ndeny = [\"198.51.100.0/24\"]\n[[limit]]\nname = \"all\"\nrate = \"1/h\"\nburst = 1\n\
                key = \"route\"\naction = \"observe\"\n";
    let weir = Weir::start(&config(origin.address, keys));
    load(&weir);
    weir
}

fn load(weir: &Weir) {
    for address in ["192.0.2.1", "192.0.2.2", "198.51.100.7"] {
        Client::connect(weir.http).ask(get("/", &format!("X-Forwarded-For: {address}\r\n")));
    }
}

#[test]
fn promtool_finds_no_fault() {
    let Some(promtool) = program("promtool") else { return };
    let origin = Origin::echo();
    let weir = busy(&origin);
    fed(Command::new(&promtool).args(["check", "metrics"]), &weir.ask("/metrics").1);
    fed(Command::new(&promtool).args(["check", "rules", &path("deploy/dashboards/rules.yml")]), "");
}

/// A Prometheus that scrapes one weir; ended when dropped.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    fn of(program: &str, weir: &Weir) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Rules are evaluated at every scrape here.
        let rules = Dashboard::Rules.text().replace("interval: 15s", "interval: 1s");
        std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
        let config = json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": "weir", "static_configs": [{"targets": [weir.admin.to_string()]}]}],
        });
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config.to_string()).unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let data = folder.path().join("data");
        let child = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let prometheus = Self { child, address, _folder: folder };
        eventually("Prometheus answers", || std::net::TcpStream::connect(address).is_ok());
        prometheus
    }

    /// How many series an expression has; the message where it is not understood.
    fn series(&self, expr: &str) -> Result<usize, String> {
        let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
        let call = agent.get(format!("http://{}/api/v1/query", self.address)).query("query", expr);
        let text = call.call().map_err(|e| e.to_string())?.body_mut().read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&text).map_err(|_| text.clone())?;
        answer["data"]["result"].as_array().map(Vec::len).ok_or_else(|| format!("{expr}: {text}"))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What only a weir with AWS, a fleet, a file and so on has something to say of.
const ELSEWHERE: &[&str] = &["weir_waf_", "weir_fleet_", "weir_guardduty_", "weir_cloudwatch_", "weir_config_"];

#[test]
fn every_panel_and_rule_asks_what_prometheus_understands() {
    let Some(program) = program("prometheus") else { return };
    let origin = Origin::echo();
    let weir = busy(&origin);
    let prometheus = Prometheus::of(&program, &weir);
    eventually("weir is scraped twice", || {
        load(&weir);
        prometheus.series("rate(weir_requests_total[1m]) > 0").is_ok_and(|series| series > 1)
    });
    let dashboard: Value =
        serde_json::from_str(&std::fs::read_to_string(path("deploy/dashboards/grafana.json")).unwrap()).unwrap();
    let (mut asked, mut row) = (0, String::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        if panel["type"] == "row" {
            row = panel["title"].as_str().unwrap().to_owned();
        }
        for target in panel["targets"].as_array().unwrap_or(&vec![]) {
            let expr = target["expr"].as_str().unwrap().replace("$__rate_interval", "1m");
            let expr = expr.replace("$job", "weir").replace("$instance", ".*");
            let found = prometheus.series(&expr).unwrap_or_else(|e| panic!("{}: {e}", panel["title"]));
            // Panels that nobody has chosen have to be understood only.
            let silent = row == "All else" || ELSEWHERE.iter().chain(QUIET).any(|name| expr.contains(name));
            assert!(found > 0 || silent, "no data: {expr}");
            asked += 1;
        }
    }
    assert!(asked > 50);
    let rules = std::fs::read_to_string(path("deploy/dashboards/rules.yml")).unwrap();
    for name in rules.lines().filter_map(|line| line.trim().strip_prefix("- record: ")) {
        eventually(name, || prometheus.series(name).unwrap() > 0);
    }
}

/// What has no series before it happens.
const QUIET: &[&str] = &["weir_flood_changes_total", "weir_bans_added_total"];
