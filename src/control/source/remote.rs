//! A config's text in AWS: asked for again and again, kept on disk once it was found good.

use super::{SourceStatus, Text, cache};
use crate::base::rfc3339;
use crate::base::units::show_duration;
use crate::control::backoff::Backoff;
use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// For one answer of AWS, its credentials and all tries included.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the operator says about the way to AWS.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How often AWS is asked.
    pub every: Option<Duration>,
    /// Where the last good text is kept; none: in a folder that weir finds.
    pub cache: Option<PathBuf>,
}

/// A way to one text in AWS.
#[async_trait]
pub(super) trait Way: Send {
    /// What is there; `anew` at an operator's word.
    async fn fetch(&mut self, anew: bool) -> Result<Answer, String>;
    /// Forgets what it gave last, so that it gives it again.
    fn forget(&mut self);
}

/// What AWS says.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The text and its version; none where it is the one given last.
    pub(super) text: Option<(String, String)>,
    /// When it wants to be asked again.
    pub(super) wait: Option<Duration>,
}

/// A text in AWS.
pub struct Remote {
    name: String,
    every: Duration,
    cache: Option<PathBuf>,
    way: tokio::sync::Mutex<Box<dyn Way>>,
    /// What was fetched last, good or not.
    latest: ArcSwapOption<Text>,
    revision: AtomicU64,
    /// What is in force.
    good: ArcSwapOption<Text>,
    course: Mutex<Course>,
}

/// How asking went.
#[derive(Debug, Default)]
struct Course {
    fetches: u64,
    failures: u64,
    failing: Option<String>,
    answered_ms: Option<u64>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Remote {
    #[cfg_attr(not(any(feature = "aws", test)), expect(dead_code, reason = "without AWS there is no way to a text"))]
    pub(super) fn new(name: String, every: Duration, options: Options, way: Box<dyn Way>) -> Self {
        let cache = options.cache.or_else(|| cache::default_path(&name));
        Self {
            name,
            every,
            cache,
            way: tokio::sync::Mutex::new(way),
            latest: ArcSwapOption::empty(),
            revision: AtomicU64::new(0),
            good: ArcSwapOption::empty(),
            course: Mutex::default(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn latest(&self) -> Option<Arc<Text>> {
        self.latest.load_full()
    }

    pub(super) fn revision(&self) -> u64 {
        // Acquire: with the Release in `put`; who sees the revision sees its text.
        self.revision.load(Ordering::Acquire)
    }

    pub(super) async fn begin(&self) -> Result<(), String> {
        let Err(why) = self.fetch(false).await else { return Ok(()) };
        let failed = format!("{}: cannot be fetched: {why}", self.name);
        match self.kept() {
            Ok(text) => {
                tracing::error!("config: {failed}; starting with the last good one: {}", described(&text));
                self.put(text);
                Ok(())
            }
            Err(none) => Err(format!("{failed}; and there is no last good one: {none}")),
        }
    }

    pub(super) async fn fall_back(&self) -> bool {
        let Ok(text) = self.kept() else { return false };
        tracing::error!("config: {} has faults; starting with the last good one: {}", self.name, described(&text));
        // It is looked at again at the next question, and refused as a reload, for all to see.
        self.way.lock().await.forget();
        self.put(text);
        true
    }

    fn kept(&self) -> Result<Text, String> {
        let path = self.cache.as_ref().ok_or("no folder can be written; name a file with --config-cache")?;
        cache::load(path, &self.name)?.ok_or_else(|| format!("nothing is kept in {}", path.display()))
    }

    /// Asks AWS; when to ask again, where AWS says so.
    pub(super) async fn fetch(&self, anew: bool) -> Result<Option<Duration>, String> {
        let mut way = self.way.lock().await;
        let answer = tokio::time::timeout(PATIENCE, way.fetch(anew)).await;
        match answer.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}"))) {
            Ok(answer) => {
                self.answered(answer.text);
                Ok(answer.wait)
            }
            Err(why) => {
                way.forget();
                self.failed(&why);
                Err(why)
            }
        }
    }

    fn answered(&self, text: Option<(String, String)>) {
        let now = unix_ms();
        let mut course = self.course();
        course.fetches += 1;
        course.answered_ms = Some(now);
        if course.failing.take().is_some() {
            tracing::info!("config: {} can be fetched again", self.name);
        }
        drop(course);
        let Some((text, version)) = text else { return };
        let text = Text { text, version, fetched_ms: now, cached: false };
        match self.latest() {
            // Nothing to take anew, though it may be the first time that AWS says so.
            Some(known) if known.text == text.text => {
                let text = Arc::new(text);
                self.latest.store(Some(text.clone()));
                if self.good.load().as_ref().is_some_and(|good| good.text == text.text) {
                    self.good.store(Some(text));
                }
            }
            _ => self.put(text),
        }
    }

    fn failed(&self, why: &str) {
        let mut course = self.course();
        course.fetches += 1;
        course.failures += 1;
        // Said once, not at every try.
        if course.failing.replace(why.to_owned()).is_none() && self.good.load().is_some() {
            tracing::warn!("config: {} cannot be fetched, the last good one stays: {why}", self.name);
        }
    }

    fn put(&self, text: Text) {
        self.latest.store(Some(Arc::new(text)));
        // Release: with the Acquire in `revision`.
        self.revision.fetch_add(1, Ordering::Release);
    }

    pub(super) fn accept(&self, text: &Arc<Text>) {
        let before = self.good.swap(Some(text.clone()));
        if text.cached || before.as_ref().is_some_and(|before| before.text == text.text && !before.cached) {
            return;
        }
        let Some(path) = &self.cache else {
            tracing::warn!("config: the last good one is kept nowhere, no folder can be written: name --config-cache");
            return;
        };
        match cache::save(path, &self.name, text) {
            Ok(()) if before.is_none() => {
                tracing::info!("config: {}, {}; it is kept in {}", self.name, described(text), path.display());
            }
            Ok(()) => {}
            Err(e) => tracing::error!("config: the last good one cannot be kept in {}: {e}", path.display()),
        }
    }

    /// Asks again and again, until `stop`.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut backoff = Backoff::new(Duration::from_secs(1).min(self.every), self.every);
        let work = async {
            // What was kept may be old: AWS is asked at once.
            let mut wait =
                if self.good.load().as_ref().is_some_and(|t| t.cached) { Duration::ZERO } else { self.every };
            loop {
                tokio::time::sleep(wait).await;
                wait = match self.fetch(false).await {
                    Ok(wished) => {
                        backoff.reset();
                        self.every.max(wished.unwrap_or_default())
                    }
                    Err(_) => backoff.after_failure(),
                };
            }
        };
        tokio::select! {
            () = work => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    pub(super) fn status(&self) -> SourceStatus {
        let (good, course, now) = (self.good.load_full(), self.course(), unix_ms());
        let (cached, version, fetched_ms) =
            good.map_or((false, String::new(), now), |t| (t.cached, t.version.clone(), t.fetched_ms));
        let confirmed = if cached { fetched_ms } else { course.answered_ms.unwrap_or(fetched_ms) };
        SourceStatus {
            from: if cached { "cache" } else { "aws" }.into(),
            version,
            fetched: rfc3339::from_unix_nanos(fetched_ms.saturating_mul(1_000_000)),
            age_s: now.saturating_sub(confirmed) as f64 / 1_000.0,
            fetches: course.fetches,
            failures: course.failures,
            failing: course.failing.clone(),
            cache: self.cache.as_ref().map(|path| path.display().to_string()),
        }
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn described(text: &Text) -> String {
    let age = Duration::from_secs(unix_ms().saturating_sub(text.fetched_ms) / 1_000);
    format!("version {}, fetched {} ago", text.version, show_duration(age))
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

#[cfg(test)]
mod tests;
