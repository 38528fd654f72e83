//! Notices that the config, or a file that it names, has changed.
//!
//! By looking, four times a second, rather than by inotify: a look sees a symlink swapped anywhere on the way (mounted
//! configs), a file deleted and written again, and network file systems, all in one way.

use super::reload::Reloader;
use crate::config::settings::{ListEntry, Settings};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// A file that changes with every look is read all the same after this long.
const RESTLESS: Duration = Duration::from_secs(3);

/// What a look sees of a file: enough to notice any write or swap.
type Seen = Option<(u64, u64, u64, i64, i64)>;

fn look(path: &Path) -> Seen {
    let m = std::fs::metadata(path).ok()?;
    Some((m.dev(), m.ino(), m.size(), m.mtime(), m.mtime_nsec()))
}

/// Every file that the settings name and a reload reads.
fn files(config: &Path, settings: &Settings) -> Vec<PathBuf> {
    let lists = settings.lists.allow.iter().chain(&settings.lists.deny).filter_map(|entry| match entry {
        ListEntry::File(path) => Some(path.clone()),
        ListEntry::Net(_) => None,
    });
    let bodies = settings.reply.page.values().chain(settings.reply.problem.values()).cloned();
    let tls = settings.listen.tls.iter().flat_map(|t| [t.certificate.clone(), t.key.clone()]);
    std::iter::once(config.to_owned()).chain(lists).chain(bodies).chain(tls).collect()
}

/// Reloads whenever something changed and has come to rest, until `stop`.
pub async fn run(reloader: Arc<Reloader>, mut stop: watch::Receiver<bool>) {
    let work = async {
        let sight = || -> Vec<Seen> {
            let policy = reloader.policy.load();
            files(&reloader.path, &policy.settings).iter().map(|f| look(f)).collect()
        };
        let mut loaded = sight();
        loop {
            tokio::time::sleep(LOOK).await;
            let mut now = sight();
            if now == loaded {
                continue;
            }
            // A file half written, or a pair of which one is new: wait until two looks agree.
            let since = Instant::now();
            while since.elapsed() < RESTLESS {
                tokio::time::sleep(LOOK).await;
                let next = sight();
                if next == now {
                    break;
                }
                now = next;
            }
            // The faults are logged and in the status; nothing is left to do with them here.
            let _ = reloader.reload("file change").await;
            loaded = if reloader.status.load().refused.is_some() { now } else { sight() };
        }
    };
    tokio::select! {
        () = work => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}
