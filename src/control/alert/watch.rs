//! The clock of alerts: a thread that looks every second, and hands on what there is to tell.

use super::engine::{Engine, Event, Kind};
use super::evidence::Rates;
use super::message::{self, Message};
use super::rules::{Rule, rules};
use super::status::{AlertStatus, Board};
use super::turn::Turns;
use crate::base::clock::{self, Time};
use crate::config::settings::Settings;
use crate::control::flood::FloodReport;
use crate::control::identity::Identity;
use crate::control::status::Status;
use crate::event::news::{News, NewsQueue};
use crate::sink::metrics;
use std::collections::HashMap;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// What is needed to look.
pub struct Parts {
    /// The config in force.
    pub settings: Box<dyn Fn() -> Arc<Settings> + Send>,
    /// The whole picture.
    pub status: Box<dyn Fn() -> Status + Send>,
    /// Who sends most.
    pub flood: Box<dyn Fn() -> FloodReport + Send>,
    /// Whether this task is the first of its fleet to ask for something; always, without a fleet.
    pub claim: Box<dyn Fn(&str) -> bool + Send>,
    /// Who this is.
    pub identity: Identity,
    /// Where changes are logged.
    pub news: Arc<NewsQueue>,
    /// Where all is shown, and who is told.
    pub board: Arc<Board>,
}

/// The running thread. Dropping it ends it.
#[derive(Debug)]
pub struct Watch {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts the thread.
    pub fn start(parts: Parts) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name("weir-alerts".into()).spawn(move || {
            let mut watcher = Watcher::new(parts);
            // What comes before the first look is growth that nobody sees.
            watcher.round(clock::now());
            while matches!(stopped.recv_timeout(EVERY), Err(mpsc::RecvTimeoutError::Timeout)) {
                watcher.round(clock::now());
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the watch over alerts had panicked; nothing was told after that");
        }
    }
}

struct Watcher {
    parts: Parts,
    settings: Arc<Settings>,
    engine: Engine,
    rates: Rates,
    turns: Turns,
    /// What fires, as it was last told of: for whoever takes over.
    last: HashMap<String, Event>,
}

impl Watcher {
    fn new(parts: Parts) -> Self {
        let settings = (parts.settings)();
        let engine = Engine::new(in_force(&settings).unwrap_or_default(), clock::now());
        Self { parts, settings, engine, rates: Rates::default(), turns: Turns::default(), last: HashMap::new() }
    }

    fn round(&mut self, now: Time) {
        let settings = (self.parts.settings)();
        let mut events = Vec::new();
        if !Arc::ptr_eq(&settings, &self.settings) {
            if let Some(rules) = in_force(&settings) {
                events = self.engine.reload(rules, now);
            }
            self.settings = settings;
        }
        let status = (self.parts.status)();
        self.rates.add(&status, now);
        events.extend(self.engine.tick(&metrics::collect(&status), self.settings.alerts.repeat_every, now));
        let shown = self.engine.standings().map(|s| AlertStatus::new(&s)).collect();
        self.parts.board.alerts.store(Arc::new(shown));
        let unix = clock::unix_nanos(now) / 1_000_000_000;
        for event in events {
            self.note(&event);
            if self.turns.tells(&event.rule.name, event.kind, unix, &*self.parts.claim) {
                self.tell(&event, &status);
            }
        }
        if !self.turns.is_empty() {
            for name in self.turns.go_on(unix, &*self.parts.claim) {
                if let Some(event) = self.last.get(&name).cloned() {
                    self.tell(&Event { at: now, ..event }, &status);
                }
            }
        }
    }

    /// Every task's own log has it, whoever tells it.
    fn note(&mut self, event: &Event) {
        let news = message::news(event);
        let (alert, severity) = (&event.rule.name, event.rule.severity);
        match event.kind {
            Kind::Cleared | Kind::DataBack => tracing::info!(alert, "alert: {}", news.text),
            Kind::Firing | Kind::Repeated | Kind::NoData => tracing::warn!(alert, %severity, "alert: {}", news.text),
        }
        self.parts.news.send(News::State(news));
        match event.kind {
            Kind::Firing | Kind::NoData => _ = self.last.insert(event.rule.name.clone(), event.clone()),
            Kind::Cleared | Kind::DataBack => _ = self.last.remove(&event.rule.name),
            Kind::Repeated => {}
        }
    }

    fn tell(&self, event: &Event, status: &Status) {
        if self.parts.board.outboxes.is_empty() {
            return;
        }
        let evidence = self.rates.evidence(status, &(self.parts.flood)());
        let message = Arc::new(Message::new(event, &self.settings, &self.parts.identity, evidence));
        self.parts.board.outboxes.iter().for_each(|outbox| outbox.put(message.clone()));
    }
}

/// A config in force has no faults; one that slipped through keeps the rules as they were.
fn in_force(settings: &Settings) -> Option<Vec<Rule>> {
    rules(settings).inspect_err(|faults| faults.iter().for_each(|f| tracing::error!("alerts: {f}"))).ok()
}
