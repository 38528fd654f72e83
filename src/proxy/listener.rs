//! Sockets that listen: one accept queue a worker, so that no two cores share one.

use super::connection::Server;
use crate::client::key::ClientKey;
use crate::config::settings::Listen;
use crate::limit::in_flight::Full;
use crate::verdict::State;
use crate::verdict::reason::Reason;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// How many connections the kernel holds for a worker that is busy.
const BACKLOG: i32 = 4096;

/// How long a worker waits when there is no file descriptor left.
const NO_DESCRIPTOR: Duration = Duration::from_millis(50);

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
            Err(e) if matches!(e.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)) => {
                tracing::error!("cannot accept a connection: {e}; trying again");
                tokio::time::sleep(NO_DESCRIPTOR).await;
            }
            // The client left before it was accepted.
            Err(_) => {}
        }
    }
    // Closing resets whatever the kernel holds. Not by tokio, which asks the kernel only once it was told of a
    // newcomer: it may not have been told yet.
    let listener = listener.into_std()?;
    while let Ok((socket, from)) = listener.accept() {
        socket.set_nonblocking(true)?;
        admit(tokio::net::TcpStream::from_std(socket)?, from, tls.clone(), &server);
    }
    Ok(())
}

fn admit(socket: tokio::net::TcpStream, from: SocketAddr, tls: Option<TlsAcceptor>, server: &Server) {
    let address = from.ip().to_canonical();
    let policy = server.edge.policy.load();
    let listen = &policy.settings.listen;
    let own = if policy.trusted.contains(address) { u32::MAX } else { listen.max_connections_per_client };
    let state = &server.edge.state;
    let Ok(open) = Open::try_new(state, address, listen.max_connections.min(server.edge.max_connections), own) else {
        return;
    };
    state.counters.connected();
    // A small answer must not wait for the acknowledgement of the one before.
    let _ = socket.set_nodelay(true);
    let server = server.clone();
    tokio::spawn(async move {
        server.run(socket, address, tls).await;
        drop(open);
    });
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
