//! The composition root: the one place that sees everything. Builds the parts, joins them, and takes them down.

mod alerts;
#[cfg(feature = "aws")]
mod aws;
mod banner;
mod demo_origin;
mod files;
mod fleet;
mod live;
mod machine;
pub mod memory;
mod metrics;
mod others;
mod outlets;
mod reloading;
mod watched;

use crate::admin::{self, Admin};
use crate::base::clock;
use crate::config::settings::Settings;
use crate::control::detect::Detect;
use crate::control::drain::{self, Drain};
use crate::control::identity::Identity;
use crate::control::phase::PhaseCell;
use crate::control::recent::Recent;
use crate::control::reload::{Fresh, Reloader, Unfit};
use crate::control::source::Source;
use crate::control::status::{FaultView, Phase};
use crate::control::{ecs, health, history, housekeeping, resolve, watch};
use crate::event::log_gate::LogGate;
use crate::event::queue::Queue;
use crate::flood::history::{History, Sizes};
use crate::flood::state::FloodState;
use crate::limit::seeds::Seeds;
use crate::origin::Pool;
use crate::proxy::{self, Edge, Replies, Workers};
use crate::verdict::{Policy, State};
use arc_swap::{ArcSwap, ArcSwapOption};
use demo_origin::DemoOrigin;
use live::Shown;
use others::Others;
use outlets::Told;
use reloading::Reach;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::watch as signal;
use tokio::task::JoinHandle;
use watched::Watchers;

pub use banner::banner;
pub use files::examine;

/// For the origin's names, before the first request.
const RESOLVE: Duration = Duration::from_secs(5);

/// How many refusals `weir why` can look back on.
const RECENT: usize = crate::control::recent::CAPACITY;

/// For saving the history once more.
const LAST_SAVE: Duration = Duration::from_secs(3);

/// For saying goodbye to the fleet.
const GOODBYE: Duration = Duration::from_secs(1);

/// For the last records of every sink.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Why weir did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The config itself can't be read.
    #[error("{}", messages(.0))]
    NoInput(Vec<FaultView>),
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

impl From<Unfit> for StartError {
    fn from(unfit: Unfit) -> Self {
        if unfit.unreadable { Self::NoInput(unfit.faults) } else { Self::Config(unfit.faults) }
    }
}

impl From<admin::Error> for StartError {
    fn from(error: admin::Error) -> Self {
        let message = error.to_string();
        match error {
            admin::Error::Bind { .. } => Self::Bind(message),
            admin::Error::Open(_) => Self::Config(vec![FaultView { message, ..FaultView::default() }]),
            admin::Error::Start(e) => Self::System(e.into()),
        }
    }
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
    detect: Detect,
    history: JoinHandle<()>,
    others: Others,
    watchers: Watchers,
    told: Told,
    reloader: Arc<Reloader>,
    phase: Arc<PhaseCell>,
    stop: signal::Sender<bool>,
    /// Where plain HTTP is heard.
    pub http: Vec<SocketAddr>,
    /// Where TLS is heard.
    pub https: Vec<SocketAddr>,
}

/// Starts everything that the config file at `path` asks for.
///
/// # Errors
/// As [`start_from`].
pub fn start(path: &Path) -> Result<App, StartError> {
    start_from(Source::File(path.to_owned()), ecs::alone())
}

/// Starts everything that the config of `source` asks for, as the weir of this name.
///
/// # Errors
/// Where the config has a fault, an address is taken, or the machine lacks something.
pub fn start_from(source: Source, identity: Identity) -> Result<App, StartError> {
    let runtime = machine::control_runtime()?;
    let (fresh, files) = files::begin(&source, &runtime)?;
    let settings = Arc::new(fresh.loaded.settings.clone());
    let (pool, demo) = (Arc::new(Pool::new(&settings.origin)), DemoOrigin::default());
    demo.join(&settings.origin, &pool)?;
    runtime.block_on(resolve::resolve_once(&pool, &settings.origin, RESOLVE));
    let bound = proxy::bind(&settings.listen, machine::worker_count(&settings));
    let bound = bound.map_err(|e| StartError::Bind(e.to_string()))?;
    let (http, https) = (bound.http.clone(), bound.https.clone());
    let (closing, closing_watch) = signal::channel(false);
    let edge = Arc::new(edge(&fresh, &settings, pool, files.replies, closing_watch));
    let told = outlets::start(&runtime, &settings, &identity, &edge)?;
    let (certificates, token) = (files.certificates, files.token);
    let shown = Shown {
        recent: Arc::new(Recent::with_capacity(RECENT)),
        asn: Arc::new(ArcSwapOption::new(files.asn)),
        country: files.country,
        ..Shown::default()
    };
    let reach = Reach {
        edge: edge.clone(),
        certificates: certificates.clone(),
        demo,
        outlets: told.all.clone(),
        news: told.news.clone(),
        warning: shown.warning.clone(),
        asn: shown.asn.clone(),
    };
    let reloader = Arc::new(reloading::reloader(&source, fresh, &settings, reach));
    let drain = take_records(&edge, &shown.recent, &told)?;
    let (policy, state) = (edge.policy.clone(), edge.state.clone());
    let detect = Detect::start(policy, state, told.news.clone()).map_err(anyhow::Error::from)?;
    let (stop, history) = look_after(&runtime, &edge, &reloader, &shown.warning);
    let others = Others::meet(&runtime, &edge, &settings, identity.clone(), &told, &stop)?;
    let watchers = watched::prepare(&runtime, &settings, &stop)?;
    let phase = shown.phase.clone();
    let parts = live::Parts { runtime: &runtime, edge: &edge, reloader: &reloader, told: &told, others: &others };
    let live = live::live(parts, shown, &watchers, (identity, listening(&http, &https)), &stop);
    let watchers = watchers.begin(&runtime, &edge, &live, (&others, &told), &stop)?;
    let admin = Admin::start(settings.admin.address, token, live)?;
    let workers = proxy::start(edge.clone(), bound, certificates.as_ref(), closing)?;
    phase.set(Phase::Serving);
    told.tell_phase("starting", "serving");
    Ok(App {
        edge,
        workers,
        runtime,
        admin,
        drain,
        detect,
        history,
        others,
        watchers,
        told,
        reloader,
        phase,
        stop,
        http,
        https,
    })
}

/// What all connections share, with nothing in it yet.
fn edge(
    fresh: &Fresh,
    settings: &Arc<Settings>,
    pool: Arc<Pool>,
    replies: Replies,
    closing: signal::Receiver<bool>,
) -> Edge {
    let state = Arc::new(State::with(known_clients(settings), Seeds::random));
    let policy = Policy::compile(settings.clone(), &fresh.networks, &state, clock::now());
    Edge {
        policy: Arc::new(ArcSwap::from_pointee(policy)),
        state,
        pool,
        replies: ArcSwap::from_pointee(replies),
        events: Arc::new(Queue::new()),
        log_gate: Arc::new(LogGate::new(settings.log.refused_rate, settings.log.forwarded_sample)),
        draining: AtomicBool::new(false),
        closing,
        max_connections: machine::connections_within(machine::raise_descriptors()),
    }
}

/// The history of good clients, with what its file holds.
fn known_clients(settings: &Settings) -> History {
    let (sizes, zero) = (Sizes::default(), history::unix_zero());
    let Some(file) = &settings.flood.history.file else { return History::new(sizes, Seeds::random(), zero) };
    let (known, message) = History::open(file, sizes, Seeds::random(), zero, clock::now());
    if let Some(message) = message {
        tracing::warn!("flood.history.file: {message}");
    }
    known
}

/// Starts the way of records from the data plane to the log and to the recent refusals.
fn take_records(edge: &Edge, recent: &Arc<Recent>, told: &Told) -> anyhow::Result<Drain> {
    let policy = edge.policy.clone();
    let names = Box::new(move || drain::limit_names(&policy.load()));
    let (queue, recent, news) = (edge.events.clone(), recent.clone(), told.news.clone());
    Ok(Drain::start(drain::Parts { queue, recent, news, outlets: told.all.clone(), names })?)
}

/// Starts what goes on beside the requests; the sender ends it.
fn look_after(
    runtime: &Runtime,
    edge: &Edge,
    reloader: &Arc<Reloader>,
    warning: &Arc<ArcSwap<Option<String>>>,
) -> (signal::Sender<bool>, JoinHandle<()>) {
    let (stop, stopped) = signal::channel(false);
    let policy = edge.policy.load();
    let kept = &policy.settings.flood.history;
    let history = history::run(edge.state.clone(), kept.file.clone(), edge.policy.clone(), stopped.clone());
    let history = runtime.spawn(history);
    let (state, policy) = (edge.state.clone(), edge.policy.clone());
    runtime.spawn(resolve::run(edge.pool.clone(), stopped.clone()));
    runtime.spawn(health::run(edge.pool.clone(), stopped.clone()));
    runtime.spawn(housekeeping::run(state, policy, warning.clone(), stopped.clone()));
    if let Source::Remote(remote) = &reloader.source {
        runtime.spawn(remote.clone().run(stopped.clone()));
    }
    runtime.spawn(watch::run(reloader.clone(), stopped));
    (stop, history)
}

/// Addresses with their protocol.
fn listening(http: &[SocketAddr], https: &[SocketAddr]) -> Vec<String> {
    let named = |name: &'static str| move |a: &SocketAddr| format!("{name} {a}");
    http.iter().map(named("http")).chain(https.iter().map(named("https"))).collect()
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

    /// Holds a state of the flood detector, or lets go of it: for tests.
    #[doc(hidden)]
    pub fn pin(&self, state: Option<FloodState>) {
        self.edge.state.flood.pin(state);
    }

    /// Leaves without dropping a request. True if every request was finished in time.
    pub fn drain(self) -> bool {
        self.phase.set(Phase::Draining);
        self.told.tell_phase("serving", "draining");
        let listen = self.settings().listen.clone();
        tracing::info!(
            open = self.edge.state.connections.total(),
            "draining: /readyz says 503, connections are taken for {:?} more, the end comes after {:?} at the latest",
            listen.drain_delay,
            listen.drain_timeout
        );
        let cut = self.workers.drain(listen.drain_delay, Instant::now() + listen.drain_timeout);
        if cut > 0 {
            tracing::warn!(cut, "connections were cut: listen.drain_timeout was over before their requests were");
        }
        self.stop.send_replace(true);
        let history = self.history;
        if self.runtime.block_on(async { tokio::time::timeout(LAST_SAVE, history).await }).is_err() {
            tracing::warn!("flood.history.file: not saved within {LAST_SAVE:?}; what was saved before stays");
        }
        if let Some(fleet) = self.others.fleet {
            // It has its own deadline; without a goodbye the others notice a little later.
            let _ = self.runtime.block_on(async { tokio::time::timeout(GOODBYE, fleet.running).await });
        }
        self.watchers.end(&self.runtime);
        drop(self.detect);
        drop(self.others.rounds);
        self.told.tell_phase("draining", "stopped");
        drop(self.drain);
        outlets::stop(&self.told.all, LAST_LINES);
        drop(self.admin);
        self.runtime.shutdown_timeout(Duration::from_millis(100));
        cut == 0
    }
}
