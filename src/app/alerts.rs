//! Joins alerts with the figures of this weir, and with those who are told.

use super::others::Others;
use crate::admin::{Live, Source};
use crate::config::settings::Settings;
use crate::control::alert::tell::webhook::Webhook;
use crate::control::alert::tell::{Outbox, Way};
use crate::control::alert::{Board, Parts, Watch};
use crate::event::news::NewsQueue;
use crate::proxy::Edge;
use crate::sink::fleet::Fleet;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long the fleet's store may take to say whose turn it is; then this task tells.
const CLAIM: Duration = Duration::from_secs(2);

/// For the last messages; their senders have a deadline of their own.
const LAST_WORDS: Duration = Duration::from_millis(1_500);

/// Who is told, and where all is shown.
pub(super) struct Tellers {
    pub(super) board: Arc<Board>,
    running: Vec<JoinHandle<()>>,
}

/// The watch, and the senders.
pub(super) struct Alerts {
    watch: Watch,
    running: Vec<JoinHandle<()>>,
}

/// Starts the senders that the config asks for, until `stop`.
pub(super) fn prepare(runtime: &Runtime, settings: &Settings, stop: &watch::Sender<bool>) -> anyhow::Result<Tellers> {
    let (mut outboxes, mut running) = (Vec::new(), Vec::new());
    let mut add = |to: &'static str, way: Box<dyn Way>| {
        let (outbox, stop) = (Arc::new(Outbox::new(to)), stop.subscribe());
        outboxes.push(outbox.clone());
        running.push(runtime.spawn(async move { outbox.run(&*way, stop).await }));
    };
    let alerts = &settings.alerts;
    if let Some(webhook) = Webhook::new(alerts).map_err(|e| anyhow::anyhow!("alerts.webhook: {e}"))? {
        add("webhook", Box::new(webhook));
    }
    #[cfg(feature = "aws")]
    if let Some(arn) = alerts.sns_topic.clone() {
        use crate::control::alert::tell::sns::Topic;
        add("sns", Box::new(runtime.block_on(Topic::new(arn))));
    }
    Ok(Tellers { board: Arc::new(Board::new(outboxes)), running })
}

/// Starts to look.
pub(super) fn watch(
    runtime: &Runtime,
    tellers: Tellers,
    edge: &Edge,
    live: &Arc<Live>,
    others: &Others,
    news: Arc<NewsQueue>,
) -> anyhow::Result<Alerts> {
    let Tellers { board, running } = tellers;
    let (status, flood, policy) = (live.clone(), live.clone(), edge.policy.clone());
    let watch = Watch::start(Parts {
        settings: Box::new(move || policy.load().settings.clone()),
        status: Box::new(move || status.status()),
        flood: Box::new(move || flood.flood()),
        claim: claim(runtime, others.fleet.as_ref().map(|joined| joined.fleet.clone())),
        identity: live.identity.clone(),
        news,
        board,
    })?;
    Ok(Alerts { watch, running })
}

/// Asks the fleet whose turn it is.
fn claim(runtime: &Runtime, fleet: Option<Arc<Fleet>>) -> Box<dyn Fn(&str) -> bool + Send> {
    let Some(fleet) = fleet else { return Box::new(|_| true) };
    let handle = runtime.handle().clone();
    Box::new(move |what| {
        let asked = async { tokio::time::timeout(CLAIM, fleet.claim(what)).await };
        handle.block_on(asked).unwrap_or(true)
    })
}

impl Alerts {
    /// Ends the watch, and waits a little for what is still to be told.
    pub(super) fn end(self, runtime: &Runtime) {
        drop(self.watch);
        let all = async {
            for running in self.running {
                // One that panicked has said so.
                let _ = running.await;
            }
        };
        if runtime.block_on(async { tokio::time::timeout(LAST_WORDS, all).await }).is_err() {
            tracing::warn!("alerts: the last messages could not be sent");
        }
    }
}
