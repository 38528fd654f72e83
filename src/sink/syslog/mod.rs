//! The ingress log by syslog (RFC 5424), to a collector of the operator's.
//!
//! The drain makes messages and puts them on a pile; one task sends them. A collector that hangs or is gone costs that
//! pile and nothing else: what finds no room on it is counted as lost.

mod message;
mod wire;

use crate::config::settings::{RecordKind, Settings, Syslog as Config};
use crate::control::backoff::Backoff;
use crate::event::address::Writing;
use crate::event::story::Story;
use crate::sink::outlet::{Outlet, OutletStatus};
use crate::sink::pile::Pile;
use arc_swap::ArcSwap;
use message::Sender;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::{Route, Wire};

/// The most bytes that wait.
pub const MOST: usize = 8 << 20;

/// The longest message in a datagram: what passes every network in one piece (RFC 5426).
const DATAGRAM: usize = 1_400;

/// The longest message in a stream: what collectors take by default.
const FRAME: usize = 8_000;

/// The most of one round.
const BATCH: (usize, usize) = (512, 64 << 10);

/// Without a refusal for so long, a collector of datagrams counts as there.
const HEARD: Duration = Duration::from_secs(2);

/// After how long a name is looked up again where nothing ever fails.
const RENEW: Duration = Duration::from_secs(300);

/// The sink.
pub struct Syslog {
    records: Vec<RecordKind>,
    sender: Sender,
    writing: ArcSwap<Writing>,
    url: String,
    pile: Arc<Pile>,
}

impl Syslog {
    /// Starts to send, on the runtime that this is called in, as the weir of this task.
    ///
    /// # Errors
    /// Where the collector's address or the certificates can't be used.
    pub fn start(settings: &Settings, task: &str) -> Result<Self, String> {
        let config = &settings.syslog;
        let route = Route::new(&config.address, config.ca_file.as_deref())?;
        let (url, most) = (route.url.clone(), if route.is_udp() { DATAGRAM } else { FRAME });
        let pile = Arc::new(Pile::new(MOST));
        tokio::spawn(run(route, pile.clone()));
        let writing = ArcSwap::from_pointee(Writing::new(config.addresses, &settings.log));
        Ok(Self { records: config.records.clone(), sender: sender(config, task, most), writing, url, pile })
    }

    /// Whether the config could be used.
    ///
    /// # Errors
    /// As of [`start`](Self::start).
    pub fn check(config: &Config) -> Result<(), String> {
        Route::new(&config.address, config.ca_file.as_deref()).map(drop)
    }
}

fn sender(config: &Config, task: &str, most: usize) -> Sender {
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let fits = |name: &String| (1..=255).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
    Sender {
        facility: config.facility,
        host: host.filter(fits).unwrap_or_else(|| "-".into()),
        app_name: config.app_name.clone(),
        process: std::process::id(),
        task: task.to_owned(),
        most,
    }
}

impl Outlet for Syslog {
    fn take(&self, story: &Story<'_>) {
        if self.records.contains(&story.kind()) {
            let message = self.sender.message(story, &self.writing.load());
            self.pile.put(0, message.as_bytes());
        }
    }

    fn flush(&self) {
        self.pile.flush();
    }

    fn reload(&self, settings: &Settings) {
        self.writing.store(Arc::new(Writing::new(settings.syslog.addresses, &settings.log)));
    }

    fn status(&self) -> OutletStatus {
        self.pile.status("syslog", &self.url)
    }

    fn stop(&self, within: Duration) -> bool {
        self.pile.stop(within)
    }
}

async fn run(route: Route, pile: Arc<Pile>) {
    tokio::select! {
        () = work(&route, &pile) => {}
        () = pile.overdue() => {}
    }
    pile.end();
}

/// Sends until the end is asked for and nothing is left, or nothing more can be sent.
async fn work(route: &Route, pile: &Pile) {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
    let mut wire: Option<(Wire, Instant)> = None;
    loop {
        let closed = match &mut wire {
            Some((wire, _)) => tokio::select! {
                biased;
                why = wire.closed() => Some(why),
                () = pile.filled(0) => None,
            },
            None => {
                pile.filled(0).await;
                None
            }
        };
        if pile.is_stopping() && pile.is_empty() {
            return;
        }
        let renew = wire.as_ref().is_some_and(|(_, since)| route.is_udp() && since.elapsed() > RENEW);
        if renew || closed.is_some() && !route.is_udp() {
            // No failure: collectors end idle connections. It is connected anew where there is something to send.
            wire = None;
            continue;
        }
        let outcome = match closed {
            Some(why) => Err(why),
            None => round(route, pile, &mut wire).await,
        };
        match outcome {
            // A datagram is gone either way: only the time without a word says that somebody listens.
            Ok(()) if !route.is_udp() || wire.as_ref().is_some_and(|(_, since)| since.elapsed() > HEARD) => {
                backoff.reset();
                if let Some(after) = pile.works() {
                    tracing::info!("syslog: {}: it can be sent again, after {after:.0?}", route.url);
                }
            }
            Ok(()) => {}
            Err(why) => {
                wire = None;
                if pile.fails(&why) {
                    tracing::warn!("syslog: {}: {why}; it is tried again, requests go on", route.url);
                }
                if pile.is_stopping() {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(backoff.after_failure()) => {}
                    // Once more, and at once.
                    () = pile.stopping() => {}
                }
            }
        }
    }
}

/// Sends some of what waits.
async fn round(route: &Route, pile: &Pile, wire: &mut Option<(Wire, Instant)>) -> Result<(), String> {
    let (way, _) = match wire {
        Some(wire) => wire,
        None => wire.insert((route.connect().await?, Instant::now())),
    };
    let mut batch = pile.take(BATCH.0, BATCH.1, 0);
    let (sent, outcome) = way.send(&batch).await;
    let left = batch.split_off(sent);
    pile.done(&batch, 0);
    pile.give_back(left);
    outcome
}
