//! What the files of a config look like, to notice that one of them changed.

use super::source::Source;
use crate::config::settings::{ListEntry, Settings};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What a look tells of a file: enough to notice any write or swap. Nothing where there is no file.
type Look = Option<(u64, u64, u64, i64, i64)>;

/// Files, and how each looked before it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    files: Vec<(PathBuf, Look)>,
    /// Of a config that is fetched.
    revision: u64,
}

impl Sight {
    /// A look at the config alone.
    pub fn of_config(config: &Source) -> Self {
        let files = config.file().map(|path| (path.to_owned(), look(path)));
        Self { files: files.into_iter().collect(), revision: config.revision() }
    }

    /// A look at every file that the settings name and a reload reads, behind this one at the config.
    pub fn and_of(mut self, settings: &Settings) -> Self {
        self.files.extend(named(settings).map(|path| (path.to_owned(), look(path))));
        self
    }

    /// The same files as they look now, and what is now fetched of `config`.
    pub fn again(&self, config: &Source) -> Self {
        let files = self.files.iter().map(|(path, _)| (path.clone(), look(path)));
        Self { files: files.collect(), revision: config.revision() }
    }
}

fn look(path: &Path) -> Look {
    let m = std::fs::metadata(path).ok()?;
    Some((m.dev(), m.ino(), m.size(), m.mtime(), m.mtime_nsec()))
}

fn named(settings: &Settings) -> impl Iterator<Item = &Path> {
    let lists = settings.lists.allow.iter().chain(&settings.lists.deny).filter_map(|entry| match entry {
        ListEntry::File(path) => Some(path),
        ListEntry::Net(_) => None,
    });
    let bodies = settings.reply.page.values().chain(settings.reply.problem.values());
    let tls = settings.listen.tls.iter().flat_map(|t| [&t.certificate, &t.key]);
    let secret = settings.flood.challenge.secret.iter().filter_map(|secret| secret.place().file());
    let asn = &settings.flood.asn_database;
    lists.chain(bodies).chain(tls).chain(asn).map(PathBuf::as_path).chain(secret)
}
