//! The sockets: UDP datagrams and TCP streams of syslog, from the gateways alone.

use super::desk::Desk;
use super::frames::{Frame, Frames};
use super::report::MAX_LINE;
use super::view::LineOutcome;
use crate::base::clock;
use crate::config::settings::Transport;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

/// The most connections at once.
const CONNECTIONS: usize = 128;

/// What the kernel may hold of datagrams while others are read.
const RECEIVE_BUFFER: usize = 4 << 20;

/// A gateway that is gone is noticed after about this time; one that is silent is kept.
const SILENCE: Duration = Duration::from_secs(60);

/// After how long accepting is tried again where it failed, as descriptors were used up.
const BREATH: Duration = Duration::from_millis(200);

/// Bound sockets, on which nobody listens yet.
pub struct Ears {
    udp: Vec<UdpSocket>,
    tcp: Vec<TcpListener>,
    /// Where they are, as `udp://192.0.2.1:5140`.
    pub addresses: Vec<String>,
}

/// Binds every address of `aviatrix.listen`.
///
/// # Errors
/// Which one can't be had, and why.
pub fn bind(listen: &[(Transport, SocketAddr)]) -> Result<Ears, String> {
    let mut ears = Ears { udp: Vec::new(), tcp: Vec::new(), addresses: Vec::new() };
    for (transport, address) in listen {
        let name = match transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        };
        let bound = match transport {
            Transport::Udp => udp(*address).and_then(|socket| {
                let here = socket.local_addr();
                ears.udp.push(socket);
                here
            }),
            Transport::Tcp => tcp(*address).and_then(|socket| {
                let here = socket.local_addr();
                ears.tcp.push(socket);
                here
            }),
        };
        let here = bound.map_err(|e| format!("aviatrix.listen: {name}://{address}: {e}"))?;
        ears.addresses.push(format!("{name}://{here}"));
    }
    Ok(ears)
}

fn udp(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // The system may grant less.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.bind(&SockAddr::from(address))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn tcp(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpListener::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

impl Ears {
    /// Listens until `stop`.
    ///
    /// # Errors
    /// Where the runtime takes no socket.
    pub fn listen(self, runtime: &Handle, desk: &Arc<Desk>, stop: &watch::Receiver<bool>) -> std::io::Result<()> {
        let _inside = runtime.enter();
        for socket in self.udp {
            let (socket, desk) = (tokio::net::UdpSocket::from_std(socket)?, desk.clone());
            runtime.spawn(until(stop.clone(), async move { datagrams(&socket, &desk).await }));
        }
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        for listener in self.tcp {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let connections = accept(listener, desk.clone(), places.clone(), stop.clone());
            runtime.spawn(until(stop.clone(), connections));
        }
        Ok(())
    }
}

async fn until(mut stop: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

async fn datagrams(socket: &tokio::net::UdpSocket, desk: &Desk) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((_, from)) if !desk.admits(from.ip()) => {}
            Ok((len, _)) => {
                for line in buffer[..len].split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                    match line.len() {
                        0..=MAX_LINE => desk.hear(line, clock::now()),
                        _ => desk.count(LineOutcome::TooLong),
                    }
                }
            }
            // Such as an ICMP message about what was never sent; the next datagram is as good as ever.
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

async fn accept(
    listener: tokio::net::TcpListener,
    desk: Arc<Desk>,
    places: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
) {
    loop {
        let Ok((socket, from)) = listener.accept().await else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        if !desk.admits(from.ip()) {
            continue;
        }
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!("aviatrix: {from} is turned away: {CONNECTIONS} connections are open");
            desk.count(LineOutcome::Limited);
            continue;
        };
        let keepalive = TcpKeepalive::new().with_time(SILENCE).with_interval(SILENCE / 6).with_retries(3);
        // Without it a gateway that is gone keeps its place for longer.
        let _ = SockRef::from(&socket).set_tcp_keepalive(&keepalive);
        let desk = desk.clone();
        tokio::spawn(until(stop.clone(), async move {
            let _open = Open::new(desk.clone());
            stream(socket, &desk).await;
            drop(place);
        }));
    }
}

async fn stream(mut socket: tokio::net::TcpStream, desk: &Desk) {
    let (mut frames, mut buffer) = (Frames::new(MAX_LINE), vec![0; 8 << 10]);
    let hear = |frame: Frame<'_>| match frame {
        Frame::Whole(line) => desk.hear(line, clock::now()),
        Frame::TooLong => desk.count(LineOutcome::TooLong),
    };
    while let Ok(len @ 1..) = socket.read(&mut buffer).await {
        frames.push(&buffer[..len], hear);
    }
    frames.end(hear);
}

/// A connection that is counted as open until this is dropped.
struct Open(Arc<Desk>);

impl Open {
    fn new(desk: Arc<Desk>) -> Self {
        desk.connections(1);
        Self(desk)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections(-1);
    }
}
