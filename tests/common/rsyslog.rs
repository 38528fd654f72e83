//! A real rsyslogd that hears by UDP, TCP and TLS, and writes down every part of what it understood.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::tls::{Pair, pair_for};
use serde_json::Value;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A running rsyslogd; killed when dropped.
pub struct Rsyslog {
    child: Child,
    folder: tempfile::TempDir,
    pair: Pair,
    ports: [u16; 3],
}

/// One message as rsyslog understood it.
const RECORD: &str = r#"template(name="record" type="list" option.jsonf="on") {
    property(outname="by" name="inputname" format="jsonf")
    property(outname="pri" name="pri" format="jsonf")
    property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="host" name="hostname" format="jsonf")
    property(outname="app" name="app-name" format="jsonf")
    property(outname="process" name="procid" format="jsonf")
    property(outname="id" name="msgid" format="jsonf")
    property(outname="data" name="structured-data" format="jsonf")
    property(outname="text" name="msg" format="jsonf")
    property(outname="protocol" name="protocol-version" format="jsonf")
}"#;

impl Rsyslog {
    /// Starts one; none, with a word about it, where this machine has none. Under CI that is a failure.
    pub fn start() -> Option<Self> {
        let has = ["lmnsd_gtls.so", "imtcp.so"].iter().all(|module| {
            ["/usr/lib/x86_64-linux-gnu/rsyslog", "/usr/lib/aarch64-linux-gnu/rsyslog", "/usr/lib/rsyslog"]
                .iter()
                .any(|folder| PathBuf::from(folder).join(module).exists())
        });
        let program = ["/usr/sbin/rsyslogd", "/sbin/rsyslogd"].iter().find(|p| PathBuf::from(p).exists());
        let Some(program) = program.filter(|_| has) else {
            let advice = "rsyslog is missing: run  apt-get install rsyslog rsyslog-gnutls";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{advice}");
            eprintln!("skipped: {advice}");
            return None;
        };
        let (folder, pair) = (tempfile::tempdir().unwrap(), pair_for("127.0.0.1"));
        let tcp = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let ports = [udp, tcp(), tcp()];
        let at = |name: &str| folder.path().join(name).display().to_string();
        for (name, content) in [("cert.pem", &pair.certificate), ("key.pem", &pair.key)] {
            std::fs::write(at(name), content).unwrap();
        }
        let tls = r#"streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon""#;
        let text = format!(
            "global(workDirectory=\"{}\" maxMessageSize=\"16k\" parser.escapeControlCharactersOnReceive=\"on\" \
             defaultNetstreamDriverCAFile=\"{cert}\" defaultNetstreamDriverCertFile=\"{cert}\" \
             defaultNetstreamDriverKeyFile=\"{}\")\nmodule(load=\"imudp\")\nmodule(load=\"imtcp\")\n{RECORD}\n\
             input(type=\"imudp\" address=\"127.0.0.1\" port=\"{}\" name=\"udp\" ruleset=\"all\")\n\
             input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{}\" name=\"tcp\" ruleset=\"all\")\n\
             input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{}\" name=\"tls\" ruleset=\"all\" {tls})\n\
             ruleset(name=\"all\") {{ action(type=\"omfile\" file=\"{}\" template=\"record\") }}\n",
            folder.path().display(),
            at("key.pem"),
            ports[0],
            ports[1],
            ports[2],
            at("out"),
            cert = at("cert.pem"),
        );
        std::fs::write(at("conf"), text).unwrap();
        let said = std::fs::File::create(at("said")).unwrap();
        let mut command = Command::new(program);
        command.args(["-n", "-f", &at("conf"), "-i", &at("pid")]);
        command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
        let mut rsyslog = Self { child: command.spawn().unwrap(), folder, pair, ports };
        super::eventually("rsyslog listens", || {
            assert!(rsyslog.child.try_wait().unwrap().is_none(), "{}", rsyslog.said());
            rsyslog.ports[1..].iter().all(|port| std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok())
        });
        Some(rsyslog)
    }

    /// What it says of itself.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("said")).unwrap_or_default()
    }

    /// Where it hears `by`: `udp`, `tcp` or `tls`.
    pub fn url(&self, by: &str) -> String {
        let at = ["udp", "tcp", "tls"].iter().position(|name| *name == by).unwrap();
        format!("{by}://127.0.0.1:{}", self.ports[at])
    }

    /// The certificate that it shows, in PEM.
    pub fn certificate(&self) -> &str {
        &self.pair.certificate
    }

    /// What it wrote down that came `by` this way.
    pub fn records(&self, by: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("out")).unwrap_or_default();
        let read = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(read).filter(|record| record["by"] == by).collect()
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
