//! HTTP/2: Pingora speaks it; weir bounds it and decides each stream.

use super::crowd;
use super::edge::{Edge, Peer};
use super::pace::Pace;
use super::service::Service;
use super::transport::Transport;
use crate::base::clock;
use crate::base::units::{Rate, Share};
use crate::limit::gcra::Quota;
use crate::verdict::Policy;
use crate::verdict::reason::Reason;
use async_trait::async_trait;
use bytes::{Buf, BytesMut};
use pingora_core::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream, ServerApp};
use pingora_core::protocols::http::ServerSession;
use pingora_core::protocols::http::v2::server::{H2Options, default_h2_options};
use pingora_core::protocols::raw_connect::ProxyDigest;
use pingora_core::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, TimingDigest, UniqueID,
    UniqueIDType,
};
use pingora_core::server::ShutdownWatch;
use pingora_core::{Error, ErrorType, Result};
use pingora_http::ResponseHeader;
use pingora_proxy::{HttpProxy, Session};
use std::io;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

/// What a stream holds of an answer that its client does not read; so many times `max_streams` a connection may cost.
const SEND_BUFFER: usize = 64 * 1024;

/// Pingora's proxy with HTTP/2 bounds from the config in force.
pub(super) struct App {
    edge: Arc<Edge>,
    pub(super) proxy: Arc<HttpProxy<Service>>,
    options: HttpServerOptions,
}

impl App {
    pub(super) fn new(edge: Arc<Edge>, proxy: HttpProxy<Service>) -> Self {
        let mut options = HttpServerOptions::default();
        options.h2_idle_timeout = Some(edge.policy.load().settings.listen.keepalive_timeout);
        Self { edge, proxy: Arc::new(proxy), options }
    }

    /// Serves one connection whose first bytes are `read`.
    pub(super) async fn serve(self: &Arc<Self>, io: Transport, read: BytesMut, peer: Arc<Peer>, stop: &ShutdownWatch) {
        let Ok(blank) = ResponseHeader::build(200, Some(0)) else { return };
        let digest = Arc::new(ProxyDigest::new(Box::new(blank), Some(Box::new(peer.clone()))));
        peer.hold.wait(true, clock::now());
        let (edge, pace) = (self.edge.clone(), Pace::default());
        ServerApp::process_new(self, Box::new(Stream { io, read, peer, digest, edge, pace }), stop).await;
    }
}

#[async_trait]
impl HttpServerApp for App {
    async fn process_new_http(
        self: &Arc<Self>,
        session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        self.proxy.process_new_http(session, shutdown).await
    }

    fn h2_options(&self) -> Option<H2Options> {
        let policy = self.edge.policy.load();
        let bounds = &policy.settings.listen.h2;
        let mut options = default_h2_options();
        options.max_concurrent_streams(bounds.max_streams);
        options.max_header_list_size(u32::try_from(bounds.max_header_list.0).unwrap_or(u32::MAX));
        options.max_pending_accept_reset_streams(bounds.max_resets as usize);
        options.max_send_buffer_size(SEND_BUFFER);
        Some(options)
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        Some(&self.options)
    }
}

/// The peer of an HTTP/2 session; it travels in the connection's digest.
pub(super) fn peer_of(session: &Session) -> Result<Arc<Peer>> {
    let data = session.digest().and_then(|d| d.proxy_digest.as_ref()).and_then(|d| d.user_data.as_ref());
    let peer = data.and_then(|d| d.downcast_ref::<Arc<Peer>>());
    peer.cloned().ok_or_else(|| Error::explain(ErrorType::InternalError, "a connection without a peer"))
}

/// Notes that the client reset a stream; too many cost the connection (CVE-2023-44487). True where they are too many.
pub(super) fn count_reset(peer: &Peer, policy: &Policy) -> bool {
    let most = policy.settings.listen.h2.max_resets;
    let quota = Quota::new(Rate { count: most.max(1), period: Duration::from_secs(10) }, most.max(1));
    let too_many = !peer.resets.take(&quota, clock::now(), Share(0)).admits();
    if too_many {
        condemn(peer);
    }
    too_many
}

/// The connection is to die at its next read or write; unless a trusted proxy brings many clients on it, of whom one
/// must not take the others down. Their streams end one by one.
pub(super) fn condemn(peer: &Peer) {
    if !peer.trusted {
        // Relaxed: a flag, nothing is published through it.
        peer.condemned.store(true, Ordering::Relaxed);
    }
}

/// The connection as Pingora sees it.
struct Stream {
    io: Transport,
    /// Read before it was known to be HTTP/2.
    read: BytesMut,
    peer: Arc<Peer>,
    digest: Arc<ProxyDigest>,
    edge: Arc<Edge>,
    pace: Pace,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("peer", &self.peer.address).finish_non_exhaustive()
    }
}

impl Stream {
    fn alive(&self) -> io::Result<()> {
        // Relaxed: as in `condemn`.
        if self.peer.condemned.load(Ordering::Relaxed) { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

impl Stream {
    /// Sends by `send`; an error once the client takes too little.
    fn paced<T>(
        &mut self,
        cx: &mut Context<'_>,
        send: impl FnOnce(Pin<&mut Transport>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.pace.poll(cx, &mut self.io, (&self.edge, &self.peer), send)
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.alive()?;
        if self.peer.hold.is_shed() {
            crowd::ended(Reason::ConnectionShed, &self.edge, &self.peer, clock::now());
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if self.read.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buf);
        }
        let n = self.read.len().min(buf.remaining());
        buf.put_slice(&self.read[..n]);
        self.read.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.alive()?;
        self.get_mut().paced(cx, |io, cx| io.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.alive()?;
        self.get_mut().paced(cx, |io, cx| io.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().paced(cx, |io, cx| io.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[async_trait]
impl Shutdown for Stream {
    async fn shutdown(&mut self) {
        let _ = AsyncWriteExt::shutdown(self).await;
    }
}

impl UniqueID for Stream {
    fn id(&self) -> UniqueIDType {
        self.io.as_raw_fd()
    }
}

impl Ssl for Stream {
    // With or without TLS: what reaches here is HTTP/2.
    fn selected_alpn_proto(&self) -> Option<ALPN> {
        Some(ALPN::H2)
    }
}

impl GetTimingDigest for Stream {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        Vec::new()
    }
}

impl GetProxyDigest for Stream {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        Some(self.digest.clone())
    }
}

impl GetSocketDigest for Stream {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        None
    }
}

#[async_trait]
impl Peek for Stream {}
