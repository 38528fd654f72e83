//! Notices that the config, or a file that it names, has changed.
//!
//! By looking, four times a second, rather than by inotify: a look sees a symlink swapped anywhere on the way (mounted
//! configs), a file deleted and written again, and network file systems, all in one way.

use super::reload::Reloader;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// Between two tries of a config that was refused.
const RETRY: Duration = Duration::from_secs(1);

/// A file that changes with every look is read all the same after this long.
const RESTLESS: Duration = Duration::from_secs(3);

/// Reloads whenever something changed and has come to rest, until `stop`.
pub async fn run(reloader: Arc<Reloader>, mut stop: watch::Receiver<bool>) {
    let work = async {
        let mut tried = Instant::now();
        loop {
            tokio::time::sleep(LOOK).await;
            if reloader.is_outdated() {
                rest(&reloader).await;
                // Somebody may have asked for a reload meanwhile.
                if reloader.is_outdated() {
                    // The faults are logged and in the status; nothing is left to do with them here.
                    let _ = reloader.take("change").await;
                }
            } else if tried.elapsed() >= RETRY {
                tried = Instant::now();
                if reloader.is_mended() {
                    let _ = reloader.take("a file that was missed").await;
                }
            }
        }
    };
    tokio::select! {
        () = work => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

/// A file half written, or a pair of which one is new: waits until two looks agree.
async fn rest(reloader: &Reloader) {
    let since = Instant::now();
    let mut now = reloader.sight().again(&reloader.source);
    while since.elapsed() < RESTLESS {
        tokio::time::sleep(LOOK).await;
        let next = now.again(&reloader.source);
        if next == now {
            return;
        }
        now = next;
    }
}
