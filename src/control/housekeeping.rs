//! Small regular duties: forgetting debts that are over, and noticing that all clients share one key.

use crate::base::clock;
use crate::verdict::{Policy, State};
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(1);

/// Sweeps this often; the shortest period that a table allows is over half an hour.
const SWEEP: u32 = 600;

/// Does its rounds until `stop`. `warning` is what an operator should read.
pub async fn run(
    state: Arc<State>,
    policy: Arc<ArcSwap<Policy>>,
    warning: Arc<ArcSwap<Option<String>>>,
    mut stop: watch::Receiver<bool>,
) {
    let work = async {
        for round in 1u32.. {
            tokio::time::sleep(EVERY).await;
            let from = policy.load().settings.client.address_from;
            if let Some(found) = state.shared_key.verdict(from, clock::now()) {
                let text = found.to_string();
                tracing::error!("{text}");
                warning.store(Arc::new(Some(text)));
            }
            if round % SWEEP == 0 {
                let state = state.clone();
                // Some milliseconds a table: not on the runtime's thread.
                let _ = tokio::task::spawn_blocking(move || {
                    state.tables.sweep(clock::now());
                    state.flood.sweep(clock::now());
                })
                .await;
            }
        }
    };
    tokio::select! {
        () = work => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}
