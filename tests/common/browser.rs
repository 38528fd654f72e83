//! A real browser under control, by Chromium's DevTools protocol over its pipe.

use super::chromium::found;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// For one answer of the browser, on a busy machine.
const ANSWER: Duration = Duration::from_secs(30);

/// One window with one page. Ends when dropped.
pub struct Browser {
    child: Child,
    out: File,
    messages: Receiver<Value>,
    session: Option<String>,
    next: u64,
    events: VecDeque<Value>,
    _folder: tempfile::TempDir,
}

impl Browser {
    /// A window of this size, if there is a browser.
    pub fn start(width: u32, height: u32) -> Option<Self> {
        let browser = found()?;
        let folder = tempfile::tempdir().unwrap();
        let (to, from) = (folder.path().join("to"), folder.path().join("from"));
        for pipe in [&to, &from] {
            nix::unistd::mkfifo(pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        }
        // It reads commands from descriptor 3 and writes answers to 4.
        let child = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<"$TO" 4>"$FROM""#, browser])
            .args(["--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--disable-dev-shm-usage", "--hide-scrollbars", &format!("--window-size={width},{height}")])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .env("TO", &to)
            .env("FROM", &from)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = File::options().write(true).open(&to).unwrap();
        let answers = BufReader::new(File::open(&from).unwrap());
        let (send, messages) = channel();
        std::thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { return };
                if send.send(message).is_err() {
                    return;
                }
            }
        });
        let (session, events) = (None, VecDeque::new());
        let mut browser = Self { child, out, messages, session, next: 0, events, _folder: folder };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Network", "Accessibility"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser.size(width, height);
        Some(browser)
    }

    /// Changes the window's size.
    pub fn size(&mut self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// One command, and its answer.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut command = json!({"id": self.next, "method": method, "params": params});
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        self.out.write_all(format!("{command}\0").as_bytes()).unwrap();
        let deadline = Instant::now() + ANSWER;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.messages.recv_timeout(left).unwrap_or_else(|e| panic!("{method}: no answer: {e}"));
            if message["id"] == self.next {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push_back(message);
        }
    }

    /// Goes to `url`.
    pub fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url}));
    }

    /// What an expression is there.
    pub fn eval(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true});
        let answer = self.call("Runtime.evaluate", asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Polls until the expression is true there.
    pub fn until(&mut self, what: &str, expression: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        // While a page is just being loaded there may be nothing to ask.
        while self.eval(&format!("(() => {{ try {{ return Boolean({expression}) }} catch {{ return false }} }})()"))
            != true
        {
            if Instant::now() > deadline {
                let text = self.eval("document.body.innerText");
                panic!("not within 20 s: {what}; the page says: {}", text.as_str().unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Presses a key such as `Tab`, `Enter`, `ArrowLeft` or `x`.
    pub fn press(&mut self, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "End" => 35,
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            _ => 0,
        };
        let mut event = json!({"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code});
        match key {
            "Enter" => event["text"] = "\r".into(),
            key if key.len() == 1 => event["text"] = key.into(),
            _ => {}
        }
        self.call("Input.dispatchKeyEvent", event);
        let up = json!({"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", up);
    }

    /// Types a text where the keyboard is.
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// All events of this kind so far.
    pub fn events(&mut self, method: &str) -> Vec<Value> {
        // Whatever was on its way comes before the answer.
        self.eval("0");
        self.events.iter().filter(|event| event["method"] == method).map(|event| event["params"].clone()).collect()
    }

    /// Errors of scripts, of the console and of the content security policy so far.
    pub fn errors(&mut self) -> Vec<String> {
        let thrown = self.events("Runtime.exceptionThrown");
        let told = self.events("Runtime.consoleAPICalled");
        let logged = self.events("Log.entryAdded");
        let told = told.into_iter().filter(|event| event["type"] == "error" || event["type"] == "warning");
        let logged = logged.into_iter().filter(|event| event["entry"]["level"] == "error");
        thrown.into_iter().chain(told).chain(logged).map(|event| event.to_string()).collect()
    }

    /// Writes a picture of what is shown.
    pub fn picture(&mut self, file: &Path) {
        let shot = self.call("Page.captureScreenshot", json!({"format": "png"}));
        let mut decoder =
            Command::new("base64").arg("-d").stdin(Stdio::piped()).stdout(File::create(file).unwrap()).spawn().unwrap();
        decoder.stdin.take().unwrap().write_all(shot["data"].as_str().unwrap().as_bytes()).unwrap();
        assert!(decoder.wait().unwrap().success());
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
