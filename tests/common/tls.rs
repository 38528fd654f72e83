//! Certificates, and a client's end of TLS.

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// A certificate of its own, and its key.
pub struct Pair {
    pub certificate: String,
    pub key: String,
    pub der: CertificateDer<'static>,
}

/// A fresh pair for the name `test`.
pub fn pair() -> Pair {
    pair_for("test")
}

/// A fresh pair for a name or an address.
pub fn pair_for(name: &str) -> Pair {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.into()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.self_signed(&key).unwrap();
    Pair { certificate: certificate.pem(), key: key.serialize_pem(), der: certificate.der().clone() }
}

/// A client that trusts `pairs`, offers `protocols`, and speaks `versions`.
pub fn client(pairs: &[&Pair], protocols: &[&str], versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for pair in pairs {
        roots.add(pair.der.clone()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
    config
}

/// What a handshake came to.
pub struct Handshake {
    pub version: ProtocolVersion,
    pub protocol: Option<Vec<u8>>,
    pub certificate: CertificateDer<'static>,
}

/// One handshake; the connection ends with it.
pub fn handshake(address: SocketAddr, config: ClientConfig) -> Result<Handshake, std::io::Error> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut tls = ClientConnection::new(Arc::new(config), ServerName::try_from("test").unwrap()).unwrap();
    while tls.is_handshaking() {
        tls.complete_io(&mut socket)?;
    }
    Ok(Handshake {
        version: tls.protocol_version().unwrap(),
        protocol: tls.alpn_protocol().map(<[u8]>::to_vec),
        certificate: tls.peer_certificates().unwrap()[0].clone().into_owned(),
    })
}

/// An address whose every connection is carried to `address` in TLS, behind `before` in the clear.
pub fn tunnel(address: SocketAddr, config: ClientConfig, before: &[u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (here, before) = (listener.local_addr().unwrap(), before.to_vec());
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let (connector, before) = (connector.clone(), before.clone());
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async move {
                    let mut far = TcpStream::connect(address).unwrap();
                    far.write_all(&before).unwrap();
                    for socket in [&near, &far] {
                        socket.set_nonblocking(true).unwrap();
                        socket.set_nodelay(true).unwrap();
                    }
                    let far = tokio::net::TcpStream::from_std(far).unwrap();
                    let mut near = tokio::net::TcpStream::from_std(near).unwrap();
                    let name = ServerName::try_from("test").unwrap();
                    if let Ok(mut far) = connector.connect(name, far).await {
                        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            });
        }
    });
    here
}
