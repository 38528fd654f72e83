//! A browser as far as the challenge goes: an agent's name, redirects, and cookies, or none.

use crate::common::client::{Client, Response, get};
use std::net::SocketAddr;

/// What it calls itself.
pub(crate) const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// The most redirects that it follows, as browsers do.
const PATIENCE: usize = 20;

pub(crate) struct Browser {
    server: SocketAddr,
    client: String,
    accept: &'static str,
    more: &'static str,
    keeps_cookies: bool,
    /// `name=value`.
    pub(crate) cookies: Vec<String>,
}

impl Browser {
    /// A browser at this address, as the load balancer tells it.
    pub(crate) fn new(server: SocketAddr, client: &str) -> Self {
        Self { server, client: client.into(), accept: "text/html", more: "", keeps_cookies: true, cookies: vec![] }
    }

    pub(crate) fn forgetful(self) -> Self {
        Self { keeps_cookies: false, ..self }
    }

    pub(crate) fn accepting(self, accept: &'static str) -> Self {
        Self { accept, ..self }
    }

    /// With these lines in each request.
    pub(crate) fn with(self, more: &'static str) -> Self {
        Self { more, ..self }
    }

    pub(crate) fn get(&mut self, target: &str) -> Response {
        let request = get(target, &self.lines());
        self.ask(&request)
    }

    pub(crate) fn post(&mut self, target: &str) -> Response {
        let lines = self.lines();
        self.ask(format!("POST {target} HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n{lines}\r\n").as_bytes())
    }

    /// Follows redirects to their end; what was asked for on the way.
    pub(crate) fn follow(&mut self, target: &str) -> (Response, Vec<String>) {
        let mut way = vec![target.to_owned()];
        loop {
            let answer = self.get(&way[way.len() - 1]);
            if answer.status != 307 {
                return (answer, way);
            }
            way.push(answer.header("location").to_owned());
            assert!(way.len() <= PATIENCE, "redirected too many times: {way:?}");
        }
    }

    fn lines(&self) -> String {
        let Self { client, accept, more, .. } = self;
        let cookies =
            if self.cookies.is_empty() { String::new() } else { format!("Cookie: {}\r\n", self.cookies.join("; ")) };
        format!("X-Forwarded-For: {client}\r\nUser-Agent: {AGENT}\r\nAccept: {accept}\r\n{more}{cookies}")
    }

    fn ask(&mut self, request: &[u8]) -> Response {
        let answer = Client::connect(self.server).ask(request);
        let set = answer.header("set-cookie");
        if self.keeps_cookies && !set.is_empty() {
            let cookie = set.split(';').next().unwrap();
            let name = cookie.split('=').next().unwrap();
            self.cookies.retain(|c| c.split('=').next() != Some(name));
            self.cookies.push(cookie.to_owned());
        }
        answer
    }
}
