//! The way to a collector: datagrams, or a stream with octet counting (RFC 6587), over TLS (RFC 5425) or not.

use crate::sink::https;
use crate::sink::pile::Item;
use hyper_rustls::ConfigBuilderExt;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket, lookup_host};
use tokio_rustls::TlsConnector;

/// For a name, a connection and a handshake, each.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a peer may take nothing before its connection counts as dead.
const STALL: Duration = Duration::from_secs(30);

/// What the system holds of a stream at most: what is in there when a connection breaks is lost without a count.
const IN_SYSTEM: u32 = 64 << 10;

/// How a collector is reached.
#[derive(Clone)]
pub(super) struct Route {
    /// The URL, for people.
    pub(super) url: String,
    host: String,
    port: u16,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Udp,
    Tcp,
    Tls(TlsConnector),
}

impl Route {
    /// By the URL; certificates are checked against those of `ca_file`, or of the system.
    ///
    /// # Errors
    /// Where the URL or the file makes no sense.
    pub(super) fn new(url: &str, ca_file: Option<&Path>) -> Result<Self, String> {
        let uri: http::Uri = url.parse().map_err(|e| format!("{url}: {e}"))?;
        let (host, port) = uri.host().zip(uri.port_u16()).ok_or_else(|| format!("{url}: has no host and port"))?;
        let way = match uri.scheme_str() {
            Some("udp") => Way::Udp,
            Some("tcp") => Way::Tcp,
            _ => Way::Tls(connector(ca_file)?),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { url: url.to_owned(), host, port, way })
    }

    /// Whether each message goes in a datagram of its own.
    pub(super) const fn is_udp(&self) -> bool {
        matches!(self.way, Way::Udp)
    }

    /// Looks the name up and connects, to the first of its addresses that answers.
    pub(super) async fn connect(&self) -> Result<Wire, String> {
        let addresses = within("looking the name up", lookup_host((self.host.as_str(), self.port))).await?;
        let mut why = format!("{} has no address", self.host);
        for address in addresses {
            match self.connect_to(address).await {
                Ok(wire) => return Ok(wire),
                Err(error) => why = format!("{address}: {error}"),
            }
        }
        Err(why)
    }

    async fn connect_to(&self, address: SocketAddr) -> Result<Wire, String> {
        let Way::Tls(connector) = &self.way else {
            return match self.way {
                Way::Udp => {
                    let local: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
                    let socket = UdpSocket::bind(local).await.map_err(told)?;
                    socket.connect(address).await.map_err(told)?;
                    Ok(Wire::Datagrams(socket))
                }
                _ => Ok(Wire::Stream { stream: Box::new(tcp(address).await?), buffers: false }),
            };
        };
        let name = ServerName::try_from(self.host.clone()).map_err(|e| format!("{}: {e}", self.host))?;
        let stream = within("the TLS handshake", connector.connect(name, tcp(address).await?)).await?;
        Ok(Wire::Stream { stream: Box::new(stream), buffers: true })
    }
}

async fn tcp(address: SocketAddr) -> Result<TcpStream, String> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(told)?;
    socket.set_send_buffer_size(IN_SYSTEM).map_err(told)?;
    socket.set_keepalive(true).map_err(told)?;
    within("connecting", socket.connect(address)).await
}

fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(told)?;
    let config = match ca_file {
        Some(file) => versions.with_root_certificates(https::roots(file)?),
        None => versions.with_native_roots().map_err(told)?,
    };
    Ok(TlsConnector::from(Arc::new(config.with_no_client_auth())))
}

async fn within<T>(what: &str, work: impl Future<Output = io::Result<T>>) -> Result<T, String> {
    match tokio::time::timeout(CONNECT, work).await {
        Ok(outcome) => outcome.map_err(|e| format!("{what}: {e}")),
        Err(_) => Err(format!("{what}: not done within {CONNECT:?}")),
    }
}

fn told(error: impl Display) -> String {
    error.to_string()
}

/// Both ways of a stream.
pub(super) trait Both: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Both for T {}

/// A collector that is connected.
pub(super) enum Wire {
    /// A message a datagram.
    Datagrams(UdpSocket),
    /// Messages one after another.
    Stream {
        /// The connection.
        stream: Box<dyn Both>,
        /// What was written may lie in a buffer of ours until it is flushed.
        buffers: bool,
    },
}

impl Wire {
    /// Sends all of `items`; how many went, and why no more.
    pub(super) async fn send(&mut self, items: &[Item]) -> (usize, Result<(), String>) {
        match self {
            Self::Datagrams(socket) => {
                for (n, item) in items.iter().enumerate() {
                    if let Err(error) = socket.send(&item.text).await {
                        return (n, Err(told(error)));
                    }
                }
                (items.len(), Ok(()))
            }
            Self::Stream { stream, buffers } => {
                let (mut bytes, mut ends) = (Vec::new(), Vec::new());
                for item in items {
                    bytes.extend_from_slice(item.text.len().to_string().as_bytes());
                    bytes.push(b' ');
                    bytes.extend_from_slice(&item.text);
                    ends.push(bytes.len());
                }
                let mut written = 0;
                match write(stream, &bytes, &mut written).await {
                    Ok(()) => (items.len(), Ok(())),
                    Err(error) if *buffers => (0, Err(error)),
                    Err(error) => (ends.iter().filter(|end| **end <= written).count(), Err(error)),
                }
            }
        }
    }

    /// Waits until the collector ends the connection, or says that nobody listens; says why.
    pub(super) async fn closed(&mut self) -> String {
        let mut buffer = [0; 512];
        loop {
            let read = match self {
                Self::Datagrams(socket) => socket.recv(&mut buffer).await.map(|_| 1),
                Self::Stream { stream, .. } => stream.read(&mut buffer).await,
            };
            match read {
                Ok(0) => return "the collector ended the connection".into(),
                // Collectors have nothing to say.
                Ok(_) => {}
                Err(error) => return told(error),
            }
        }
    }
}

async fn write(stream: &mut Box<dyn Both>, bytes: &[u8], written: &mut usize) -> Result<(), String> {
    while *written < bytes.len() {
        match stalled(stream.write(&bytes[*written..])).await? {
            0 => return Err("the collector takes nothing more".into()),
            n => *written += n,
        }
    }
    stalled(stream.flush()).await
}

async fn stalled<T>(work: impl Future<Output = io::Result<T>>) -> Result<T, String> {
    match tokio::time::timeout(STALL, work).await {
        Ok(outcome) => outcome.map_err(told),
        Err(_) => Err(format!("the collector took nothing for {STALL:?}")),
    }
}
