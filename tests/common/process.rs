//! The real binary as a process of its own.

use super::eventually;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running `weir serve`; killed when dropped.
pub struct Process {
    child: Child,
    folder: tempfile::TempDir,
    /// Where plain HTTP is heard.
    pub http: SocketAddr,
    /// Where operators are heard.
    pub admin: SocketAddr,
}

impl Process {
    /// Starts it with `config`, `HTTP` and `ADMIN` standing for free addresses, and waits until it is ready.
    pub fn start(config: &str) -> Self {
        Self::start_by(config, |_| {})
    }

    /// The same with the last word on the command.
    pub fn start_by(config: &str, adapt: impl FnOnce(&mut Command)) -> Self {
        Self::start_with(config, &[], adapt)
    }

    /// The same with files beside the config.
    pub fn start_with(config: &str, files: &[(&str, &[u8])], adapt: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let path = folder.path().join("weir.toml");
        std::fs::write(&path, super::fill(config)).unwrap();
        Self::start_at(path.to_str().unwrap(), folder, adapt)
    }

    /// The same with a config that stands elsewhere; `folder` is the process's own.
    pub fn start_at(config: &str, folder: tempfile::TempDir, adapt: impl FnOnce(&mut Command)) -> Self {
        let open = |name: &str| std::fs::File::create(folder.path().join(name)).unwrap();
        let mut command = command();
        command.arg("serve").arg("--config").arg(config);
        command.stdin(Stdio::null()).stdout(open("stdout")).stderr(open("stderr"));
        adapt(&mut command);
        let child = command.spawn().unwrap();
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut process = Self { child, folder, http: nowhere, admin: nowhere };
        eventually("the banner", || {
            assert!(process.child.try_wait().unwrap().is_none(), "weir ended:\n{}", process.stderr());
            // Lines of the log may follow it.
            process.stderr().split_once("live page").is_some_and(|(_, rest)| rest.contains("\n\n"))
        });
        let said = process.stderr();
        let after = |word: &str| {
            let line = said.lines().find(|l| l.trim_start().starts_with(word)).unwrap();
            line.rsplit("http://").next().unwrap().trim_end_matches('/').parse().unwrap()
        };
        (process.http, process.admin) = (after("listens"), after("live page"));
        process
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn stdout(&self) -> String {
        read(&self.path("stdout"))
    }

    pub fn stderr(&self) -> String {
        read(&self.path("stderr"))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal such as `TERM`.
    pub fn signal(&self, name: &str) {
        super::signal(self.pid(), name);
    }

    /// A path of the admin server: status and body.
    pub fn ask(&self, path: &str) -> (u16, String) {
        super::ask(self.admin, path)
    }

    /// The exit code, once it has ended by itself.
    pub fn wait(&mut self) -> i32 {
        let status = self.ended();
        status.code().unwrap_or_else(|| panic!("killed by signal {:?}", status.signal()))
    }

    fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "weir does not end:\n{}", self.stderr());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.pid())).unwrap();
        text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary, without what the environment says to it.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    for variable in
        ["WEIR_ADMIN", "WEIR_CONFIG", "WEIR_CONFIG_CACHE", "WEIR_CONFIG_POLL", "WEIR_LOG", "WEIR_TOKEN_FILE"]
    {
        command.env_remove(variable);
    }
    command
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}
