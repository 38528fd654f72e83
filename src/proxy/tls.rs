//! Certificates that change under a running weir.

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;

/// The certificate in force.
#[derive(Debug)]
pub struct CertificateStore(ArcSwap<CertifiedKey>);

impl CertificateStore {
    /// Reads the first pair.
    ///
    /// # Errors
    /// A message that names the file and what is wrong with it.
    pub fn load(certificate: &Path, key: &Path) -> Result<Arc<Self>, String> {
        Ok(Arc::new(Self(ArcSwap::from(read(certificate, key)?))))
    }

    /// Whether the pair could be used.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn check(&self, certificate: &Path, key: &Path) -> Result<(), String> {
        read(certificate, key).map(drop)
    }

    /// Reads the pair again: true if it changed. A bad pair changes nothing.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn reload(&self, certificate: &Path, key: &Path) -> Result<bool, String> {
        let fresh = read(certificate, key)?;
        let changed = fresh.cert != self.0.load().cert;
        self.0.store(fresh);
        Ok(changed)
    }

    /// TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN.
    pub(super) fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for CertificateStore {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>, String> {
    let at = |path: &Path, what: &str| format!("{}: {what}", path.display());
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(|all| all.collect())
        .map_err(|e| at(certificate, &format!("cannot read the certificate chain: {e}")))?;
    if chain.is_empty() {
        return Err(at(certificate, "no certificate in it; expected a PEM chain"));
    }
    let secret =
        PrivateKeyDer::from_pem_file(key).map_err(|e| at(key, &format!("cannot read the private key: {e}")))?;
    let signer = ring::sign::any_supported_type(&secret)
        .map_err(|_| at(key, "a private key of an unsupported kind; expected RSA, ECDSA P-256 or P-384, or Ed25519"))?;
    let pair = CertifiedKey::new(chain, signer);
    match pair.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(Arc::new(pair)),
        Err(e) => Err(at(key, &format!("does not belong to {}: {e}", certificate.display()))),
    }
}
