//! Keeps the history: forgets what is over, saves it on a schedule and at the end.

use crate::base::clock;
use crate::flood::history::History;
use crate::verdict::{Policy, State};
use arc_swap::ArcSwap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The longest pause, whatever is saved.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
const _: () = assert!(SWEEP_EVERY.as_secs() < History::SWEEP_PERIOD.as_secs());

/// Sweeps and, where there is a `file`, saves: as often as the config in force says, at least hourly, until `stop`, then once more.
pub async fn run(
    state: Arc<State>,
    file: Option<PathBuf>,
    policy: Arc<ArcSwap<Policy>>,
    mut stop: watch::Receiver<bool>,
) {
    let file = file.map(Arc::<Path>::from);
    loop {
        let save_every = policy.load().settings.flood.history.save_every;
        let last = tokio::select! {
            () = tokio::time::sleep(save_every.min(SWEEP_EVERY)) => false,
            // The sender gone is the end too.
            _ = stop.wait_for(|stop| *stop) => true,
        };
        let (state, file) = (state.clone(), file.clone());
        // Some milliseconds, and a disk: not on the runtime's thread. Awaited here, so that two never save at once.
        let _ = tokio::task::spawn_blocking(move || keep(&state.flood.history, file.as_deref())).await;
        if last {
            return;
        }
    }
}

fn keep(history: &History, file: Option<&Path>) {
    let now = clock::now();
    let filled = history.sweep(now);
    let Some(file) = file else { return };
    match history.save(file, now) {
        Ok(bytes) => tracing::debug!("saved {} known clients to {} ({bytes} bytes)", filled.clients, file.display()),
        Err(e) => tracing::warn!("the history can't be saved to {}: {e}", file.display()),
    }
}

/// The Unix time in seconds at the zero of the scale of [`clock::now`]: what a [`History`] is made with.
pub fn unix_zero() -> u64 {
    clock::unix_nanos(clock::Time::from_nanos(0)) / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::key::ClientKey;
    use crate::flood::history::Sizes;
    use crate::limit::seeds::Seeds;
    use crate::verdict::policy::Networks;

    #[tokio::test]
    async fn it_saves_at_the_end() {
        let (dir, sizes) = (tempfile::tempdir().unwrap(), Sizes { clients: 8, net24: 8, net16: 8 });
        let (path, seeds) = (dir.path().join("history"), Seeds::fixed(1));
        let state = Arc::new(State::with(History::new(sizes, seeds, unix_zero()), move || seeds));
        state.flood.history.good(ClientKey::new([192, 0, 2, 7].into(), 64), clock::now());
        let (stop, stopped) = watch::channel(false);
        let settings = crate::config::load_str("[origin]\naddresses = [\"demo\"]\n", "a.toml").unwrap().settings;
        let policy = Policy::compile(settings.into(), &Networks::default(), &state, clock::now());
        let task = tokio::spawn(run(state, Some(path.clone()), Arc::new(ArcSwap::from_pointee(policy)), stopped));
        stop.send(true).unwrap();
        task.await.unwrap();
        let (loaded, message) = History::open(&path, sizes, seeds, unix_zero(), clock::now());
        assert_eq!((loaded.filled().clients, message), (1, None));
    }
}
