//! Sockets that listen: one accept queue a worker, so that no two cores share one.

use super::connection::Server;
use crate::client::key::ClientKey;
use crate::config::settings::Listen;
use crate::limit::in_flight::Full;
use crate::verdict::State;
use crate::verdict::reason::Reason;
use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};
use std::cell::Cell;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_rustls::TlsAcceptor;

/// How many connections the kernel holds for a worker that is busy.
const BACKLOG: i32 = 4096;

/// How long a worker waits when it can't accept, as with no file descriptor left.
const RETRY: Duration = Duration::from_millis(50);

/// How long a worker that has complained says nothing more.
const QUIET: Duration = Duration::from_secs(10);

/// For handshakes under way when a listener closes: a round trip.
const HANDSHAKE: Duration = Duration::from_millis(200);

/// A classic BPF program (code, jump if false, operand) that drops segments with SYN set. Who knocks while a listener closes knocks again a second
/// later, and is then refused in place of being accepted and reset.
const NO_SYN: [(u32, u8, u32); 4] = [
    (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS, 0, 13),
    (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 1, 2),
    (libc::BPF_RET | libc::BPF_K, 0, 0),
    (libc::BPF_RET | libc::BPF_K, 0, u32::MAX),
];

/// Sockets bound and not yet served.
#[derive(Debug)]
pub struct Bound {
    /// By worker: each listens on every plain address.
    pub(super) plain: Vec<Vec<TcpListener>>,
    /// By worker: each listens on every TLS address.
    pub(super) tls: Vec<Vec<TcpListener>>,
    /// Where plain HTTP is heard.
    pub http: Vec<SocketAddr>,
    /// Where TLS is heard.
    pub https: Vec<SocketAddr>,
}

/// Binds every address once a worker.
///
/// # Errors
/// Where an address can't be bound; the message names it.
pub fn bind(listen: &Listen, workers: usize) -> io::Result<Bound> {
    let tls = listen.tls.as_ref().map_or(&[][..], |t| &t.address);
    let (plain, http) = bind_all(&listen.http, workers)?;
    let (tls, https) = bind_all(tls, workers)?;
    Ok(Bound { plain, tls, http, https })
}

fn bind_all(addresses: &[SocketAddr], workers: usize) -> io::Result<(Vec<Vec<TcpListener>>, Vec<SocketAddr>)> {
    let mut by_worker: Vec<Vec<TcpListener>> = (0..workers).map(|_| Vec::new()).collect();
    let mut bound = Vec::new();
    for &address in addresses {
        let named = |e: io::Error| io::Error::new(e.kind(), format!("cannot listen on {address}: {e}"));
        // With SO_REUSEPORT a second weir would silently take half the connections: ask without it first.
        drop(socket(address, false).map_err(named)?);
        let mut actual = address;
        for sockets in &mut by_worker {
            let listener = socket(actual, true).map_err(named)?;
            actual = listener.local_addr()?;
            sockets.push(listener);
        }
        bound.push(actual);
    }
    Ok((by_worker, bound))
}

fn socket(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    // A small answer must not wait for the acknowledgement of the one before. What is accepted inherits it.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    if shared {
        socket.listen(BACKLOG)?;
    }
    Ok(socket.into())
}

/// Accepts until told to stop; then what the kernel still holds, and no more.
pub(super) async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    server: Server,
    mut accepting: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let accepted = tokio::select! {
            biased;
            accepted = listener.accept() => accepted,
            _ = accepting.wait_for(|on| !on) => break,
        };
        match accepted {
            Ok((socket, from)) => admit(socket, from, tls.clone(), &server),
            // The client left before it was accepted.
            Err(e) if matches!(e.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {}
            // No descriptor, no memory, or what else may last: asking again at once would take the whole core.
            Err(e) => {
                seldom(|| tracing::error!("cannot accept a connection: {e}; trying again"));
                tokio::time::sleep(RETRY).await;
            }
        }
    }
    last_ones(listener, tls.as_ref(), &server).await
}

/// Takes what has knocked already, then closes: the kernel resets whatever is still in its queue at that moment.
async fn last_ones(listener: tokio::net::TcpListener, tls: Option<&TlsAcceptor>, server: &Server) -> io::Result<()> {
    let filter = NO_SYN.map(|(code, otherwise, k)| SockFilter::new(code as u16, 0, otherwise, k));
    if let Err(e) = SockRef::from(&listener).attach_filter(&filter) {
        tracing::debug!("newcomers are not held off while the listener closes: {e}");
    }
    let until = Instant::now() + HANDSHAKE;
    while let Ok(accepted) = timeout_at(until, listener.accept()).await {
        match accepted {
            Ok((socket, from)) => admit(socket, from, tls.cloned(), server),
            Err(_) => sleep_until(until.min(Instant::now() + RETRY)).await,
        }
    }
    // Not by tokio, which asks the kernel only once it was told of a newcomer: it may not have been told yet.
    let listener = listener.into_std()?;
    while let Ok((socket, from)) = listener.accept() {
        socket.set_nonblocking(true)?;
        admit(tokio::net::TcpStream::from_std(socket)?, from, tls.cloned(), server);
    }
    Ok(())
}

fn admit(socket: tokio::net::TcpStream, from: SocketAddr, tls: Option<TlsAcceptor>, server: &Server) {
    let from = SocketAddr::new(from.ip().to_canonical(), from.port());
    let address = from.ip();
    let policy = server.edge.policy.load();
    let listen = &policy.settings.listen;
    let own = if policy.trusted.contains(address) { u32::MAX } else { listen.max_connections_per_client };
    let state = &server.edge.state;
    let most = listen.max_connections.min(server.edge.max_connections);
    let Ok(open) = Open::try_new(state, address, most, own) else { return };
    state.counters.connected();
    let server = server.clone();
    tokio::spawn(async move {
        server.run(socket, from, tls).await;
        drop(open);
    });
}

/// Says something, unless this worker did so a moment ago: in a flood, one line tells as much as a million.
fn seldom(say: impl FnOnce()) {
    thread_local! {
        static LAST: Cell<Option<Instant>> = const { Cell::new(None) };
    }
    let now = Instant::now();
    if LAST.get().is_none_or(|last| now - last >= QUIET) {
        LAST.set(Some(now));
        say();
    }
}

/// Holds a place among the open connections.
struct Open {
    state: Arc<State>,
    key: u128,
}

impl Open {
    fn try_new(state: &Arc<State>, address: IpAddr, all: u32, own: u32) -> Result<Self, ()> {
        let key = ClientKey::new(address, 64).bits();
        match state.connections.try_enter(key, all, own) {
            Ok(()) => Ok(Self { state: state.clone(), key }),
            Err(full) => {
                let total = matches!(full, Full::Total);
                state.counters.ended(if total { Reason::ConnectionLimit } else { Reason::ClientConnections });
                if total {
                    seldom(|| tracing::warn!("too many connections: {all} are open, new ones are closed at once"));
                }
                Err(())
            }
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.state.connections.leave(self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted_sends_at_once() {
        let listener = socket("127.0.0.1:0".parse().unwrap(), true).unwrap();
        listener.set_nonblocking(false).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(listener.accept().unwrap().0.nodelay().unwrap());
    }
}
