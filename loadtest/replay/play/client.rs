//! One kept-alive HTTP/1.1 connection to the proxy.

use super::Target;
use super::outcome::{self, Outcome};
use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::fmt::Write;
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use weir::simulate::log::Line;

/// The most of a refusal's body that is read.
const MAX_PROBLEM: usize = 64 * 1024;
const BODY: &[u8] = b"replay=1";

pub(crate) struct Connection {
    target: Target,
    timeout: Duration,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    pub(crate) fn new(target: Target, timeout: Duration) -> Self {
        Self { target, timeout, sender: None }
    }

    /// Sends `line` as a request of `client`.
    pub(crate) async fn send(&mut self, line: &Line, client: IpAddr) -> Outcome {
        let request = match request(line, client, &self.target.host) {
            Ok(request) => request,
            Err(why) => return Outcome::Unsendable(why),
        };
        let reused = self.sender.as_ref().is_some_and(|sender| !sender.is_closed());
        let mut outcome = self.attempt(&request).await;
        // A kept connection may have been closed for its age just before: only a fresh one tells.
        if reused && outcome == Outcome::Closed {
            outcome = self.attempt(&request).await;
        }
        outcome
    }

    async fn attempt(&mut self, request: &Request<Full<Bytes>>) -> Outcome {
        match timeout(self.timeout, self.exchange(request)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(outcome)) => {
                self.sender = None;
                outcome
            }
            Err(_) => {
                self.sender = None;
                Outcome::Failed("timeout")
            }
        }
    }

    async fn exchange(&mut self, request: &Request<Full<Bytes>>) -> Result<Outcome, Outcome> {
        let mut sender = match self.sender.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => connect(&self.target).await?,
        };
        sender.ready().await.map_err(|e| failure(&e))?;
        let response = sender.send_request(request.clone()).await.map_err(|e| failure(&e))?;
        let outcome = consume(response, request.method() == Method::HEAD).await?;
        self.sender = Some(sender);
        Ok(outcome)
    }
}

async fn connect(target: &Target) -> Result<SendRequest<Full<Bytes>>, Outcome> {
    let stream = TcpStream::connect(target.address).await.map_err(|_| Outcome::Failed("connect"))?;
    // Best effort: without it requests only wait a little longer.
    let _ = stream.set_nodelay(true);
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| failure(&e))?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Reads the answer to its end, so that the connection can be used again.
async fn consume(response: Response<Incoming>, head: bool) -> Result<Outcome, Outcome> {
    let (parts, mut body) = response.into_parts();
    if outcome::may_be_refusal(parts.status, &parts.headers) {
        let body = Limited::new(body, MAX_PROBLEM).collect().await.map_err(|_| Outcome::Failed("body"))?;
        return Ok(outcome::of_problem(parts.status, &parts.headers, &body.to_bytes(), head));
    }
    while let Some(frame) = body.frame().await {
        frame.map_err(|_| Outcome::Failed("body"))?;
    }
    Ok(Outcome::Forwarded { status: parts.status.as_u16() })
}

/// A connection that ends before an answer is the proxy's `close`; all else is a failure.
fn failure(error: &hyper::Error) -> Outcome {
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind);
    let gone = matches!(
        io,
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe)
    );
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() || gone {
        Outcome::Closed
    } else if error.is_parse() {
        Outcome::Failed("bad answer")
    } else {
        Outcome::Failed("connection")
    }
}

fn request(line: &Line, client: IpAddr, host: &str) -> Result<Request<Full<Bytes>>, &'static str> {
    let method = Method::from_bytes(line.method.as_bytes()).map_err(|_| "method")?;
    if method == Method::CONNECT {
        return Err("method");
    }
    let body = match method {
        Method::POST | Method::PUT | Method::PATCH => BODY,
        _ => b"",
    };
    let mut request = Request::builder()
        .uri(target(line))
        .header(header::HOST, host)
        .header("x-forwarded-for", client.to_string())
        .header(header::ACCEPT, "application/json");
    if !line.user_agent.is_empty() {
        let agent: Vec<u8> = line.user_agent.bytes().map(|b| if b.is_ascii_control() { b' ' } else { b }).collect();
        request = request.header(header::USER_AGENT, agent);
    }
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    request.method(method).body(Full::new(Bytes::from_static(body))).map_err(|_| "target")
}

/// The request target: what a URI can't hold is percent-encoded; the query, which the log's reader drops, is a mark.
fn target(line: &Line) -> String {
    let mut target = String::with_capacity(line.path.len() + 8);
    if !line.path.starts_with('/') {
        target.push('/');
    }
    for byte in line.path.bytes() {
        if byte.is_ascii_graphic()
            && !matches!(byte, b'#' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
        {
            target.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(target, "%{byte:02X}");
        }
    }
    if line.has_query {
        target.push_str("?q");
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(method: &str, path: &str, user_agent: &str) -> Line {
        Line {
            t: 0.0,
            client: "-".into(),
            method: method.into(),
            path: path.into(),
            has_query: path.len() == 3,
            status: 0,
            bytes: 0,
            user_agent: user_agent.into(),
            challenge: None,
            took: None,
            label: None,
        }
    }

    #[test]
    fn a_line_becomes_its_own_request() {
        let address = "192.0.2.7".parse().unwrap();
        let sent = request(&line("POST", "/é\u{1}", "a\u{7}b"), address, "h").unwrap();
        assert_eq!(sent.uri(), "/%C3%A9%01");
        assert_eq!(sent.headers()["user-agent"], "a b");
        assert_eq!(sent.headers()["x-forwarded-for"], "192.0.2.7");
        assert_eq!(request(&line("GET", "x/y", ""), address, "h").unwrap().uri(), "/x/y?q");
        assert_eq!(request(&line("G T", "/", ""), address, "h").unwrap_err(), "method");
        assert_eq!(request(&line("CONNECT", "/", ""), address, "h").unwrap_err(), "method");
        assert!(!request(&line("GET", "/", ""), address, "h").unwrap().headers().contains_key("user-agent"));
    }
}
