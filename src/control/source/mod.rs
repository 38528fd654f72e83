//! Where the config comes from: a file that is looked at, or a text in AWS that is fetched.
//!
//! A reload knows only this: a text, a revision that tells whether it changed, and a name for messages. Files that the
//! config names (lists, certificates, bodies) are files in either case.

#[cfg(feature = "aws")]
mod aws;
mod cache;
mod place;
mod remote;

pub use place::Place;
pub use remote::{Options, Remote};

use crate::config::{self, Fault, Faults};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A config's text from AWS, or from what was kept of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub(super) text: String,
    /// What AWS calls it.
    pub(super) version: String,
    /// When it was fetched: milliseconds since 1970.
    pub(super) fetched_ms: u64,
    /// Whether it is what was kept on disk.
    pub(super) cached: bool,
}

/// How it goes with a config in AWS.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Where the config in force came from: `aws`, or `cache` where AWS was away at the start.
    pub from: Cow<'static, str>,
    /// Its version, as AWS calls it.
    pub version: String,
    /// When it was fetched: RFC 3339.
    pub fetched: String,
    /// For how many seconds AWS has said nothing of it.
    pub age_s: f64,
    /// How often AWS was asked.
    pub fetches: u64,
    /// How often it gave no config.
    pub failures: u64,
    /// Why it gives none now.
    pub failing: Option<String>,
    /// The file that the last good one is kept in.
    pub cache: Option<String>,
}

/// Where the config comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file, read anew each time.
    File(PathBuf),
    /// A text in AWS.
    Remote(Arc<Remote>),
}

/// A text to be checked, and where it came from, if that is AWS.
pub(super) type Draft = (String, Option<Arc<Text>>);

impl Source {
    /// What stands at `place`. Nothing is fetched yet.
    ///
    /// # Errors
    /// Where AWS may not be asked as `options` say.
    pub fn new(place: Place, options: Options) -> Result<Self, String> {
        let every = place.every(options.every)?;
        match place {
            Place::File(path) => Ok(Self::File(path)),
            #[cfg(feature = "aws")]
            place => {
                let (name, way) = (place.to_string(), aws::way(place, options.every));
                Ok(Self::Remote(Arc::new(Remote::new(name, every, options, way))))
            }
            #[cfg(not(feature = "aws"))]
            place => Err(format!("{place} is in AWS, and this weir was built without it; asked every {every:?}")),
        }
    }

    /// What it is called.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Remote(remote) => remote.name().to_owned(),
        }
    }

    /// The folder that relative paths in it start at.
    pub(super) fn base(&self) -> &Path {
        match self {
            Self::File(path) => path.parent().unwrap_or(Path::new("")),
            Self::Remote(_) => Path::new(""),
        }
    }

    /// The file that is looked at for changes.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Remote(_) => None,
        }
    }

    /// Grows with each new text from AWS.
    pub(super) fn revision(&self) -> u64 {
        match self {
            Self::File(_) => 0,
            Self::Remote(remote) => remote.revision(),
        }
    }

    /// The text as it stands.
    pub(super) fn read(&self) -> Result<Draft, Faults> {
        match self {
            Self::File(path) => config::read_text(path).map(|text| (text, None)),
            Self::Remote(remote) => match remote.latest() {
                Some(text) => Ok((text.text.clone(), Some(text))),
                None => {
                    let message = "was never fetched".to_owned();
                    let fault = Fault { line: 0, column: 0, key: String::new(), value: None, message };
                    Err(Faults { origin: self.name(), list: vec![fault], unreadable: true })
                }
            },
        }
    }

    /// Gets the first text, from AWS or from what was kept.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn begin(&self) -> Result<(), String> {
        match self {
            Self::File(_) => Ok(()),
            Self::Remote(remote) => remote.begin().await,
        }
    }

    /// Asks AWS now, whatever it was asked before.
    ///
    /// # Errors
    /// Why it gave no text.
    pub async fn fetch(&self) -> Result<(), String> {
        match self {
            Self::File(_) => Ok(()),
            Self::Remote(remote) => remote.fetch(true).await.map(drop),
        }
    }

    /// Takes the last good text in place of one with faults; false where there is none.
    pub async fn fall_back(&self) -> bool {
        match self {
            Self::File(_) => false,
            Self::Remote(remote) => remote.fall_back().await,
        }
    }

    /// Notes that `text` is in force, and keeps it on disk. May wait for the disk.
    pub fn accept(&self, text: Option<&Arc<Text>>) {
        if let (Self::Remote(remote), Some(text)) = (self, text) {
            remote.accept(text);
        }
    }

    /// How it goes with AWS; none for a file.
    pub fn status(&self) -> Option<SourceStatus> {
        match self {
            Self::File(_) => None,
            Self::Remote(remote) => Some(remote.status()),
        }
    }
}

/// A source with something in every part, for tests of whoever shows it.
#[cfg(test)]
pub(crate) fn fixture() -> SourceStatus {
    SourceStatus {
        from: "cache".into(),
        version: "7".into(),
        fetched: "2024-02-29T11:00:00.000Z".into(),
        age_s: 3_600.0,
        fetches: 9,
        failures: 2,
        failing: Some("no answer within 10s".into()),
        cache: Some("/var/lib/weir/config.cache".into()),
    }
}
