//! A real store for a test: a redis-server of its own, that can be killed, frozen and brought back.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running store; killed when dropped.
pub struct Store {
    child: Child,
    folder: tempfile::TempDir,
    more: Vec<String>,
    port: u16,
}

impl Store {
    /// Starts one; none, with a word about it, where this machine has no redis-server. Under CI that is a failure.
    pub fn start() -> Option<Self> {
        Self::start_with(&[], &[])
    }

    /// The same with more words on its command line; `PORT` and `DIR` stand for its port and its folder, where `files`
    /// lie.
    pub fn start_with(more: &[&str], files: &[(&str, &str)]) -> Option<Self> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!ci, "redis-server is missing: run  apt-get install redis-server");
            eprintln!("skipped: there is no redis-server here; install it with  apt-get install redis-server");
            return None;
        }
        let more: Vec<String> = more.iter().map(|word| (*word).to_owned()).collect();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let folder = tempfile::tempdir().unwrap();
            for (name, content) in files {
                std::fs::write(folder.path().join(name), content).unwrap();
            }
            // Free a moment ago: where another takes it first, the next try finds another.
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let child = spawn(port, folder.path(), &more);
            let mut store = Self { child, folder, more: more.clone(), port };
            if store.is_ready() {
                return Some(store);
            }
            assert!(Instant::now() < deadline, "redis-server does not start");
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens, as `fleet.url` has it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Asks it something.
    pub fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_ask(words).unwrap()
    }

    /// Asks it something that it may refuse.
    pub fn try_ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let mut connection = redis::Client::open(self.url())?.get_connection_with_timeout(Duration::from_secs(5))?;
        redis::cmd(words[0]).arg(&words[1..]).query(&mut connection)
    }

    /// Kills it; what it knew is lost.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, empty, where it was.
    pub fn restart(&mut self) {
        self.child = spawn(self.port, self.folder.path(), &self.more);
        assert!(self.is_ready(), "redis-server does not come back on port {}", self.port);
    }

    /// Freezes it, or lets it go on.
    pub fn freeze(&self, freeze: bool) {
        super::signal(self.child.id(), if freeze { "STOP" } else { "CONT" });
    }

    fn is_ready(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline && self.child.try_wait().unwrap().is_none() {
            let answers = std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok();
            if answers {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(port: u16, folder: &std::path::Path, more: &[String]) -> Child {
    let fill = |word: &String| word.replace("PORT", &port.to_string()).replace("DIR", &folder.display().to_string());
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"]);
    command.arg("--port").arg(port.to_string()).arg("--dir").arg(folder).args(more.iter().map(fill));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}
