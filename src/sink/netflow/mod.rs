//! Flows of requests to a NetFlow version 9 or IPFIX collector, by UDP. docs/netflow.md says what is in them.

pub mod export;
pub mod fields;
pub mod flow;
mod sender;

use crate::base::clock;
use crate::config::settings::{self, Addresses, Settings};
use crate::event::story::Story;
use crate::sink::outlet::{Outlet, OutletStatus};
use crossbeam_queue::ArrayQueue;
use export::{Exporter, Selection};
use fields::Version;
use flow::Flow;
use sender::Sender;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// How many flows wait at most.
const CAPACITY: usize = 8_192;

/// How long before its start the exporter says that it began, so that no flow began before it.
const HEAD_START_MS: u64 = 60_000;

/// What the flows are a selection of, asked whenever it is told.
pub type Selected = Box<dyn Fn() -> Selection + Send>;

/// The exporter as its users see it.
#[derive(Debug)]
pub struct NetFlow {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug)]
struct Shared {
    collector: SocketAddr,
    waiting: ArrayQueue<Flow>,
    addresses: AtomicU8,
    sent: AtomicU64,
    lost: AtomicU64,
    stop: AtomicBool,
    news: Mutex<News>,
    /// `stop` waits here for the end.
    ended: Condvar,
}

/// What the sender tells.
#[derive(Debug, Default)]
struct News {
    failing: Option<(String, Instant)>,
    ended: bool,
}

impl NetFlow {
    /// Starts the sender, which sends templates at once. A collector that is away is no error.
    ///
    /// # Errors
    /// Where there is no thread to be had.
    pub fn start(settings: &settings::NetFlow, selected: Selected) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            collector: settings.collector,
            waiting: ArrayQueue::new(CAPACITY),
            addresses: AtomicU8::new(number(settings.addresses)),
            sent: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            news: Mutex::default(),
            ended: Condvar::new(),
        });
        let version = if settings.version == 10 { Version::Ipfix } else { Version::V9 };
        let interval = settings.template_interval.as_millis() as u64;
        let boot = (clock::unix_nanos(clock::now()) / 1_000_000).saturating_sub(HEAD_START_MS);
        let exporter = Exporter::new(version, settings.domain, interval, boot);
        let sender = Sender::new(shared.clone(), exporter, selected);
        let thread = std::thread::Builder::new().name("weir-netflow".into()).spawn(move || sender.run())?;
        Ok(Self { shared, thread: thread.thread().clone() })
    }

    /// The most memory that waiting flows take.
    pub const fn memory() -> usize {
        CAPACITY * size_of::<Flow>()
    }
}

/// Hidden ones are networks, however they are to be hidden.
const fn number(addresses: Addresses) -> u8 {
    matches!(addresses, Addresses::Whole) as u8
}

impl Outlet for NetFlow {
    fn take(&self, story: &Story<'_>) {
        let Story::Request(record, _) = story else { return };
        // Relaxed: as in `reload`.
        let whole = self.shared.addresses.load(Ordering::Relaxed) == number(Addresses::Whole);
        let addresses = if whole { Addresses::Whole } else { Addresses::Truncated };
        // Acquire: pairs with the Release in `stop`; what comes after it would never be sent.
        let stopped = self.shared.stop.load(Ordering::Acquire);
        if stopped || self.shared.waiting.push(Flow::new(record, addresses)).is_err() {
            self.shared.lose(1);
        }
    }

    fn flush(&self) {
        if !self.shared.waiting.is_empty() {
            self.thread.unpark();
        }
    }

    fn reload(&self, settings: &Settings) {
        // Relaxed: a value of its own; a flow that is just being made is written by the old one.
        self.shared.addresses.store(number(settings.netflow.addresses), Ordering::Relaxed);
    }

    fn status(&self) -> OutletStatus {
        let failing = self.shared.news().failing.clone();
        OutletStatus {
            name: "netflow".into(),
            to: format!("udp://{}", self.shared.collector),
            // Relaxed: lone counters.
            sent: self.shared.sent.load(Ordering::Relaxed),
            // Relaxed: as above.
            lost: self.shared.lost.load(Ordering::Relaxed),
            waiting_bytes: (self.shared.waiting.len() * size_of::<Flow>()) as u64,
            failing_for_s: failing.as_ref().map(|(_, since)| since.elapsed().as_secs_f64()),
            failing: failing.map(|(why, _)| why),
        }
    }

    fn stop(&self, within: Duration) -> bool {
        // Release: the sender that sees it sees what waits.
        self.shared.stop.store(true, Ordering::Release);
        self.thread.unpark();
        let waited = self.shared.ended.wait_timeout_while(self.shared.news(), within, |news| !news.ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.ended
    }
}

impl Drop for NetFlow {
    fn drop(&mut self) {
        // Release: as in `stop`.
        self.shared.stop.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Shared {
    fn lose(&self, flows: u64) {
        // Relaxed: a lone counter.
        self.lost.fetch_add(flows, Ordering::Relaxed);
    }

    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
