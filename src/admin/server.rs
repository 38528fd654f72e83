//! The admin server: its own thread and runtime, so that it answers while the workers are busy, and every bound on
//! who connects that a server needs.

use super::Source;
use super::feed::Feed;
use super::guard::{Guard, Token};
use super::routes;
use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};

/// The most connections at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 128;

/// For a request head; also the longest that an idle connection is kept.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// After this, a connection takes no more requests: pages and scrapers connect again.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(300);

/// For the answer at hand after that: as long as one to a viewer of the live page lasts, and some more.
const LAST_ANSWER: Duration = Duration::from_secs(150);

/// How long a peer may take nothing of what waits for it.
const SILENCE: Duration = Duration::from_secs(15);

/// The largest request head.
const MAX_HEAD: usize = 16 << 10;

/// Why an admin server did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address can't be listened on.
    #[error("admin.address: can't listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Everybody would see and do everything.
    #[error("admin.address: {0} can be reached from other machines; that needs admin.token_file")]
    Open(SocketAddr),
    /// No thread or no runtime.
    #[error("the admin server can't start: {0}")]
    Start(#[from] std::io::Error),
}

/// A running admin server. Dropping it stops it.
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Admin {
    /// Listens and starts to serve.
    pub fn start(address: SocketAddr, token: Option<Token>, source: Arc<dyn Source>) -> Result<Self, Error> {
        if token.is_none() && !address.ip().to_canonical().is_loopback() {
            return Err(Error::Open(address));
        }
        let bind = |source| Error::Bind { address, source };
        let listener = TcpListener::bind(address).map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let feed = Arc::new(Feed::new(source.clone()));
        let router = routes::router(source, feed.clone(), Guard { token, address });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("weir-admin".into()).spawn(move || {
            runtime.block_on(async {
                tokio::spawn(feed.run());
                tokio::select! {
                    () = accept(listener, router) => {}
                    _ = stopped => {}
                }
            });
            // A handler that waits for something slow must not keep the process from ending.
            runtime.shutdown_timeout(Duration::from_millis(100));
        })?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the admin server had panicked");
        }
    }
}

async fn accept(listener: TcpListener, router: Router) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the admin server can't serve"),
    };
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let router = router.clone();
                tokio::spawn(async move {
                    serve(stream, router).await;
                    drop(place);
                });
            }
            // Out of descriptors, most likely: waiting is all that helps.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    if let Err(error) = socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(SILENCE)) {
        tracing::debug!(%error, "an admin connection has no bound on silence");
    }
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = tokio::time::sleep(CONNECTION_TIMEOUT) => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(LAST_ANSWER, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "an admin connection ended badly");
    }
}
