//! Servers that answer as AWS does, each on a free port of its own, ended when dropped.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// For an emulator to start: Python and hundreds of modules, on a busy machine.
const START: Duration = Duration::from_secs(90);

/// A running emulator.
pub struct Emulator {
    /// None of one that somebody else started, and ends.
    child: Option<Child>,
    kind: &'static str,
    folder: tempfile::TempDir,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Emulator {
    /// moto: WAF, SQS, SSM, S3. None, and said why, where it is not installed.
    pub fn moto() -> Option<Self> {
        Self::start("moto_server", free())
    }

    /// ministack: AppConfig.
    pub fn ministack() -> Option<Self> {
        Self::start("ministack", free())
    }

    /// One that somebody else started, and ends.
    pub fn at(address: SocketAddr) -> Self {
        Self { child: None, kind: "", folder: tempfile::tempdir().unwrap(), address }
    }

    fn start(kind: &'static str, address: SocketAddr) -> Option<Self> {
        let Some(program) = find(kind) else {
            let advice = format!("{kind} is not installed: run make setup-aws");
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{advice}");
            eprintln!("skipped: {advice}");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let port = address.port().to_string();
        let mut command = Command::new(program);
        if kind == "moto_server" {
            command.args(["-H", "127.0.0.1", "-p", &port]);
        }
        command.env("GATEWAY_PORT", &port).env("MINISTACK_HOST", "127.0.0.1").env("HOME", folder.path());
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let deadline = Instant::now() + START;
        while TcpStream::connect(address).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "{kind} ended at once");
            assert!(Instant::now() < deadline, "{kind} does not listen within {START:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(Self { child: Some(child), kind, folder, address })
    }

    /// Ends it as an outage does, and gives what brings it back, empty, at the same address.
    pub fn kill(self) -> impl FnOnce() -> Self {
        let (kind, address) = (self.kind, self.address);
        drop(self);
        move || Self::start(kind, address).expect("it was there before")
    }

    /// What a process has to know to speak to this and not to AWS.
    pub fn tell(&self, command: &mut Command) {
        tell(self.address, command);
    }

    /// A call of the JSON protocol, such as `AmazonSSM.PutParameter`; the answer's body.
    pub fn call(&self, service: &str, target: &str, body: &serde_json::Value) -> serde_json::Value {
        let text = self.send(service, "POST", "/", &[("X-Amz-Target", target)], body.to_string().as_bytes());
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// A plain request; the answer's body.
    pub fn send(&self, service: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let signed = format!(
            "AWS4-HMAC-SHA256 Credential=test/20240101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let mut request = http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        request = request.header("Authorization", signed);
        if headers.iter().all(|(name, _)| *name != "Content-Type") {
            request = request.header("Content-Type", "application/x-amz-json-1.1");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
        let mut answer = agent.run(request.body(body.to_vec()).unwrap()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(answer.status().is_success(), "{method} {path} {headers:?}: {} {text}", answer.status());
        text
    }
}

/// What a process has to know to speak to `address` and not to AWS.
pub fn tell(address: SocketAddr, command: &mut Command) {
    command.env("AWS_ENDPOINT_URL", format!("http://{address}"));
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").env("AWS_REGION", "us-east-1");
    command.env("AWS_EC2_METADATA_DISABLED", "true").env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/bin"));
    std::env::split_paths(&path).chain([own]).map(|folder| folder.join(program)).find(|file| file.is_file())
}
