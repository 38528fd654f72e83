//! Reloading: read, check, compile, swap whole, say what changed. A fault keeps the last good config.

use super::lists;
use super::resolve::resolve_once;
use super::sight::Sight;
use super::source::{Source, Text};
use super::status::{ConfigStatus, FaultView, Refusal, Reloaded};
use crate::base::clock;
use crate::base::rfc3339;
use crate::base::units::Share;
use crate::config::Fault;
use crate::config::settings::Settings;
use crate::config::{self, Faults, Loaded};
use crate::event::log_gate::LogGate;
use crate::event::news::{News, NewsQueue, StateNews};
use crate::origin::Pool;
use crate::verdict::policy::{CompiledLimit, Networks};
use crate::verdict::{Policy, State};
use arc_swap::ArcSwap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// For the names of a new origin.
const RESOLVE: Duration = Duration::from_secs(5);

/// Takes the checked settings to the parts that this layer does not know; what can fail has not been done yet.
pub type Commit = Box<dyn FnOnce() + Send>;

/// Checks what only other layers can check (certificates, body files); every fault, or what is to be done.
pub type Prepare = Box<dyn Fn(&Settings) -> Result<Commit, Vec<String>> + Send + Sync>;

/// A config read and checked with all the files that it names.
pub struct Fresh {
    /// The config.
    pub loaded: Loaded,
    /// Its lists.
    pub networks: Networks,
    /// A short hash of its text.
    pub hash: String,
    /// What its files looked like before they were read.
    pub sight: Sight,
    /// What AWS gave, where it comes from there.
    pub fetched: Option<Arc<Text>>,
}

/// A config that can't be used.
#[derive(Debug)]
pub struct Unfit {
    /// Every fault.
    pub faults: Vec<FaultView>,
    /// The config itself could not be read.
    pub unreadable: bool,
    /// What its files looked like before they were read.
    pub sight: Sight,
}

/// Reads the config of `source` and its lists.
///
/// # Errors
/// Every fault, in the words of `weir check`.
pub fn read(source: &Source) -> Result<Fresh, Unfit> {
    let sight = Sight::of_config(source);
    let origin = source.name();
    let views = |faults: &[Fault]| faults.iter().map(|f| view(&origin, f)).collect();
    let loaded = source
        .read()
        .and_then(|(text, fetched)| Ok((config::load_str_at(&text, &origin, source.base())?, hash_of(&text), fetched)));
    let (loaded, hash, fetched) = match loaded {
        Ok(loaded) => loaded,
        Err(Faults { list, unreadable, .. }) => return Err(Unfit { faults: views(&list), unreadable, sight }),
    };
    let sight = sight.and_of(&loaded.settings);
    match lists::read(&loaded.settings.lists) {
        Ok(networks) => Ok(Fresh { loaded, networks, hash, sight, fetched }),
        Err(faults) => Err(Unfit { faults: views(&faults), unreadable: false, sight }),
    }
}

fn hash_of(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn view(origin: &str, fault: &Fault) -> FaultView {
    let place = if fault.line == 0 { String::new() } else { format!(":{}:{}", fault.line, fault.column) };
    FaultView {
        line: fault.line,
        column: fault.column,
        key: fault.key.clone(),
        message: format!("{origin}{place}: {fault}"),
    }
}

/// The status of a config that has just come into force.
pub fn status_of(source: &Source, hash: &str) -> ConfigStatus {
    ConfigStatus {
        path: source.name(),
        hash: hash.to_owned(),
        loaded: rfc3339::from_unix_nanos(clock::unix_nanos(clock::now())),
        reloads: 0,
        reloads_failed: 0,
        refused: None,
        needs_restart: Vec::new(),
        changes: Vec::new(),
        source: None,
    }
}

/// What a reload reaches.
pub struct Reloader {
    /// Where the config comes from.
    pub source: Source,
    /// The config in force.
    pub policy: Arc<ArcSwap<Policy>>,
    /// What outlives the reload.
    pub state: Arc<State>,
    /// The origin's endpoints.
    pub pool: Arc<Pool>,
    /// Which requests are logged.
    pub log_gate: Arc<LogGate>,
    /// How reloads went.
    pub status: Arc<ArcSwap<ConfigStatus>>,
    /// Notes on the config in force.
    pub notes: Arc<ArcSwap<Vec<String>>>,
    /// What the process started with: changes of restart-only keys are measured against it.
    pub started_with: Arc<Settings>,
    /// The parts that this layer does not know.
    pub prepare: Prepare,
    /// What the files of the last attempt looked like.
    pub seen: ArcSwap<Sight>,
    /// Where it is told what became of a reload.
    pub news: Arc<NewsQueue>,
    /// One at a time.
    pub turn: Mutex<()>,
}

impl Reloader {
    /// Fetches the config again, where it is in AWS, reads it and puts it in force, whole or not at all.
    ///
    /// # Errors
    /// Every fault; the config in force stays.
    pub async fn reload(&self, cause: &str) -> Result<Reloaded, Refusal> {
        if let Err(why) = self.source.fetch().await {
            let message = format!("{}: cannot be fetched: {why}", self.source.name());
            tracing::error!(cause, "config not reloaded, the last good one stays: {message}");
            return Err(refusal(vec![FaultView { message, ..FaultView::default() }]));
        }
        self.take(cause).await
    }

    /// Reads the config as it was last fetched, or as it stands on disk, and puts it in force, whole or not at all.
    ///
    /// # Errors
    /// Every fault; the config in force stays.
    pub async fn take(&self, cause: &str) -> Result<Reloaded, Refusal> {
        let _turn = self.turn.lock().await;
        match self.prepared() {
            Ok((fresh, commit)) => {
                self.seen.store(Arc::new(fresh.sight.clone()));
                Ok(self.apply(fresh, commit, cause).await)
            }
            Err(Unfit { faults, sight, .. }) => {
                self.seen.store(Arc::new(sight));
                Err(self.refuse(faults, cause))
            }
        }
    }

    /// Enforces a limit for another share of clients, until the next reload.
    ///
    /// # Errors
    /// Where there is no such limit.
    pub async fn enforce(&self, limit: &str, share: Share) -> Result<(), String> {
        let _turn = self.turn.lock().await;
        let policy = self.policy.load_full();
        let other = policy.enforcing(limit, share).ok_or_else(|| {
            let known: Vec<&str> = policy.limits.iter().map(|l| &*l.name).collect();
            format!("there is no limit {limit:?}; the limits are: {}", known.join(", "))
        })?;
        self.policy.store(Arc::new(other));
        tracing::warn!(limit, %share, "a limit's enforcement was set by hand, until the next reload");
        let from = policy.limits.iter().find(|l| *l.name == *limit).map_or(String::new(), |l| l.enforce().to_string());
        let news = StateNews::new("limit", &from, &share.to_string(), clock::now());
        let mut news = news.because("enforce", "set by hand, until the next reload");
        limit.clone_into(&mut news.name);
        self.news.send(News::State(news));
        Ok(())
    }

    /// The config as it stands, checked whole, and what is left to do to put it in force.
    fn prepared(&self) -> Result<(Fresh, Commit), Unfit> {
        let fresh = read(&self.source)?;
        match (self.prepare)(&fresh.loaded.settings) {
            Ok(commit) => Ok((fresh, commit)),
            Err(faults) => {
                let named = |message| FaultView { message, ..FaultView::default() };
                let faults = faults.into_iter().map(named).collect();
                Err(Unfit { faults, unreadable: false, sight: fresh.sight })
            }
        }
    }

    /// Whether a config that was refused has become good, as when a file that it names came to be.
    pub fn is_mended(&self) -> bool {
        self.status.load().refused.is_some() && self.prepared().is_ok()
    }

    /// What the files of the last attempt looked like.
    pub fn sight(&self) -> Arc<Sight> {
        self.seen.load_full()
    }

    /// Whether a file of the last attempt looks different now.
    pub fn is_outdated(&self) -> bool {
        let seen = self.sight();
        *seen != seen.again(&self.source)
    }

    async fn apply(&self, fresh: Fresh, commit: Commit, cause: &str) -> Reloaded {
        let settings = Arc::new(fresh.loaded.settings);
        let old = self.policy.load_full();
        let by_hand = |key: &str| {
            let set = |l: &&CompiledLimit| l.enforce() != l.configured() && key == format!("limit[{}].enforce", l.name);
            old.limits.iter().find(set).map_or("", |_| " (it was set by hand)")
        };
        let changes = config::diff(&old.settings, &settings);
        let changes: Vec<String> = changes.iter().map(|c| format!("{c}{}", by_hand(&c.key))).collect();
        if old.settings.origin != settings.origin {
            resolve_once(&self.pool, &settings.origin, RESOLVE).await;
            self.pool.reconfigure(&settings.origin);
        }
        commit();
        self.log_gate.set(settings.log.refused_rate, settings.log.forwarded_sample);
        let needs_restart = config::diff(&self.started_with, &settings);
        let limits_changed = old.settings.limits != settings.limits;
        let policy = Policy::compile(settings, &fresh.networks, &self.state, clock::now());
        self.policy.store(Arc::new(policy));
        if limits_changed {
            // A debt beyond a smaller burst reads as an empty bucket, but shrinks only once it is cut.
            let state = self.state.clone();
            let _ = tokio::task::spawn_blocking(move || state.tables.sweep_all(clock::now())).await;
        }
        self.notes.store(Arc::new(fresh.loaded.notes.iter().map(ToString::to_string).collect()));
        let before = self.status.load_full();
        self.status.store(Arc::new(ConfigStatus {
            reloads: before.reloads + 1,
            reloads_failed: before.reloads_failed,
            needs_restart: needs_restart.iter().filter(|c| !c.live).map(|c| c.key.clone()).collect(),
            changes: changes.clone(),
            ..status_of(&self.source, &fresh.hash)
        }));
        let (source, fetched) = (self.source.clone(), fresh.fetched);
        let _ = tokio::task::spawn_blocking(move || source.accept(fetched.as_ref())).await;
        let summary = summary(&changes);
        tracing::info!(cause, "config reloaded: {summary}");
        self.tell(&before, "accepted", cause, &summary, ("changes", changes.len()));
        Reloaded { changes }
    }

    fn refuse(&self, faults: Vec<FaultView>, cause: &str) -> Refusal {
        for fault in &faults {
            tracing::error!(cause, "config not reloaded, the last good one stays: {}", fault.message);
        }
        let all: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
        let (text, count) = (all.join("; "), faults.len());
        let refusal = refusal(faults);
        let before = self.status.load_full();
        self.status.store(Arc::new(ConfigStatus {
            reloads_failed: before.reloads_failed + 1,
            refused: Some(refusal.clone()),
            ..(*before).clone()
        }));
        self.tell(&before, "refused", cause, &text, ("faults", count));
        refusal
    }

    fn tell(&self, before: &ConfigStatus, to: &str, cause: &str, text: &str, (what, count): (&str, usize)) {
        let from = if before.refused.is_some() { "refused" } else { "accepted" };
        let mut news = StateNews::new("config", from, to, clock::now()).because(cause, text).with(what, count as f64);
        news.name.clone_from(&self.status.load().hash);
        self.news.send(News::State(news));
    }
}

fn refusal(faults: Vec<FaultView>) -> Refusal {
    Refusal { at: rfc3339::from_unix_nanos(clock::unix_nanos(clock::now())), faults }
}

fn summary(changes: &[String]) -> String {
    if changes.is_empty() {
        "nothing in it changed (lists and certificates were read again)".into()
    } else {
        changes.join("; ")
    }
}
