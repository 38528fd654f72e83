//! A moto server on a port of its own, ended when dropped.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Python and its modules, on a busy machine.
const START: Duration = Duration::from_secs(90);

/// A running moto server.
pub struct Moto {
    child: Option<Child>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Moto {
    /// None, and said why, where it is not installed.
    pub fn start() -> Option<Self> {
        let Some(program) = find() else {
            let advice = "moto_server is not installed: run make setup-aws";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{advice}");
            eprintln!("skipped: {advice}");
            return None;
        };
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let deadline = Instant::now() + START;
        while TcpStream::connect(address).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "moto_server ended at once");
            assert!(Instant::now() < deadline, "moto_server does not listen within {START:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(Self { child: Some(child), address })
    }

    /// One that somebody else started, and ends.
    pub fn at(address: SocketAddr) -> Self {
        Self { child: None, address }
    }

    /// A call of the JSON protocol, by a hand that is not weir's.
    pub fn call(&self, target: &str, body: &serde_json::Value) -> serde_json::Value {
        let signed =
            "AWS4-HMAC-SHA256 Credential=test/20240101/us-east-1/wafv2/aws4_request, SignedHeaders=host, Signature=0";
        let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
        let request = agent.post(format!("http://{}/", self.address)).header("Authorization", signed);
        let request = request.header("Content-Type", "application/x-amz-json-1.1").header("X-Amz-Target", target);
        let mut answer = request.send(body.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(answer.status().is_success(), "{target}: {} {text}", answer.status());
        serde_json::from_str(&text).unwrap_or_default()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/bin"));
    std::env::split_paths(&path).chain([own]).map(|folder| folder.join("moto_server")).find(|file| file.is_file())
}
