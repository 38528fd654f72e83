//! What Pingora sees of a connection: one request's bytes, and not one of the next.

use super::{Gate, Rest};
use async_trait::async_trait;
use bytes::Buf;
use pingora_core::protocols::raw_connect::ProxyDigest;
use pingora_core::protocols::{
    GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, TimingDigest, UniqueID,
    UniqueIDType,
};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

/// Small writes wait for a flush up to one segment's size.
const COALESCE: usize = 1460;

impl Gate {
    /// The request is read whole: Pingora asks only whether the client is still there. Bytes that come now belong to
    /// the next request and stay here.
    fn poll_probe(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.inbox.is_empty() {
            return Poll::Pending;
        }
        let mut scratch = [MaybeUninit::<u8>::uninit(); 4096];
        let mut buf = ReadBuf::uninit(&mut scratch);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut buf))?;
        if buf.filled().is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.inbox.extend_from_slice(buf.filled());
        Poll::Pending
    }

    /// Reads whatever comes, after what came behind the head.
    fn poll_tunnel(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.inbox.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buf);
        }
        let n = self.inbox.len().min(buf.remaining());
        buf.put_slice(&self.inbox[..n]);
        self.inbox.advance(n);
        Poll::Ready(Ok(()))
    }

    /// Reads at most `left` bytes of the body.
    fn poll_length(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>, left: u64) -> Poll<io::Result<()>> {
        let room = buf.remaining().min(usize::try_from(left).unwrap_or(usize::MAX));
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut part))?;
        let n = part.filled().len();
        buf.advance(n);
        self.rest = Rest::Length(left - n as u64);
        Poll::Ready(Ok(()))
    }

    /// Reads on, and keeps back what lies behind the last chunk.
    fn poll_chunked(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let Rest::Chunked(scanner) = &mut self.rest else { return Poll::Ready(Ok(())) };
        let fresh = &buf.filled()[before..];
        let Ok(used) = scanner.advance(fresh) else {
            buf.set_filled(before);
            self.rest = Rest::Broken;
            return Poll::Ready(Err(broken()));
        };
        self.inbox.extend_from_slice(&fresh[used..]);
        buf.set_filled(before + used);
        Poll::Ready(Ok(()))
    }

    fn poll_outbox(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outbox.is_empty() {
            let Self { pace, io, edge, peer, outbox, .. } = self;
            let n = ready!(pace.poll(cx, io, (edge, peer), |io, cx| io.poll_write(cx, outbox)))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outbox.advance(n);
        }
        self.outbox.clear();
        Poll::Ready(Ok(()))
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "malformed chunked body")
}

impl AsyncRead for Gate {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_tunnel() {
            return self.poll_tunnel(cx, buf);
        }
        match self.rest {
            Rest::Broken => Poll::Ready(Err(broken())),
            Rest::Length(0) => self.poll_probe(cx),
            Rest::Length(left) => self.poll_length(cx, buf, left),
            Rest::Chunked(scanner) if scanner.is_over() => self.poll_probe(cx),
            Rest::Chunked(_) => self.poll_chunked(cx, buf),
        }
    }
}

impl AsyncWrite for Gate {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.outbox.len() + bytes.len() > COALESCE {
            ready!(self.poll_outbox(cx))?;
        }
        if bytes.len() > COALESCE {
            let Self { pace, io, edge, peer, .. } = self.get_mut();
            return pace.poll(cx, io, (edge, peer), |io, cx| io.poll_write(cx, bytes));
        }
        self.outbox.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let total: usize = slices.iter().map(|s| s.len()).sum();
        if self.outbox.len() + total > COALESCE {
            ready!(self.poll_outbox(cx))?;
        }
        if total > COALESCE {
            let Self { pace, io, edge, peer, .. } = self.get_mut();
            return pace.poll(cx, io, (edge, peer), |io, cx| io.poll_write_vectored(cx, slices));
        }
        for slice in slices {
            self.outbox.extend_from_slice(slice);
        }
        Poll::Ready(Ok(total))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_outbox(cx))?;
        let Self { pace, io, edge, peer, .. } = self.get_mut();
        pace.poll(cx, io, (edge, peer), |io, cx| io.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_outbox(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[async_trait]
impl Shutdown for Gate {
    async fn shutdown(&mut self) {
        self.release();
        if AsyncWriteExt::flush(self).await.is_ok() && !self.is_read_whole() {
            // The client may still be sending: a close now would be a reset, and take the answer with it.
            return self.linger().await;
        }
        let _ = AsyncWriteExt::shutdown(self).await;
    }
}

impl UniqueID for Gate {
    fn id(&self) -> UniqueIDType {
        self.io.as_raw_fd()
    }
}

impl Ssl for Gate {}

impl GetTimingDigest for Gate {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        Vec::new()
    }
}

impl GetProxyDigest for Gate {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        None
    }
}

impl GetSocketDigest for Gate {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        None
    }
}

#[async_trait]
impl Peek for Gate {}
