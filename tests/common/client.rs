//! A client that sends exactly these bytes and sees exactly what comes back.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// One connection.
pub struct Client {
    pub socket: TcpStream,
    buffer: Vec<u8>,
}

/// One response.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    /// A field's value, empty if absent.
    pub fn header(&self, name: &str) -> &str {
        let line = self
            .head
            .lines()
            .skip(1)
            .find(|l| l.split_once(':').is_some_and(|(n, _)| n.trim().eq_ignore_ascii_case(name)));
        line.and_then(|l| l.split_once(':')).map_or("", |(_, v)| v.trim())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A GET with these extra header lines (each with its CRLF).
pub fn get(path: &str, more: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: test\r\n{more}\r\n").into_bytes()
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        Self::over(socket)
    }

    pub fn over(socket: TcpStream) -> Self {
        socket.set_nodelay(true).unwrap();
        Self { socket, buffer: Vec::new() }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends and reads one response.
    pub fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Response {
        self.send(bytes);
        self.read()
    }

    /// Sends and reads one response; nothing where the connection ends first.
    pub fn try_ask(&mut self, bytes: impl AsRef<[u8]>) -> Option<Response> {
        self.socket.write_all(bytes.as_ref()).ok()?;
        self.try_read(false)
    }

    /// The next response; panics if the connection ends first.
    pub fn read(&mut self) -> Response {
        self.try_read(false).expect("the connection ended before a whole response")
    }

    /// The next response to a HEAD request.
    pub fn read_head_only(&mut self) -> Response {
        self.try_read(true).expect("the connection ended before a whole response")
    }

    /// The next response, or nothing where the connection ends.
    pub fn try_read(&mut self, head_only: bool) -> Option<Response> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            self.more()?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end);
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut response = Response { status, head, body: Vec::new() };
        if head_only || status == 204 || status == 304 || status < 200 {
            return Some(response);
        }
        response.body = if response.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
            self.chunked()?
        } else if let Ok(length) = response.header("content-length").parse() {
            self.exactly(length)?
        } else {
            while self.more().is_some() {}
            std::mem::take(&mut self.buffer)
        };
        Some(response)
    }

    /// Whether the other side has closed (cleanly or not) within the read timeout, nothing more having come.
    pub fn is_closed(&mut self) -> bool {
        self.buffer.is_empty() && self.more().is_none()
    }

    /// Waits for bytes; nothing at the end of the connection.
    fn more(&mut self) -> Option<()> {
        let mut chunk = [0; 16 * 1024];
        match self.socket.read(&mut chunk) {
            Ok(0) => None,
            Ok(n) => {
                self.buffer.extend_from_slice(&chunk[..n]);
                Some(())
            }
            Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => None,
            Err(e) => panic!("reading: {e}; so far {:?}", String::from_utf8_lossy(&self.buffer)),
        }
    }

    pub fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < length {
            self.more()?;
        }
        Some(self.buffer.drain(..length).collect())
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|w| w == b"\r\n") {
                let line = String::from_utf8_lossy(&self.buffer[..at]).into_owned();
                self.buffer.drain(..at + 2);
                return Some(line);
            }
            self.more()?;
        }
    }

    fn chunked(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(self.line()?.split(';').next().unwrap(), 16).unwrap();
            body.extend(self.exactly(size)?);
            self.line()?;
            if size == 0 {
                return Some(body);
            }
        }
    }
}
