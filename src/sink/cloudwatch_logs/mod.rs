//! The ingress log in CloudWatch Logs, by PutLogEvents: lines of JSON, a second's worth or a full batch a call.
//!
//! The drain puts lines on a pile; one task sends them. While AWS throttles or is gone the pile holds what it can, and
//! the rest is counted as lost.

mod batch;

use crate::config::settings::Settings;
use crate::control::aws::{sdk_config, told};
use crate::control::backoff::Backoff;
use crate::event::address::Writing;
use crate::event::story::Story;
use crate::sink::lines;
use crate::sink::outlet::{Outlet, OutletStatus};
use crate::sink::pile::{Item, Pile};
use arc_swap::ArcSwap;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::operation::put_log_events::PutLogEventsOutput;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use batch::{BESIDE, MAX_BYTES, MAX_EVENT, MAX_EVENTS};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The most bytes that wait.
pub const MOST: usize = 16 << 20;

/// How long lines are collected.
const COLLECT: Duration = Duration::from_secs(1);

/// For one call.
const PATIENCE: Duration = Duration::from_secs(10);

/// The sink.
pub struct CloudWatchLogs {
    writing: ArcSwap<Writing>,
    to: String,
    pile: Arc<Pile>,
    /// Where a line is made, kept for its memory.
    line: Mutex<Vec<u8>>,
}

impl CloudWatchLogs {
    /// Starts to send, on the runtime that this is called in, as the weir of this task.
    pub fn start(settings: &Settings, task: &str) -> Self {
        let config = &settings.log.cloudwatch;
        let stream = config.stream.clone().unwrap_or_else(|| task.to_owned());
        let to = format!("{}/{stream}", config.group);
        let pile = Arc::new(Pile::new(MOST));
        let place = Place { group: config.group.clone(), stream };
        tokio::spawn(run(place, pile.clone()));
        let writing = ArcSwap::from_pointee(Writing::new(config.addresses, &settings.log));
        Self { writing, to, pile, line: Mutex::default() }
    }
}

impl Outlet for CloudWatchLogs {
    fn take(&self, story: &Story<'_>) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.clear();
        if lines::json(story, &self.writing.load(), &mut line).is_ok() && line.len() <= MAX_EVENT {
            self.pile.put(story.unix_ms(), &line);
        } else {
            self.pile.lose(1);
        }
    }

    fn flush(&self) {
        self.pile.flush();
    }

    fn reload(&self, settings: &Settings) {
        self.writing.store(Arc::new(Writing::new(settings.log.cloudwatch.addresses, &settings.log)));
    }

    fn status(&self) -> OutletStatus {
        self.pile.status("cloudwatch-logs", &self.to)
    }

    fn stop(&self, within: Duration) -> bool {
        self.pile.stop(within)
    }
}

/// Where lines go.
struct Place {
    group: String,
    stream: String,
}

/// What became of a call.
enum Fate {
    /// AWS took all but so many.
    Taken(u64),
    /// The stream must be made first.
    NoStream,
    /// AWS will never take it.
    Refused(String),
    /// It has to come again.
    Again(String),
}

async fn run(place: Place, pile: Arc<Pile>) {
    tokio::select! {
        () = work(&place, &pile) => {}
        () = pile.overdue() => {}
    }
    pile.end();
}

/// Sends until the end is asked for and nothing is left, or nothing more can be sent.
async fn work(place: &Place, pile: &Pile) {
    let client = Client::new(&sdk_config(None).await);
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
    loop {
        pile.filled(0).await;
        tokio::select! {
            () = tokio::time::sleep(COLLECT) => {}
            () = pile.filled(MAX_BYTES) => {}
        }
        if pile.is_stopping() && pile.is_empty() {
            return;
        }
        let (items, left) = batch::cut(pile.take(MAX_EVENTS, MAX_BYTES, BESIDE));
        pile.give_back(left);
        let outcome = match put(&client, place, &items).await {
            Fate::NoStream => match make(&client, place).await {
                Ok(()) => put(&client, place, &items).await,
                Err(why) => Fate::Again(why),
            },
            fate => fate,
        };
        match outcome {
            Fate::Taken(rejected) => {
                pile.done(&items, rejected.min(items.len() as u64));
                backoff.reset();
                if let Some(after) = pile.works() {
                    tracing::info!("log.cloudwatch: {}: it can be written again, after {after:.0?}", place.group);
                }
                if rejected > 0 {
                    tracing::warn!(rejected, "log.cloudwatch: AWS rejected lines as too old or too new");
                }
            }
            Fate::Refused(why) => {
                pile.done(&items, items.len() as u64);
                tracing::error!(lost = items.len(), "log.cloudwatch: {}: {why}", place.group);
            }
            Fate::NoStream | Fate::Again(_) => {
                pile.give_back(items);
                let why = if let Fate::Again(why) = outcome { why } else { "the stream is gone again".into() };
                if pile.fails(&why) {
                    tracing::warn!("log.cloudwatch: {}: {why}; it is tried again, requests go on", place.group);
                }
                if pile.is_stopping() {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(backoff.after_failure()) => {}
                    // Once more, and at once.
                    () = pile.stopping() => {}
                }
            }
        }
    }
}

async fn put(client: &Client, place: &Place, items: &[Item]) -> Fate {
    let events: Result<Vec<_>, _> = items
        .iter()
        .map(|item| {
            let text = String::from_utf8_lossy(&item.text);
            InputLogEvent::builder().timestamp(item.unix_ms as i64).message(text).build()
        })
        .collect();
    let events = match events {
        Ok(events) => events,
        Err(error) => return Fate::Refused(error.to_string()),
    };
    let ask = client.put_log_events().log_group_name(&place.group).log_stream_name(&place.stream);
    match tokio::time::timeout(PATIENCE, ask.set_log_events(Some(events)).send()).await {
        Err(_) => Fate::Again(format!("no answer within {PATIENCE:?}")),
        Ok(Ok(answer)) => Fate::Taken(rejected(&answer, items.len())),
        Ok(Err(error)) => match error.code() {
            // The answer to an earlier try was lost.
            Some("DataAlreadyAcceptedException") => Fate::Taken(0),
            Some("ResourceNotFoundException") => Fate::NoStream,
            Some("InvalidParameterException") => Fate::Refused(told(&error)),
            _ => Fate::Again(told(&error)),
        },
    }
}

/// How many of `count` lines AWS left out.
fn rejected(answer: &PutLogEventsOutput, count: usize) -> u64 {
    let Some(info) = answer.rejected_log_events_info() else { return 0 };
    let index = |n: Option<i32>| n.and_then(|n| usize::try_from(n).ok()).map(|n| n.min(count));
    let old = index(info.too_old_log_event_end_index()).max(index(info.expired_log_event_end_index())).unwrap_or(0);
    let new = index(info.too_new_log_event_start_index()).unwrap_or(count);
    (old + (count - new)).min(count) as u64
}

/// Makes the stream; the group is the operator's, for what it costs and keeps.
async fn make(client: &Client, place: &Place) -> Result<(), String> {
    let ask = client.create_log_stream().log_group_name(&place.group).log_stream_name(&place.stream);
    match tokio::time::timeout(PATIENCE, ask.send()).await {
        Err(_) => Err(format!("no answer within {PATIENCE:?}")),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) if error.code() == Some("ResourceAlreadyExistsException") => Ok(()),
        Ok(Err(error)) => Err(told(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cloudwatchlogs::types::RejectedLogEventsInfo;

    #[test]
    fn rejected_lines_are_those_before_the_old_and_from_the_new_on() {
        let count = |old: Option<i32>, expired: Option<i32>, new: Option<i32>| {
            let info = RejectedLogEventsInfo::builder().set_too_old_log_event_end_index(old);
            let info = info.set_expired_log_event_end_index(expired).set_too_new_log_event_start_index(new).build();
            rejected(&PutLogEventsOutput::builder().rejected_log_events_info(info).build(), 10)
        };
        assert_eq!(count(None, None, None), 0);
        assert_eq!(count(Some(3), None, Some(8)), 5);
        assert_eq!(count(Some(2), Some(4), None), 4);
        assert_eq!(count(Some(99), None, Some(-1)), 10);
    }
}
