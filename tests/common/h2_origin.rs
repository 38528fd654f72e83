//! An origin that speaks HTTP/2 without TLS, as a gRPC service does.

use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A running origin; it ends with the process.
pub struct H2Origin {
    pub address: SocketAddr,
    requests: Arc<AtomicU64>,
    connections: Arc<AtomicU64>,
}

impl H2Origin {
    /// A service that gives back what it gets, message by message, with `grpc-status` in the trailers. A path that
    /// ends in `Fail` is answered by trailers alone, one in `Stall` never.
    pub fn echo() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, connections): (Arc<AtomicU64>, Arc<AtomicU64>) = Default::default();
        let (count, opened) = (requests.clone(), connections.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((socket, _)) = listener.accept().await {
                    opened.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(connection(socket, count.clone()));
                }
            });
        });
        Self { address, requests, connections }
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    /// Connections so far.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn connection(socket: tokio::net::TcpStream, count: Arc<AtomicU64>) {
    let Ok(mut connection) = h2::server::handshake(socket).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        count.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            let _ = answer(request, respond).await;
        });
    }
}

async fn answer(request: Request<h2::RecvStream>, mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let (head, mut body) = request.into_parts();
    let response = Response::builder().header("content-type", "application/grpc");
    let seen = head.headers.get("x-forwarded-for").cloned().unwrap_or_else(|| HeaderValue::from_static(""));
    let response = response.header("x-seen", seen);
    if head.uri.path().ends_with("Stall") {
        std::future::pending::<()>().await;
    }
    if head.uri.path().ends_with("Fail") {
        respond.send_response(response.header("grpc-status", "8").body(()).unwrap(), true)?;
        return Ok(());
    }
    let mut stream = respond.send_response(response.body(()).unwrap(), false)?;
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        stream.send_data(data, false)?;
    }
    let told = body.trailers().await?;
    let mut trailers = HeaderMap::new();
    trailers.insert(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
    if told.is_some() {
        trailers.insert(HeaderName::from_static("x-trailers-seen"), HeaderValue::from_static("yes"));
    }
    stream.send_trailers(trailers)
}
