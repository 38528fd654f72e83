//! Origin names resolved again and again, so that endpoints follow ECS Service Connect and Cloud Map.

use crate::config::settings;
use crate::origin::{self, MAX_ADDRESSES, Pool, Resolved};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// For one resolution of all names; a resolver that takes longer has failed.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// How often the settings are looked at for another interval.
const SETTINGS_POLL: Duration = Duration::from_millis(500);

/// A name without an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What the resolver said.
    pub reason: String,
}

/// Resolves the names of `origin` into `pool`, in at most `bound`. Call it before serving, and before
/// [`Pool::reconfigure`] with the settings to come. A name that fails is logged, returned, and keeps its last addresses.
pub async fn resolve_once(pool: &Pool, origin: &settings::Origin, bound: Duration) -> Vec<Unresolved> {
    let mut lookups = JoinSet::new();
    for (host, port) in origin::names(origin) {
        lookups.spawn(async move {
            let found = timeout(bound, lookup(&host, port)).await;
            let found = found.unwrap_or_else(|_| Err(format!("no answer within {bound:?}")));
            (host, port, found)
        });
    }
    let mut unresolved = Vec::new();
    while let Some(joined) = lookups.join_next().await {
        // A lookup does not panic and nobody aborts it; if it did, the name only keeps its addresses.
        let Ok((host, port, found)) = joined else { continue };
        if let Err(reason) = found.and_then(|addrs| take(pool, &host, port, &addrs)) {
            tracing::warn!(host, port, reason, "origin name not resolved, keeping its last addresses");
            unresolved.push(Unresolved { host, port, reason });
        }
    }
    unresolved
}

fn take(pool: &Pool, host: &str, port: u16, addrs: &[SocketAddr]) -> Result<(), String> {
    match pool.set_resolved(host, port, addrs) {
        Resolved::Kept => return Err("the name has no address".to_owned()),
        Resolved::Same => {}
        Resolved::Changed => {
            let ignored = addrs.len().saturating_sub(MAX_ADDRESSES);
            tracing::info!(host, port, ?addrs, ignored, "origin addresses changed");
        }
    }
    Ok(())
}

/// Addresses of one family. A name that has both most often names the same machines twice, which would count each of
/// them double; IPv4 goes first because every subnet routes it.
async fn lookup(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let found: Vec<_> = tokio::net::lookup_host((host, port)).await.map_err(|e| e.to_string())?.collect();
    let (mut v4, mut v6): (Vec<_>, Vec<_>) = found.into_iter().partition(SocketAddr::is_ipv4);
    let addrs = if v4.is_empty() { &mut v6 } else { &mut v4 };
    addrs.sort_unstable();
    addrs.dedup();
    Ok(std::mem::take(addrs))
}

/// Resolves every `resolve_interval` of the settings in force until `stop` is true or gone.
pub async fn run(pool: Arc<Pool>, mut stop: watch::Receiver<bool>) {
    let work = async {
        loop {
            pause(|| pool.settings().resolve_interval).await;
            let settings = pool.settings();
            resolve_once(&pool, &settings, LOOKUP_TIMEOUT).await;
        }
    };
    tokio::select! {
        () = work => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

/// Sleeps for an interval that may change meanwhile.
pub(super) async fn pause(interval: impl Fn() -> Duration) {
    let start = Instant::now();
    loop {
        let left = interval().saturating_sub(start.elapsed());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(SETTINGS_POLL)).await;
    }
}
