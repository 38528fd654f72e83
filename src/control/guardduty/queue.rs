//! The queue: long polls of SQS, each message once, deleted when it has taken effect.
//!
//! Runs on every task that likes: each message goes to one of them, and bans are shared by the fleet.

use super::finding::{self, Finding, Message};
use super::seen::{CAPACITY, Seen};
use super::{GuardDutyStatus, Tally};
use crate::ban::Who;
use crate::base::clock;
use crate::config::settings::GuardDuty;
use crate::control::aws::{sdk_config, told};
use crate::control::backoff::Backoff;
use crate::control::bans::{Charge, Effect, Keeper};
use crate::verdict::Policy;
use arc_swap::ArcSwap;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message as Envelope};
use std::collections::{HashSet, VecDeque};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long SQS waits for a message before it answers.
const LONG_POLL: i32 = 20;

/// For one call, the long poll included.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most messages of one call.
const AT_ONCE: i32 = 10;

/// For how many seconds a message that can't be read is not seen again; its redrive policy counts how often it came.
const SET_ASIDE: i32 = 900;

/// How often a finding is tried that `ban.max_per_minute` has no room for: for longer than a minute.
const TRIES: u32 = 14;
const BETWEEN_TRIES: Duration = Duration::from_secs(5);

/// For how many seconds it is out of sight when all that was in vain.
const POSTPONED: i32 = 60;

/// Whether nobody in the fleet has dealt with this update of a finding yet. It is asked before the finding takes
/// effect, so that true must be said to one asker only, or to one that asks again.
pub type FirstTime = Box<dyn Fn(String) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// What findings have to do with.
pub struct Parts {
    /// The config in force.
    pub policy: Arc<ArcSwap<Policy>>,
    /// Who bans.
    pub keeper: Arc<Keeper>,
    /// Who remembers for the fleet, where there is one.
    pub first_time: Option<FirstTime>,
    /// What became of messages.
    pub tally: Arc<Tally>,
}

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It took effect, or need not.
    Done,
    /// It comes again by itself.
    Stays,
    /// It comes again after so many seconds.
    Waits(i32),
}

/// Reads the queue until `stop`.
pub async fn run(parts: Parts, mut stop: watch::Receiver<bool>) {
    let work = async {
        let client = Client::new(&sdk_config(None).await);
        let mut reader = Reader { client, parts, seen: Seen::default(), aside: HashSet::new(), order: VecDeque::new() };
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
        loop {
            match reader.round().await {
                Ok(()) => {
                    backoff.reset();
                    reader.works();
                }
                Err(why) => {
                    reader.failed(&why);
                    tokio::time::sleep(backoff.after_failure()).await;
                }
            }
        }
    };
    tokio::select! {
        () = work => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

struct Reader {
    client: Client,
    parts: Parts,
    seen: Seen,
    /// Messages that can't be read and were told already, by their ids; the oldest goes first.
    aside: HashSet<String>,
    order: VecDeque<String>,
}

impl Reader {
    async fn round(&mut self) -> Result<(), String> {
        let settings = self.settings();
        let ask = self.client.receive_message().queue_url(&settings.queue_url);
        let ask = ask.wait_time_seconds(LONG_POLL).max_number_of_messages(AT_ONCE);
        let messages = within(ask.send()).await?.messages.unwrap_or_default();
        self.count(|t| t.received += messages.len() as u64);
        let mut done = Vec::new();
        for message in messages {
            let fate = self.deal_with(&message).await?;
            let Some(handle) = message.receipt_handle else { continue };
            match fate {
                Fate::Done => done.push(handle),
                Fate::Stays => {}
                Fate::Waits(seconds) => self.hide(&settings, &handle, seconds).await?,
            }
        }
        self.delete(&settings, done).await
    }

    async fn deal_with(&mut self, message: &Envelope) -> Result<Fate, String> {
        let (settings, body) = (self.settings(), message.body.as_deref().unwrap_or_default());
        match finding::read(body, settings.min_severity) {
            Ok(Message::Passed(why)) => {
                tracing::debug!("guardduty: a finding is passed over: it {why}");
                self.count(|t| t.passed += 1);
                Ok(Fate::Done)
            }
            Ok(Message::Finding(finding)) => Ok(self.hold(&settings, finding).await),
            Err(why) => self.set_aside(&settings, message, body, &why).await,
        }
    }

    /// Holds a finding against its clients, once.
    async fn hold(&mut self, settings: &GuardDuty, finding: Finding) -> Fate {
        let Finding { id, kind, severity, created_at, updated_at, addresses } = finding;
        if !self.seen.is_news(&id, &updated_at) || !self.is_first(format!("{id} {updated_at}")).await {
            self.count(|t| t.repeated += 1);
            return Fate::Done;
        }
        let text = format!("{kind}, severity {}.{}, finding {id}", severity / 10, severity % 10);
        let charge = Charge { by: Who::Finding, text: &text, kind: &kind, created_at: &created_at };
        let mut left = self.accuse(settings, addresses, &charge);
        if !left.is_empty() {
            self.count(|t| t.postponed += 1);
        }
        // It waits here and not in the queue: no other task would take it for new. The minute has room soon.
        for _ in 0..TRIES {
            if left.is_empty() {
                break;
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
            left = self.accuse(settings, left, &charge);
        }
        if !left.is_empty() {
            return Fate::Waits(POSTPONED);
        }
        self.seen.note(&id, &updated_at);
        self.count(|t| t.acted += 1);
        Fate::Done
    }

    /// Holds it against each of `addresses`; those that there is no room for now.
    fn accuse(&self, settings: &GuardDuty, mut addresses: Vec<IpAddr>, charge: &Charge<'_>) -> Vec<IpAddr> {
        addresses.retain(|address| {
            let now = clock::now();
            let effect = self.parts.keeper.accuse(*address, settings.action, settings.duration, charge, now);
            if let Effect::Spared(why) = &effect {
                tracing::warn!("guardduty: {}: not held against {address}: {why}", charge.text);
                self.count(|t| t.spared += 1);
            }
            effect == Effect::Later
        });
        addresses
    }

    async fn is_first(&self, update: String) -> bool {
        match &self.parts.first_time {
            Some(first_time) => first_time(update).await,
            None => true,
        }
    }

    /// Puts a message away that is no finding: into its own queue, or out of sight.
    async fn set_aside(
        &mut self,
        settings: &GuardDuty,
        message: &Envelope,
        body: &str,
        why: &str,
    ) -> Result<Fate, String> {
        let id = message.message_id.clone().unwrap_or_default();
        let known = !self.aside.insert(id.clone());
        if !known {
            self.order.push_back(id);
            if self.order.len() > CAPACITY
                && let Some(oldest) = self.order.pop_front()
            {
                self.aside.remove(&oldest);
            }
            tracing::warn!("guardduty: a message {why}; it is set aside: {}", finding::excerpt(body));
            self.count(|t| t.poison += 1);
        }
        match &settings.poison_queue_url {
            // SQS takes no empty message, and nothing is lost with one.
            Some(_) if body.is_empty() => Ok(Fate::Done),
            Some(queue) => {
                within(self.client.send_message().queue_url(queue).message_body(body).send()).await?;
                Ok(Fate::Done)
            }
            None if known => Ok(Fate::Stays),
            None => Ok(Fate::Waits(SET_ASIDE)),
        }
    }

    async fn hide(&self, settings: &GuardDuty, handle: &str, seconds: i32) -> Result<(), String> {
        let ask = self.client.change_message_visibility().queue_url(&settings.queue_url).receipt_handle(handle);
        within(ask.visibility_timeout(seconds).send()).await.map(drop)
    }

    async fn delete(&self, settings: &GuardDuty, handles: Vec<String>) -> Result<(), String> {
        let entries: Result<Vec<_>, _> = handles
            .into_iter()
            .enumerate()
            .map(|(n, handle)| {
                DeleteMessageBatchRequestEntry::builder().id(n.to_string()).receipt_handle(handle).build()
            })
            .collect();
        let entries = entries.map_err(|e| e.to_string())?;
        if entries.is_empty() {
            return Ok(());
        }
        let ask = self.client.delete_message_batch().queue_url(&settings.queue_url).set_entries(Some(entries));
        match within(ask.send()).await?.failed.first() {
            Some(failed) => Err(format!("a message cannot be deleted: {}", failed.code)),
            None => Ok(()),
        }
    }

    fn works(&self) {
        let mut again = false;
        self.count(|t| again = t.failing.take().is_some());
        if again {
            tracing::info!("guardduty: the queue can be read again");
        }
    }

    fn failed(&self, why: &str) {
        let mut first = false;
        self.count(|t| {
            t.failures += 1;
            first = t.failing.replace(why.to_owned()).is_none();
        });
        if first {
            tracing::warn!("guardduty: {}: {why}; it is tried again", self.settings().queue_url);
        }
    }

    fn settings(&self) -> GuardDuty {
        self.parts.policy.load().settings.guardduty.clone()
    }

    fn count(&self, change: impl FnOnce(&mut GuardDutyStatus)) {
        self.parts.tally.count(change);
    }
}

/// The outcome of a call of SQS, within bounds.
async fn within<T, E>(call: impl Future<Output = Result<T, E>>) -> Result<T, String>
where
    E: aws_sdk_sqs::error::ProvideErrorMetadata + std::error::Error,
{
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answer) => answer.map_err(|e| told(&e)),
        Err(_) => Err(format!("no answer within {PATIENCE:?}")),
    }
}
