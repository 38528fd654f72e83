//! The composition root: the one place that sees everything. Builds the parts, joins them, and takes them down.

mod banner;

use crate::admin::{self, Admin, Live};
use crate::base::clock;
use crate::config::settings::{OriginAddress, Settings, Tls};
use crate::control::drain::{self, Drain};
use crate::control::phase::PhaseCell;
use crate::control::recent::Recent;
use crate::control::reload::{self, Commit, Fresh, Prepare, Reloader};
use crate::control::status::{ConfigStatus, FaultView, Phase};
use crate::control::{health, housekeeping, resolve, watch};
use crate::demo;
use crate::event::log_gate::LogGate;
use crate::event::queue::Queue;
use crate::origin::{DEMO_NAME, Pool};
use crate::proxy::{self, CertificateStore, Edge, Replies, Workers};
use crate::sink::access_log::AccessLog;
use crate::verdict::{Policy, State};
use arc_swap::ArcSwap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::watch as signal;

pub use banner::banner;

/// For the origin's names, before the first request.
const RESOLVE: Duration = Duration::from_secs(5);

/// How many refusals `weir why` can look back on.
const RECENT: usize = 4096;

/// For the last lines of the access log.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Why weir did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The config can't be used; every fault.
    #[error("{}", messages(.0))]
    Config(Vec<FaultView>),
    /// An address is taken or not ours.
    #[error("{0}")]
    Bind(String),
    /// The machine did not give what was needed.
    #[error("{0:#}")]
    System(#[from] anyhow::Error),
}

fn messages(faults: &[FaultView]) -> String {
    faults.iter().map(|f| f.message.as_str()).collect::<Vec<_>>().join("\n")
}

/// A running weir.
pub struct App {
    edge: Arc<Edge>,
    workers: Workers,
    runtime: Runtime,
    admin: Admin,
    drain: Drain,
    log: Arc<AccessLog>,
    reloader: Arc<Reloader>,
    phase: Arc<PhaseCell>,
    stop: signal::Sender<bool>,
    /// Where plain HTTP is heard.
    pub http: Vec<SocketAddr>,
    /// Where TLS is heard.
    pub https: Vec<SocketAddr>,
}

/// Starts everything that the config at `path` asks for.
///
/// # Errors
/// Where the config has a fault, an address is taken, or the machine lacks something.
pub fn start(path: &Path) -> Result<App, StartError> {
    let fresh = reload::read(path).map_err(StartError::Config)?;
    let descriptors = raise_descriptors();
    let settings = Arc::new(fresh.loaded.settings.clone());
    let runtime = control_runtime()?;
    let pool = Arc::new(Pool::new(&settings.origin));
    let demo: Arc<OnceLock<SocketAddr>> = Arc::default();
    join_demo(&settings, &pool, &demo)?;
    runtime.block_on(resolve::resolve_once(&pool, &settings.origin, RESOLVE));
    let certificates = settings.listen.tls.as_ref().map(|t| CertificateStore::load(&t.certificate, &t.key)).transpose();
    let certificates = certificates.map_err(|e| one_fault("listen.tls", e))?;
    let replies = Replies::load(&settings.reply).map_err(|e| one_fault("reply", e))?;
    let workers = worker_count(&settings);
    let bound = proxy::bind(&settings.listen, workers).map_err(|e| StartError::Bind(e.to_string()))?;
    let (http, https) = (bound.http.clone(), bound.https.clone());

    let state = Arc::new(State::new());
    let policy = Policy::compile(settings.clone(), &fresh.networks, &state, clock::now());
    let policy = Arc::new(ArcSwap::from_pointee(policy));
    let (closing, closing_watch) = signal::channel(false);
    let edge = Arc::new(Edge {
        policy: policy.clone(),
        state: state.clone(),
        pool: pool.clone(),
        replies: ArcSwap::from_pointee(replies),
        events: Arc::new(Queue::new()),
        log_gate: Arc::new(LogGate::new(settings.log.refused_rate, settings.log.forwarded_sample)),
        draining: AtomicBool::new(false),
        closing: closing_watch,
        max_connections: connections_within(descriptors),
    });
    let warning: Arc<ArcSwap<Option<String>>> = Arc::default();
    let prepare = prepare(edge.clone(), certificates.clone(), demo, warning.clone());
    let reloader = Arc::new(reloader(path, &fresh, &settings, &edge, prepare));
    let log = Arc::new(AccessLog::start(&settings.log.access).map_err(anyhow::Error::from)?);
    let recent = Arc::new(Recent::with_capacity(RECENT));
    let drain = Drain::start(drain::Parts {
        queue: edge.events.clone(),
        recent: recent.clone(),
        log: log.clone(),
        names: Box::new({
            let policy = policy.clone();
            move || drain::limit_names(&policy.load())
        }),
    })
    .map_err(anyhow::Error::from)?;
    let (stop, stop_watch) = signal::channel(false);
    runtime.spawn(resolve::run(pool.clone(), stop_watch.clone()));
    runtime.spawn(health::run(pool.clone(), stop_watch.clone()));
    runtime.spawn(housekeeping::run(state.clone(), policy.clone(), warning.clone(), stop_watch.clone()));
    runtime.spawn(watch::run(reloader.clone(), stop_watch));
    let phase = Arc::new(PhaseCell::default());
    let token = settings.admin.token_file.as_deref().map(admin::Token::read).transpose();
    let token = token.map_err(|e| one_fault("admin.token_file", e))?;
    let live = Live {
        started: clock::now(),
        listen: listening(&http, &https),
        phase: phase.clone(),
        policy,
        state,
        pool,
        config: reloader.status.clone(),
        notes: reloader.notes.clone(),
        warning,
        recent,
        queue: edge.events.clone(),
        log_gate: edge.log_gate.clone(),
        log: log.clone(),
        reload: Box::new({
            let (reloader, handle) = (reloader.clone(), runtime.handle().clone());
            move || handle.block_on(reloader.reload("POST /api/reload")).map_err(|refusal| refusal.faults)
        }),
    };
    let admin = Admin::start(settings.admin.address, token, Arc::new(live)).map_err(|e| match e {
        admin::Error::Bind { .. } => StartError::Bind(e.to_string()),
        e => StartError::System(e.into()),
    })?;
    let workers = proxy::start(edge.clone(), bound, certificates.as_ref(), closing)?;
    phase.set(Phase::Serving);
    Ok(App { edge, workers, runtime, admin, drain, log, reloader, phase, stop, http, https })
}

impl App {
    /// Where the admin server listens.
    pub fn admin(&self) -> SocketAddr {
        self.admin.address()
    }

    /// What the config in force says.
    pub fn settings(&self) -> Arc<Settings> {
        self.edge.policy.load().settings.clone()
    }

    /// What reads the config again.
    pub fn reloader(&self) -> Arc<Reloader> {
        self.reloader.clone()
    }

    /// The runtime of everything slow.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Leaves without dropping a request. True if every request was finished in time.
    pub fn drain(self) -> bool {
        self.phase.set(Phase::Draining);
        let listen = self.settings().listen.clone();
        tracing::info!(
            open = self.edge.state.connections.total(),
            "draining: /readyz says 503, connections are taken for {:?} more, the end comes after {:?} at the latest",
            listen.drain_delay,
            listen.drain_timeout
        );
        let clean = self.workers.drain(listen.drain_delay, Instant::now() + listen.drain_timeout);
        self.stop.send_replace(true);
        drop(self.drain);
        if !self.log.stop(LAST_LINES) {
            tracing::warn!("the last lines of the access log could not be written");
        }
        drop(self.admin);
        self.runtime.shutdown_timeout(Duration::from_millis(100));
        clean
    }
}

fn one_fault(key: &str, message: String) -> StartError {
    StartError::Config(vec![FaultView {
        key: key.to_owned(),
        message: format!("{key}: {message}"),
        ..FaultView::default()
    }])
}

/// Addresses with their protocol.
fn listening(http: &[SocketAddr], https: &[SocketAddr]) -> Vec<String> {
    let named = |name: &'static str| move |a: &SocketAddr| format!("{name} {a}");
    http.iter().map(named("http")).chain(https.iter().map(named("https"))).collect()
}

fn control_runtime() -> Result<Runtime, anyhow::Error> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("weir-control").enable_all().build();
    runtime.map_err(anyhow::Error::from)
}

fn worker_count(settings: &Settings) -> usize {
    match settings.listen.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => usize::from(n),
    }
}

/// Starts the demo service where the config asks for it, once in a process.
fn join_demo(settings: &Settings, pool: &Pool, demo: &OnceLock<SocketAddr>) -> Result<(), anyhow::Error> {
    if !settings.origin.addresses.iter().chain(&settings.origin.fallback).any(|a| *a == OriginAddress::Demo) {
        return Ok(());
    }
    let address = match demo.get() {
        Some(address) => *address,
        None => *demo.get_or_init(|| match demo::start(demo::Capacity::default()) {
            Ok(demo) => demo.addr,
            Err(_) => SocketAddr::from(([127, 0, 0, 1], 0)),
        }),
    };
    anyhow::ensure!(address.port() != 0, "the demo service could not start");
    pool.set_resolved(DEMO_NAME, 0, &[address]);
    Ok(())
}

/// What a reload must check and do outside of the control plane.
fn prepare(
    edge: Arc<Edge>,
    certificates: Option<Arc<CertificateStore>>,
    demo: Arc<OnceLock<SocketAddr>>,
    warning: Arc<ArcSwap<Option<String>>>,
) -> Prepare {
    Box::new(move |settings| {
        let mut faults = Vec::new();
        let replies = Replies::load(&settings.reply).map_err(|e| faults.push(format!("reply: {e}")));
        if let (Some(store), Some(Tls { certificate, key, .. })) = (&certificates, &settings.listen.tls)
            && let Err(e) = store.check(certificate, key)
        {
            faults.push(format!("listen.tls: {e}"));
        }
        if let Err(e) = join_demo(settings, &edge.pool, &demo) {
            faults.push(format!("origin.addresses: {e}"));
        }
        let Ok(replies) = replies else { return Err(faults) };
        if !faults.is_empty() {
            return Err(faults);
        }
        let (edge, certificates, warning, tls) =
            (edge.clone(), certificates.clone(), warning.clone(), settings.listen.tls.clone());
        Ok(Box::new(move || {
            edge.replies.store(Arc::new(replies));
            warning.store(Arc::new(None));
            if let (Some(store), Some(Tls { certificate, key, .. })) = (certificates, tls) {
                match store.reload(&certificate, &key) {
                    Ok(true) => tracing::info!("listen.tls: the certificate changed"),
                    Ok(false) => {}
                    Err(e) => tracing::error!("listen.tls: the old certificate stays: {e}"),
                }
            }
        }) as Commit)
    })
}

fn reloader(path: &Path, fresh: &Fresh, settings: &Arc<Settings>, edge: &Edge, prepare: Prepare) -> Reloader {
    let status: ConfigStatus = reload::status_of(path, &fresh.hash);
    Reloader {
        path: path.to_owned(),
        policy: edge.policy.clone(),
        state: edge.state.clone(),
        pool: edge.pool.clone(),
        log_gate: edge.log_gate.clone(),
        status: Arc::new(ArcSwap::from_pointee(status)),
        notes: Arc::new(ArcSwap::from_pointee(fresh.loaded.notes.iter().map(ToString::to_string).collect())),
        started_with: settings.clone(),
        prepare,
        turn: tokio::sync::Mutex::new(()),
    }
}

/// Takes all file descriptors that the system grants; how many.
fn raise_descriptors() -> u64 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 1024 };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

/// A connection may need a second descriptor, to the origin; some are kept for everything else.
fn connections_within(descriptors: u64) -> u32 {
    u32::try_from(descriptors.saturating_sub(48).max(16) / 2).unwrap_or(u32::MAX)
}
