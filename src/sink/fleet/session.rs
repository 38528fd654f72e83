//! One connection after another: connect, compare all, then speak, hear and lead until something fails.

use super::lease::RENEW;
use super::store::{self, Connection};
use super::{Fleet, ears, voice};
use crate::base::clock;
use crate::control::bans::Outgoing;
use crate::limit::seeds::Seeds;
use redis::RedisResult;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The first pause after a failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// A session that lasted so long was a good one: the next pause is the first again.
const GOOD: Duration = Duration::from_secs(10);
/// For saying goodbye.
const GOODBYE: Duration = Duration::from_millis(500);

/// Takes part until `stop`.
pub(super) async fn run(fleet: Arc<Fleet>, mut outgoing: Outgoing, mut stop: watch::Receiver<bool>) {
    let mut pause = PAUSES.0;
    loop {
        let began = clock::now();
        let fault = tokio::select! {
            fault = session(&fleet, &mut outgoing) => fault,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        fleet.lost(&fault);
        if clock::now().since(began) > GOOD {
            pause = PAUSES.0;
        }
        // Half of it by chance: tasks that lost the store together must not come back together.
        let share = (Seeds::random().hash(1) >> 11) as f64 / (1u64 << 53) as f64;
        if tokio::time::timeout(pause.mul_f64(0.5 + share / 2.0), stop.wait_for(|stop| *stop)).await.is_ok() {
            break;
        }
        pause = (pause * 2).min(PAUSES.1);
    }
    if let Ok(mut quick) = fleet.quick() {
        let words = std::iter::from_fn(|| outgoing.words.try_recv().ok()).collect::<Vec<_>>();
        let goodbye = async {
            voice::flush(&fleet, &words, &mut quick).await?;
            fleet.leave(&mut quick).await
        };
        let goodbye = tokio::time::timeout(GOODBYE, goodbye).await;
        if !matches!(goodbye, Ok(Ok(()))) {
            tracing::debug!("no goodbye reached the fleet: it will miss this task in some seconds");
        }
    }
}

/// Why the session ended.
async fn session(fleet: &Fleet, outgoing: &mut Outgoing) -> String {
    let connection = match store::connect(&fleet.parts.settings, &fleet.scripts).await {
        Ok(connection) => connection,
        Err(why) => return why,
    };
    match live(fleet, outgoing, connection).await {
        Ok(()) => "the session ended".into(),
        Err(e) => e.to_string(),
    }
}

async fn live(fleet: &Fleet, outgoing: &mut Outgoing, connection: Connection) -> RedisResult<()> {
    let (mut speaking, mut hearing, mut beating, mut leading) =
        (connection.clone(), connection.clone(), connection.clone(), connection);
    // From here on nothing is missed: what happens while all is compared is news.
    let from = ears::Place::now(fleet, &mut hearing).await?;
    voice::compare(fleet, outgoing, &mut speaking).await?;
    fleet.link().applied.clone_from(&from.news);
    fleet.found(&leading);
    tokio::try_join!(
        voice::speak(fleet, outgoing, &mut speaking),
        ears::hear(fleet, from, &mut hearing),
        voice::beat(fleet, &mut beating),
        lead(fleet, &mut leading),
    )?;
    Ok(())
}

/// Asks for the lease, or renews it, for ever.
async fn lead(fleet: &Fleet, connection: &mut Connection) -> RedisResult<()> {
    let mut turns = tokio::time::interval(RENEW);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let (sent, led) = (clock::now(), fleet.lease.is_held(clock::now()));
        let mut ask = fleet.scripts.lead.key(&fleet.names.leader);
        let ask = ask.key(&fleet.names.epoch).arg(fleet.task()).arg(super::lease::LASTS.as_millis() as u64);
        let ask = ask.arg(format!("{:016x}", Seeds::random().hash(3)));
        let granted: bool = ask.invoke_async(&mut connection.quick).await?;
        let now = clock::now();
        fleet.lease.answered(granted, sent, now);
        if fleet.lease.is_held(now) && !led {
            tracing::info!("this weir leads the fleet {:?}", fleet.parts.settings.name);
            voice::ask_to_compare(fleet);
        }
    }
}

impl Fleet {
    /// The store answers.
    fn found(&self, connection: &Connection) {
        let mut link = self.link();
        link.connection = Some(connection.quick.clone());
        link.since = clock::now();
        link.fault.clear();
        tracing::info!("the fleet's store answers; this weir is {} of {:?}", self.task(), self.parts.settings.name);
    }

    /// The store does not answer: said once, until it does.
    fn lost(&self, why: &str) {
        let mut link = self.link();
        let first = link.connection.take().is_some() || link.fault == super::NOT_YET;
        link.fault = why.to_owned();
        if first {
            link.since = clock::now();
            tracing::warn!("the fleet's store cannot be reached: {why}; this weir acts alone");
        }
    }
}
