//! A real origin: a thread a connection, blocking, and as naughty as its script says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One request as the origin saw it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// All values of a field, joined by " | ".
    pub fn header(&self, name: &str) -> String {
        let values: Vec<_> =
            self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str()).collect();
        values.join(" | ")
    }
}

/// A running origin; it ends with the process.
pub struct Origin {
    pub address: SocketAddr,
    requests: Arc<AtomicU64>,
    connections: Arc<AtomicU64>,
}

impl Origin {
    /// An origin that answers `200` and `method target body-length` in text.
    pub fn echo() -> Self {
        Self::answering(|request, socket| {
            let body = format!("{} {} {}", request.method, request.target, request.body.len());
            respond(socket, "200 OK", &[], body.as_bytes());
            true
        })
    }

    /// An origin that deals with each request by `answer`, which says whether the connection goes on.
    pub fn answering(answer: impl Fn(&Request, &mut TcpStream) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, connections): (Arc<AtomicU64>, Arc<AtomicU64>) = Default::default();
        let (count, opened, answer) = (requests.clone(), connections.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                opened.fetch_add(1, Ordering::SeqCst);
                let (count, answer) = (count.clone(), answer.clone());
                std::thread::spawn(move || serve(socket, &count, &*answer));
            }
        });
        Self { address, requests, connections }
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    /// Connections so far.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Writes a whole response with a Content-Length.
pub fn respond(socket: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let _ = socket.write_all(&[head.as_bytes(), body].concat());
}

fn serve(socket: TcpStream, count: &AtomicU64, answer: &dyn Fn(&Request, &mut TcpStream) -> bool) {
    let mut writer = socket.try_clone().unwrap();
    let mut reader = BufReader::new(socket);
    while let Some(request) = read(&mut reader, &mut writer) {
        count.fetch_add(1, Ordering::SeqCst);
        if !answer(&request, &mut writer) {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>, writer: &mut TcpStream) -> Option<Request> {
    let first = line(reader)?;
    let mut words = first.split(' ');
    let mut request = Request { method: words.next()?.into(), target: words.next()?.into(), ..Request::default() };
    loop {
        let text = line(reader)?;
        if text.is_empty() {
            break;
        }
        let (name, value) = text.split_once(':')?;
        request.headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    if request.header("expect") == "100-continue" {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    if request.header("transfer-encoding") == "chunked" {
        loop {
            let size = usize::from_str_radix(line(reader)?.split(';').next()?, 16).ok()?;
            let mut chunk = vec![0; size];
            reader.read_exact(&mut chunk).ok()?;
            request.body.extend(chunk);
            line(reader)?;
            if size == 0 {
                break;
            }
        }
    } else if let Ok(length) = request.header("content-length").parse() {
        request.body = vec![0; length];
        reader.read_exact(&mut request.body).ok()?;
    }
    Some(request)
}

fn line(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    (reader.read_line(&mut text).ok()? > 0).then(|| text.trim_end_matches(['\r', '\n']).to_owned())
}
