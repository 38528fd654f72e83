//! File descriptors used up: weir goes on, says so, and answers again once there are some.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::eventually;
use common::origin::Origin;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// The real program under a limit of descriptors.
struct Program {
    child: Child,
    folder: tempfile::TempDir,
    http: SocketAddr,
}

impl Program {
    fn start(origin: &Origin, descriptors: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (http, admin) = (free(), free());
        let config = common::config(origin.address, "");
        let config = config.replace("HTTP", &http.to_string()).replace("ADMIN", &admin.to_string());
        std::fs::write(folder.path().join("weir.toml"), config).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let command = format!("ulimit -n {descriptors} && exec \"$0\" serve --config weir.toml");
        let child = Command::new("sh")
            .args(["-c", &command, env!("CARGO_BIN_EXE_weir")])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let program = Self { child, folder, http };
        eventually("weir listens", || TcpStream::connect(http).is_ok());
        program
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    fn open_descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Leaves the running program so many descriptors.
    fn limit(&self, descriptors: usize) {
        let (id, limit) = (self.child.id().to_string(), format!("--nofile={descriptors}"));
        let done = Command::new("prlimit").args(["--pid", &id, &limit]).status().unwrap();
        assert!(done.success());
    }

    /// Whether a request is answered by the origin.
    fn answers(&self) -> bool {
        let mut client = Client::connect(self.http);
        let sent = client.flood(1, |_| get("/", "")) == 1;
        sent && client.try_read(false).is_some_and(|r| r.status == 200)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn connections_beyond_the_descriptors_are_turned_away_and_the_rest_is_served() {
    let origin = Origin::echo();
    let mut weir = Program::start(&origin, 80);
    eventually("served", || weir.answers());
    let mut first = Client::connect(weir.http);
    assert_eq!(first.ask(get("/", "")).status, 200);
    let crowd: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(weir.http).unwrap()).collect();
    eventually("said", || weir.log().contains("too many connections"));
    assert_eq!(first.ask(get("/", "")).status, 200, "who is in is served");
    assert!(weir.child.try_wait().unwrap().is_none());
    drop(crowd);
    eventually("served again", || weir.answers());
    assert!(weir.log().lines().filter(|l| l.contains("too many connections")).count() < 5, "{}", weir.log());
}

#[test]
fn no_descriptor_at_all_is_waited_out() {
    let origin = Origin::echo();
    let mut weir = Program::start(&origin, 1000);
    eventually("served", || weir.answers());
    // Fewer than the connections that weir believes it may hold. Set while it runs: it has what it needs to start.
    weir.limit(weir.open_descriptors() + 8);
    let crowd: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(weir.http).unwrap()).collect();
    eventually("said", || weir.log().contains("cannot accept a connection"));
    assert!(weir.child.try_wait().unwrap().is_none());
    drop(crowd);
    eventually("served again", || weir.answers());
    assert!(weir.log().lines().filter(|l| l.contains("cannot accept")).count() < 5, "{}", weir.log());
}
