//! nfcapd as a collector of a test's own, and nfdump as its reader.

use super::until;
use serde_json::Value;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};

/// A collector that is to be.
pub(crate) struct Prepared {
    folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
}

/// A running collector; killed when dropped.
pub(crate) struct Nfcapd {
    child: Child,
    folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
}

/// What a collector heard.
pub(crate) struct Heard {
    pub(crate) flows: Vec<Value>,
    pub(crate) sequence_failures: u64,
}

impl Nfcapd {
    /// An address where nobody listens yet.
    pub(crate) fn prepare() -> Prepared {
        let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Prepared { folder: tempfile::tempdir().unwrap(), address }
    }

    pub(crate) fn start() -> Self {
        Self::prepare().start()
    }

    /// Ends it, and reads what it wrote.
    pub(crate) fn end(mut self) -> Heard {
        // It would end without a look at what the system still holds for it.
        until("nfcapd has read all", || waiting(self.address) == 0);
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        until("nfcapd ends", || self.child.try_wait().unwrap().is_some());
        let read = |words: &[&str]| {
            let out =
                Command::new("nfdump").env("TZ", "UTC").arg("-R").arg(self.folder.path()).args(words).output().unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            String::from_utf8(out.stdout).unwrap()
        };
        let flows = serde_json::from_str(&read(&["-o", "json", "-N"])).unwrap();
        let failures = read(&["-I"]);
        let failures = failures.lines().find_map(|l| l.strip_prefix("Sequence failures: ")).unwrap();
        Heard { flows, sequence_failures: failures.trim().parse().unwrap() }
    }
}

impl Prepared {
    pub(crate) fn start(self) -> Nfcapd {
        let Self { folder, address } = self;
        let mut command = Command::new("nfcapd");
        command.args(["-b", "127.0.0.1", "-p", &address.port().to_string(), "-t", "3600", "-w"]).arg(folder.path());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until("nfcapd listens", || {
            assert!(child.try_wait().unwrap().is_none(), "nfcapd ended");
            UdpSocket::bind(address).is_err()
        });
        Nfcapd { child, folder, address }
    }
}

impl Drop for Nfcapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes that the system holds for a socket.
fn waiting(address: SocketAddr) -> u64 {
    let table = std::fs::read_to_string("/proc/net/udp").unwrap();
    let port = format!(":{:04X}", address.port());
    let socket = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let queues = socket.into_iter().find(|words| words[1].ends_with(&port)).unwrap()[4].to_owned();
    u64::from_str_radix(queues.split(':').nth(1).unwrap(), 16).unwrap()
}
