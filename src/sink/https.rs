//! A small client for the few who are told by HTTP: a webhook, a Controller.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The longest answer that is read.
const MAX_ANSWER: usize = 4 << 20;

/// Speaks to one server, over connections that are kept.
#[derive(Clone)]
pub struct Https {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Https {
    /// One that waits `timeout` for a whole answer, and checks certificates against those of `ca_file`, or of the system.
    ///
    /// # Errors
    /// Where the file can't be read, or there are no certificates.
    pub fn new(ca_file: Option<&Path>, timeout: Duration) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let versions = versions.map_err(|e| format!("TLS: {e}"))?;
        let builder = HttpsConnectorBuilder::new();
        let builder = match ca_file {
            Some(file) => {
                let config = versions.with_root_certificates(roots(file)?).with_no_client_auth();
                builder.with_tls_config(config)
            }
            None => builder.with_provider_and_native_roots(provider).map_err(|e| format!("TLS: {e}"))?,
        };
        let connector = builder.https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_secs(30)).build(connector);
        Ok(Self { client, timeout })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// In a line, without the URL's path: where there was no answer, or none in time.
    pub async fn send(&self, method: Method, url: &str, headers: HeaderMap, body: Bytes) -> Result<Answer, String> {
        let uri: Uri = url.parse().map_err(|e| format!("not a URL: {e}"))?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let asked = async {
            let response = self.client.request(request).await.map_err(|e| causes(&e))?;
            let (head, body) = response.into_parts();
            let body =
                Limited::new(body, MAX_ANSWER).collect().await.map_err(|e| format!("the answer broke off: {e}"))?;
            Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
        };
        match tokio::time::timeout(self.timeout, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {:?}", self.timeout)),
        }
    }
}

/// The certificates of a PEM file.
///
/// # Errors
/// Where it can't be read or holds none.
pub fn roots(file: &Path) -> Result<RootCertStore, String> {
    let shown = file.display();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|e| format!("{shown}: {e}"))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|e| format!("{shown}: {e}"))?;
        roots.add(certificate).map_err(|e| format!("{shown}: {e}"))?;
    }
    if roots.is_empty() { Err(format!("{shown}: holds no certificate in PEM")) } else { Ok(roots) }
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
