//! One connection from accept to close: PROXY protocol, TLS, then the gate or HTTP/2.

use super::crowd::{Crowd, Hold, Member};
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
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::Poll;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// Near the cap on connections handshakes have this part of their time.
const HURRY: u32 = 4;

/// What a worker gives to each of its connections.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) edge: Arc<Edge>,
    pub(super) app: Arc<App>,
    pub(super) crowd: Arc<Crowd>,
    pub(super) stop: ShutdownWatch,
}

impl Server {
    /// One connection from accept to close. What only some connections need is boxed, so that the task of one that is
    /// refused is small.
    pub(super) async fn run(self, socket: TcpStream, from: SocketAddr, tls: Option<TlsAcceptor>) {
        let address = from.ip();
        let (trusted, proxied, local) = {
            let policy = self.edge.policy.load();
            let trusted = policy.trusted.contains(address);
            let proxied = trusted && policy.settings.client.address_from == AddressFrom::ProxyProtocol;
            // A system call, for who wants to know.
            let local = policy.settings.netflow.enabled.then(|| socket.local_addr().ok()).flatten();
            (trusted, proxied, local)
        };
        let peer = Peer {
            address,
            port: from.port(),
            local,
            proxied: None,
            trusted,
            tls: tls.is_some(),
            resets: Budget::new(),
            condemned: AtomicBool::new(false),
            hold: Hold::default(),
        };
        if proxied || tls.is_some() {
            Box::pin(self.shake_hands(socket, peer, proxied, tls)).await;
        } else {
            self.http1(Transport::Plain(socket), peer.into()).await;
        }
    }

    /// What comes before the first request: a PROXY protocol header, TLS.
    async fn shake_hands(self, mut socket: TcpStream, mut peer: Peer, proxied: bool, tls: Option<TlsAcceptor>) {
        let patience = self.patience();
        if proxied {
            match timeout(patience, read_proxy_header(&mut socket)).await {
                Ok(Ok(found)) => peer.proxied = found,
                _ => return self.edge.state.counters.ended(Reason::ProxyProtocol),
            }
        }
        let Some(acceptor) = tls else {
            return self.http1(Transport::Plain(socket), peer.into()).await;
        };
        // A handshake that fails or dawdles is nobody's request.
        let Ok(Ok(stream)) = timeout(patience, acceptor.accept(socket)).await else { return };
        let io = Transport::Tls(Box::new(stream));
        if io.chose_h2() {
            let peer = Arc::new(peer);
            let _member = self.join(&peer).await;
            self.http2(io, BytesMut::new(), peer).await
        } else {
            self.http1(io, peer.into()).await
        }
    }

    /// For what comes before a request; shorter while connections are near their cap.
    fn patience(&self) -> Duration {
        let policy = self.edge.policy.load();
        let most = policy.settings.listen.header_timeout;
        if self.edge.too_many_connections(&policy) > 0 { most / HURRY } else { most }
    }

    fn join<'a>(&'a self, peer: &'a Arc<Peer>) -> impl Future<Output = Member> + 'a {
        std::future::poll_fn(|cx| Poll::Ready(self.crowd.join(peer.clone(), cx.waker().clone())))
    }

    async fn http1(self, io: Transport, peer: Arc<Peer>) {
        let _member = self.join(&peer).await;
        let mut gate = Box::new(Gate::new(io, self.edge.clone(), peer, clock::now()));
        match std::future::poll_fn(|cx| gate.poll_turn(cx)).await {
            Turn::Gone => {}
            Turn::Finish => gate.linger().await,
            Turn::Http2(read) => {
                let peer = gate.peer().clone();
                Box::pin(self.http2(gate.into_io(), read, peer)).await
            }
            Turn::Admit(head) => Box::pin(self.serve(gate, head)).await,
        }
    }

    /// From the first admitted request on.
    pub(super) async fn serve(self, mut gate: Box<Gate>, mut head: BytesMut) {
        let mut carry = None;
        loop {
            match self.pass(gate, head, &mut carry).await {
                Some(back) => gate = back,
                None => return,
            }
            match std::future::poll_fn(|cx| gate.poll_turn(cx)).await {
                Turn::Admit(next) => head = next,
                Turn::Finish => return gate.linger().await,
                // HTTP/2 begins a connection or never.
                Turn::Gone | Turn::Http2(_) => return,
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
        gate.resume().then_some(gate)
    }

    /// Reads the preface under the deadline of a head, then lets Pingora serve.
    async fn http2(self, mut io: Transport, mut read: BytesMut, peer: Arc<Peer>) {
        let patience = self.patience();
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
async fn read_proxy_header(socket: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    // The shortest header of version 1 has 15 bytes, the signature of version 2 has 12.
    let mut header = vec![0; 12];
    socket.read_exact(&mut header).await?;
    loop {
        match proxy_protocol::parse(&header) {
            Parsed::Done { source, .. } => return Ok(source),
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
