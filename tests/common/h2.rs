//! HTTP/2 as a polite client speaks it, and as a rude one does: frame by frame.

use super::client::Client;
use super::eventually;
use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use http::{HeaderMap, Request};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// One connection of a polite client.
pub struct H2 {
    runtime: Runtime,
    send: SendRequest<Bytes>,
    connection: Option<JoinHandle<Result<(), h2::Error>>>,
}

/// One response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: Option<HeaderMap>,
}

impl Answer {
    /// A field's value, empty if absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A trailer's value, empty if absent.
    pub fn trailer(&self, name: &str) -> &str {
        self.trailers.as_ref().and_then(|t| t.get(name)).map_or("", |v| v.to_str().unwrap())
    }
}

/// A request; `headers` by name and value.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::builder().method(method).uri(format!("http://test{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

/// A GET on behalf of `client`.
pub fn get(path: &str, client: &str) -> Request<()> {
    request("GET", path, &[("x-forwarded-for", client)])
}

impl H2 {
    pub fn connect(address: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (send, connection) = runtime.block_on(async {
            let socket = tokio::net::TcpStream::connect(address).await.unwrap();
            let window = 16 << 20;
            let mut builder = h2::client::Builder::new();
            builder.initial_connection_window_size(window).initial_window_size(window).handshake(socket).await.unwrap()
        });
        let connection = Some(runtime.spawn(connection));
        Self { runtime, send, connection }
    }

    /// Sends a request whose body is `body` and waits for the whole answer.
    pub fn ask(&mut self, request: Request<()>, body: &[u8]) -> Result<Answer, h2::Error> {
        let (answer, mut stream) = self.open(request, body.is_empty());
        if !body.is_empty() {
            stream.send_data(Bytes::copy_from_slice(body), true)?;
        }
        self.answer(answer)
    }

    /// Begins a request.
    pub fn open(&mut self, request: Request<()>, end: bool) -> (ResponseFuture, h2::SendStream<Bytes>) {
        let mut send = self.runtime.block_on(self.send.clone().ready()).unwrap();
        send.send_request(request, end).unwrap()
    }

    /// Waits for a whole answer.
    pub fn answer(&self, answer: ResponseFuture) -> Result<Answer, h2::Error> {
        self.runtime
            .block_on(async { tokio::time::timeout(PATIENCE, collect(answer)).await.expect("no answer to a stream") })
    }

    /// Runs on the client's runtime.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await.expect("it took too long") })
    }

    /// Waits until the connection is over.
    pub fn ended(&mut self) -> Result<(), h2::Error> {
        let connection = self.connection.take().unwrap();
        self.run(connection).unwrap()
    }
}

async fn collect(answer: ResponseFuture) -> Result<Answer, h2::Error> {
    let (head, mut stream) = answer.await?.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    let trailers = stream.trailers().await?;
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body, trailers })
}

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// How a connection begins, with empty settings.
pub const BEGIN: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// One frame as it came.
#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// A frame's bytes.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A header list in HPACK, each field a literal that is not indexed: any bytes at all can be sent.
pub fn fields(list: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in list {
        block.push(0);
        for text in [name, value] {
            string(&mut block, text);
        }
    }
    block
}

fn string(block: &mut Vec<u8>, text: &[u8]) {
    if text.len() < 127 {
        block.push(text.len() as u8);
    } else {
        block.push(127);
        let mut rest = text.len() - 127;
        while rest >= 128 {
            block.push((rest % 128 + 128) as u8);
            rest /= 128;
        }
        block.push(rest as u8);
    }
    block.extend_from_slice(text);
}

/// The header block of an ordinary GET, with `more` behind.
pub fn get_block(path: &[u8], more: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut list: Vec<(&[u8], &[u8])> =
        vec![(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"test"), (b":path", path)];
    list.extend_from_slice(more);
    fields(&list)
}

impl Client {
    /// A connection that has sent the preface and empty settings.
    pub fn connect_h2(address: SocketAddr) -> Self {
        let mut client = Self::connect(address);
        client.send(BEGIN);
        client
    }

    /// The next frame, or nothing where the connection ends.
    pub fn frame(&mut self) -> Option<Frame> {
        let head = self.exactly(9)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Some(Frame { kind: head[3], flags: head[4], stream, payload: self.exactly(length)? })
    }

    /// Reads until a frame of this kind; panics if the connection ends first.
    pub fn wait_for(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.frame().unwrap_or_else(|| panic!("the connection ended before a frame of kind {kind}"));
            if frame.kind == kind {
                return frame;
            }
        }
    }

    /// Reads to the end of the connection; whether a GOAWAY came, and with which code.
    pub fn end(&mut self) -> Option<u32> {
        let mut code = None;
        while let Some(frame) = self.frame() {
            if frame.kind == GOAWAY {
                code = Some(u32::from_be_bytes(frame.payload[4..8].try_into().unwrap()));
            }
        }
        code
    }

    /// Sends for as long as the other side takes it, `make` giving the next bytes; how often that was.
    pub fn flood(&mut self, most: usize, mut make: impl FnMut(usize) -> Vec<u8>) -> usize {
        use std::io::Write;
        (0..most).find(|i| self.socket.write_all(&make(*i)).is_err()).unwrap_or(most)
    }
}

/// Waits until weir holds no connection and no request: nothing was left behind.
pub fn nothing_left(weir: &super::Weir) {
    eventually("weir holds nothing", || {
        let status: serde_json::Value = serde_json::from_str(&weir.ask("/api/status").1).unwrap();
        status["connections"] == 0 && status["in_flight"] == 0
    });
}
