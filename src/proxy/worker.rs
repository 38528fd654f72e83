//! Workers: one thread, one runtime, one accept queue and one pool of origin connections a core.

use super::connection::Server;
use super::crowd::Crowd;
use super::edge::Edge;
use super::http2::App;
use super::listener::{self, Bound};
use super::service::Service;
use super::tls::CertificateStore;
use anyhow::Context as _;
use pingora_core::server::configuration::ServerConf;
use pingora_proxy::HttpProxy;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Connections to the origin that one worker keeps for later.
pub(super) const POOL: usize = 512;

/// The most attempts that Pingora makes; `origin.retries` stays below.
const ATTEMPTS: usize = 8;

/// Running workers.
pub struct Workers {
    threads: Vec<JoinHandle<()>>,
    edge: Arc<Edge>,
    accepting: watch::Sender<bool>,
    closing: watch::Sender<bool>,
    ended: watch::Sender<bool>,
}

/// Starts serving what is bound. `closing` is the sender of [`Edge::closing`].
///
/// # Errors
/// Where a thread or its runtime can't be made.
pub fn start(
    edge: Arc<Edge>,
    bound: Bound,
    certificates: Option<&Arc<CertificateStore>>,
    closing: watch::Sender<bool>,
) -> anyhow::Result<Workers> {
    let (accepting, accepting_watch) = watch::channel(true);
    let (ended, ended_watch) = watch::channel(false);
    let acceptor = match certificates {
        Some(store) => Some(TlsAcceptor::from(store.server_config().context("cannot set up TLS")?)),
        None => None,
    };
    let mut threads = Vec::new();
    for (i, (plain, tls)) in bound.plain.into_iter().zip(bound.tls).enumerate() {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a runtime")?;
        let sockets: Vec<(TcpListener, Option<TlsAcceptor>)> =
            plain.into_iter().map(|l| (l, None)).chain(tls.into_iter().map(|l| (l, acceptor.clone()))).collect();
        let (edge, accepting, ended) = (edge.clone(), accepting_watch.clone(), ended_watch.clone());
        let serve = move || runtime.block_on(work(edge, sockets, accepting, ended));
        threads.push(thread::Builder::new().name(format!("weir-{i}")).spawn(serve).context("cannot start a worker")?);
    }
    Ok(Workers { threads, edge, accepting, closing, ended })
}

async fn work(
    edge: Arc<Edge>,
    sockets: Vec<(TcpListener, Option<TlsAcceptor>)>,
    accepting: watch::Receiver<bool>,
    mut ended: watch::Receiver<bool>,
) {
    let conf =
        ServerConf { threads: 1, upstream_keepalive_pool_size: POOL, max_retries: ATTEMPTS, ..ServerConf::default() };
    let mut proxy = HttpProxy::new(Service::new(edge.clone()), Arc::new(conf));
    proxy.handle_init_modules();
    let crowd = Arc::new(Crowd::default());
    let (watched, of_edge) = (crowd.clone(), edge.clone());
    // It ends with the runtime.
    tokio::spawn(async move { watched.watch(&of_edge).await });
    let server = Server { stop: edge.closing.clone(), app: Arc::new(App::new(edge.clone(), proxy)), crowd, edge };
    let mut loops = JoinSet::new();
    for (socket, tls) in sockets {
        loops.spawn(listener::accept(socket, tls, server.clone(), accepting.clone()));
    }
    // Whoever drains sees by the receivers left whether a listener is still open.
    drop(accepting);
    while let Some(done) = loops.join_next().await {
        if let Ok(Err(e)) = done {
            tracing::error!("a listener stopped: {e}");
        }
    }
    // Connections go on until they are done or the time is up.
    let _ = ended.wait_for(|over| *over).await;
}

impl Workers {
    /// Leaves without dropping a request: goes on accepting for `delay` while answers ask clients to go elsewhere,
    /// then finishes what is open, until `deadline` at the latest. How many connections were cut then.
    pub fn drain(self, delay: Duration, deadline: Instant) -> u64 {
        // Relaxed: a hint, as where it is read.
        self.edge.draining.store(true, Ordering::Relaxed);
        thread::sleep(delay.min(deadline.saturating_duration_since(Instant::now())));
        self.accepting.send_replace(false);
        self.closing.send_replace(true);
        let open = || self.edge.state.connections.total();
        // What the kernel still holds is no open connection before a worker has taken it.
        while (self.accepting.receiver_count() > 0 || open() > 0) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        let cut = open();
        self.ended.send_replace(true);
        for thread in self.threads {
            let _ = thread.join();
        }
        cut.into()
    }
}
