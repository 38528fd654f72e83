//! Puts the loop together as the config says.

use super::api::Sets;
use super::bans::Bans;
use super::file::FileStore;
use super::record::{Both, Memory, Store};
use super::writer::{Parts, Writer};
use crate::config::settings::Waf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// A loop that hands `bans` to `sets`, ready to be run. `lease` says whether this weir writes; `shared` is the fleet's
/// store, if there is one.
pub fn writer(
    waf: &Waf,
    bans: Bans,
    sets: Arc<dyn Sets>,
    lease: watch::Receiver<bool>,
    shared: Option<Arc<dyn Store>>,
) -> Writer {
    let file = waf.file.clone().map(FileStore::new);
    let store: Arc<dyn Store> = match (shared, file) {
        (Some(shared), Some(file)) => Arc::new(Both(shared, file)),
        (Some(shared), None) => shared,
        (None, Some(file)) => Arc::new(file),
        (None, None) => {
            tracing::warn!(
                "waf: neither waf.file nor a fleet keeps records: what a crash leaves in the sets stays there"
            );
            Arc::new(Memory::default())
        }
    };
    let unix_ms = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
    let changed = bans.keeper.changes();
    Writer::new(waf, Parts { source: Arc::new(bans), changed, lease, store, sets, unix_ms: Arc::new(unix_ms) })
}
