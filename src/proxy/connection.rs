//! One connection from accept to close: PROXY protocol, TLS, then the gate or HTTP/2.

use super::edge::{Edge, Peer};
use super::gate::{Gate, H2_PREFACE, Turn};
use super::http2::App;
use super::transport::Transport;
use crate::base::clock;
use crate::client::proxy_protocol::{self, Parsed};
use crate::config::settings::AddressFrom;
use crate::limit::budget::Budget;
use crate::verdict::reason::Reason;
use bytes::BytesMut;
use pingora_core::apps::HttpPersistentSettings;
use pingora_core::apps::HttpServerApp;
use pingora_core::protocols::http::ServerSession;
use pingora_core::server::ShutdownWatch;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// What a worker gives to each of its connections.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) edge: Arc<Edge>,
    pub(super) app: Arc<App>,
    pub(super) stop: ShutdownWatch,
}

impl Server {
    /// One connection from accept to close.
    pub(super) async fn run(self, mut socket: TcpStream, address: IpAddr, tls: Option<TlsAcceptor>) {
        let (trusted, patience, proxied) = {
            let policy = self.edge.policy.load();
            let settings = &policy.settings;
            let trusted = policy.trusted.contains(address);
            let wanted = settings.client.address_from == AddressFrom::ProxyProtocol && trusted;
            (trusted, settings.listen.header_timeout, wanted)
        };
        let mut source = None;
        if proxied {
            match timeout(patience, read_proxy_header(&mut socket)).await {
                Ok(Ok(found)) => source = found,
                _ => return self.edge.state.counters.ended(Reason::ProxyProtocol),
            }
        }
        let peer = |tls| {
            Arc::new(Peer {
                address,
                proxied: source,
                trusted,
                tls,
                resets: Budget::new(),
                condemned: AtomicBool::new(false),
            })
        };
        let Some(acceptor) = tls else {
            return self.http1(Transport::Plain(socket), peer(false)).await;
        };
        // A handshake that fails or dawdles is nobody's request.
        let Ok(Ok(stream)) = timeout(patience, acceptor.accept(socket)).await else { return };
        let io = Transport::Tls(Box::new(stream));
        if io.chose_h2() { self.http2(io, BytesMut::new(), peer(true)).await } else { self.http1(io, peer(true)).await }
    }

    async fn http1(self, io: Transport, peer: Arc<Peer>) {
        let mut gate = Box::new(Gate::new(io, self.edge.clone(), peer.clone(), clock::now()));
        let mut carry = None;
        loop {
            match std::future::poll_fn(|cx| gate.poll_turn(cx)).await {
                Turn::Gone => return,
                Turn::Finish => return gate.linger().await,
                Turn::Http2(read) => return self.http2(gate.into_io(), read, peer).await,
                Turn::Admit(head) => match self.pass(gate, head, &mut carry).await {
                    Some(back) => gate = back,
                    None => return,
                },
            }
        }
    }

    /// Pingora's part of one request. The gate comes back where the connection goes on.
    async fn pass(
        &self,
        gate: Box<Gate>,
        head: BytesMut,
        carry: &mut Option<HttpPersistentSettings>,
    ) -> Option<Box<Gate>> {
        wait_in_line(gate.story().map(|s| s.delay)).await;
        let mut session = ServerSession::new_http1(gate);
        match carry.take() {
            Some(settings) => settings.apply_to_session(&mut session),
            None => session.set_keepalive(Some(self.edge.policy.load().settings.listen.keepalive_timeout.as_secs())),
        }
        if self.edge.is_draining() {
            session.set_keepalive(None);
        }
        session.set_pipelined_prefix(head);
        let (stream, settings) = self.app.proxy.process_new_http(session, &self.stop).await?.consume();
        *carry = settings;
        let mut gate = stream.into_any().downcast::<Gate>().ok()?;
        gate.resume(clock::now()).then_some(gate)
    }

    /// Reads the preface under the deadline of a head, then lets Pingora serve.
    async fn http2(self, mut io: Transport, mut read: BytesMut, peer: Arc<Peer>) {
        let patience = self.edge.policy.load().settings.listen.header_timeout;
        let preface = async {
            while read.len() < H2_PREFACE.len() {
                if io.read_buf(&mut read).await.unwrap_or(0) == 0 {
                    return false;
                }
            }
            read.starts_with(H2_PREFACE)
        };
        if timeout(patience, preface).await == Ok(true) {
            self.app.serve(io, read, peer, &self.stop).await;
        }
    }
}

/// A request's wait for the origin's capacity.
pub(super) async fn wait_in_line(delay: Option<Duration>) {
    if let Some(delay) = delay.filter(|d| !d.is_zero()) {
        tokio::time::sleep(delay).await;
    }
}

/// Reads a PROXY protocol header and not a byte more; the address that it names, if it names one.
async fn read_proxy_header(socket: &mut TcpStream) -> io::Result<Option<IpAddr>> {
    // The shortest header of version 1 has 15 bytes, the signature of version 2 has 12.
    let mut header = vec![0; 12];
    socket.read_exact(&mut header).await?;
    loop {
        match proxy_protocol::parse(&header) {
            Parsed::Done { source, .. } => return Ok(source.map(|s| s.ip())),
            Parsed::Invalid(why) => return Err(io::Error::new(io::ErrorKind::InvalidData, why.to_string())),
            Parsed::Partial => {
                let more = missing(&header);
                let start = header.len();
                header.resize(start + more, 0);
                socket.read_exact(&mut header[start..]).await?;
            }
        }
    }
}

/// How many bytes are surely still to come.
fn missing(header: &[u8]) -> usize {
    if header.starts_with(b"PROXY") {
        return 1;
    }
    match header {
        [_, _, _, _, _, _, _, _, _, _, _, _, _, _, high, low, ..] => {
            (16 + usize::from(u16::from_be_bytes([*high, *low]))).saturating_sub(header.len()).max(1)
        }
        _ => 16usize.saturating_sub(header.len()).max(1),
    }
}
