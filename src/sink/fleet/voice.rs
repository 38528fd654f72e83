//! What this task says: its news at once, its heartbeat each second, all it knows where the store knows less; and, where
//! it leads, the digest of all.

use super::beat::{self, Beat, Census, MAX_BEAT, Round};
use super::store::{self, Connection, Row};
use super::{Fleet, SENT, clients, unix_ms};
use crate::base::clock;
use crate::control::bans::{MAX_WORD, Outgoing, Stamp, Word};
use crate::flood::challenge;
use crate::limit::seeds::Seeds;
use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// Words that are sent together.
const TOGETHER: usize = 64;
/// The longest row of the hash of bans.
const MAX_ROW: usize = MAX_WORD + 512;
/// Seconds between two sweeps of the store by the leader.
const SWEEP: u64 = 300;
/// Digests that the store keeps.
const DIGESTS: u64 = 4;
/// Above this rate a task carries load, in requests a second.
const BUSY: f64 = 1.0;
/// How long the state of the whole fleet may wait to be compared again.
const PATIENCE: Duration = Duration::from_millis(500);

/// All must be compared with the store soon.
pub(super) fn ask_to_compare(fleet: &Fleet) {
    // Relaxed: a flag that the next look finds; what is compared is behind its own locks.
    fleet.compare.store(true, Ordering::Relaxed);
}

/// Sends what happens, as it happens, for ever.
pub(super) async fn speak(fleet: &Fleet, outgoing: &mut Outgoing, connection: &mut Connection) -> RedisResult<()> {
    let mut words = Vec::with_capacity(TOGETHER);
    loop {
        // Relaxed: as in `ask_to_compare`.
        if fleet.compare.load(Ordering::Relaxed) {
            compare(fleet, outgoing, connection).await?;
        }
        words.clear();
        let Ok(count) = tokio::time::timeout(PATIENCE, outgoing.words.recv_many(&mut words, TOGETHER)).await else {
            continue;
        };
        if count == 0 {
            // Nobody speaks any more: the process is about to end.
            return std::future::pending().await;
        }
        send(fleet, &words, &mut connection.quick).await?;
    }
}

/// Sends the last words of a task that leaves.
pub(super) async fn flush(fleet: &Fleet, words: &[Word], quick: &mut MultiplexedConnection) -> RedisResult<()> {
    for words in words.chunks(TOGETHER) {
        send(fleet, words, quick).await?;
    }
    Ok(())
}

async fn send(fleet: &Fleet, words: &[Word], quick: &mut MultiplexedConnection) -> RedisResult<()> {
    let ids = store::put(quick, &fleet.scripts, &fleet.names, words, unix_ms()).await?;
    let mut link = fleet.link();
    for (word, id) in words.iter().zip(ids) {
        let Some(id) = id else { continue };
        super::Tally::add(&fleet.tally.sent, 1);
        if link.sent.len() == SENT {
            link.sent.pop_front();
        }
        link.sent.push_back((word.about.clone(), id));
    }
    Ok(())
}

/// Takes all that the store knows, and gives it what it lacks: of this task's own, and where it leads of everybody's, for
/// some of those who said it may be gone.
pub(super) async fn compare(fleet: &Fleet, outgoing: &mut Outgoing, connection: &mut Connection) -> RedisResult<()> {
    // Relaxed: as in `ask_to_compare`. First, so that what finds no room from now on is noticed.
    fleet.compare.store(false, Ordering::Relaxed);
    // What waits is in the book already, and is found there.
    while outgoing.words.try_recv().is_ok() {}
    share_secret(fleet, connection).await?;
    let (rows, long) = connection.scan(&fleet.scripts, &fleet.names.bans, MAX_ROW).await?;
    fleet.tally.fault(long, "a ban that is too long");
    let stored = words(fleet, &rows);
    let keeper = fleet.parts.keeper.clone();
    let leads = fleet.lease.is_held(clock::now());
    // A hundred thousand of them take a while: not on the runtime's thread.
    let compared = tokio::task::spawn_blocking(move || {
        let (now, heard) = (clock::now(), keeper.hear(&stored, clock::now()));
        let known: HashMap<&str, &Stamp> = stored.iter().map(|w| (w.about.as_str(), &w.stamp)).collect();
        let lacks = |about: &str, stamp: &Stamp, own: bool| {
            (own || leads) && known.get(about).is_none_or(|known| *known < stamp)
        };
        (heard, keeper.words(lacks, now))
    });
    let Ok((heard, lacking)) = compared.await else { return Ok(()) };
    super::Tally::add(&fleet.tally.spared, heard.spared);
    fleet.tally.fault(heard.faulty, heard.fault.as_deref().unwrap_or_default());
    flush(fleet, &lacking, &mut connection.quick).await
}

/// The words in rows of the hash of bans.
fn words(fleet: &Fleet, rows: &[Row]) -> Vec<Word> {
    let found: Vec<Word> = rows.iter().filter_map(|(about, value)| word(about, value)).collect();
    fleet.tally.fault((rows.len() - found.len()) as u64, "a ban that can't be read");
    found
}

fn word(about: &[u8], value: &[u8]) -> Option<Word> {
    let (about, value) = (std::str::from_utf8(about).ok()?, std::str::from_utf8(value).ok()?);
    let (ms, rest) = value.split_once(' ')?;
    let (task, body) = rest.split_once(' ')?;
    let stamp = Stamp::parse(&format!("{ms} {task}"))?;
    let forget = serde_json::from_str::<Forget>(body).map_or(u64::MAX, |f| f.forget);
    Some(Word { about: about.into(), stamp, body: body.into(), forget_ms: forget })
}

#[derive(serde::Deserialize)]
struct Forget {
    forget: u64,
}

/// Makes this task's random secret the fleet's, or the fleet's this task's.
async fn share_secret(fleet: &Fleet, connection: &mut Connection) -> RedisResult<()> {
    let own = challenge::own_secret();
    let (key, quick) = (&fleet.names.secret, &mut connection.quick);
    let () = redis::cmd("SET").arg(key).arg(&own[..]).arg("NX").query_async(quick).await?;
    let stored: Vec<u8> = connection.head(key, 33).await?;
    match <[u8; 32]>::try_from(stored) {
        Ok(secret) => {
            if fleet.parts.share_secret && secret != own {
                challenge::adopt_secret(secret);
            }
            fleet.parts.state.flood.draw_by(challenge::lottery(&secret));
        }
        Err(_) => fleet.tally.fault(1, "a secret that is none"),
    }
    Ok(())
}

/// Shows that this task lives, for ever; and where it leads, tells all how all are.
pub(super) async fn beat(fleet: &Fleet, connection: &mut Connection) -> RedisResult<()> {
    let mut turns = tokio::time::interval(Duration::from_secs(1));
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut census = Census::default();
    // Not all at once, where many became leaders after each other.
    let mut until_sweep = 10 + Seeds::random().hash(2) % 60;
    loop {
        turns.tick().await;
        let mut beat = beat::pack(&beat_of(fleet), &(fleet.parts.loads.demand)());
        if beat.len() > MAX_BEAT {
            fleet.tally.fault(1, "this task's own demand, which is too long to be sent");
            beat = beat::pack(&beat_of(fleet), &[]);
        }
        let () = redis::cmd("HSET")
            .arg(&fleet.names.tasks)
            .arg(fleet.task())
            .arg(beat)
            .query_async(&mut connection.quick)
            .await?;
        clients::tell(fleet, connection).await?;
        if !fleet.lease.is_held(clock::now()) {
            census = Census::default();
            continue;
        }
        digest(fleet, &mut census, connection).await?;
        until_sweep -= 1;
        if until_sweep == 0 {
            until_sweep = SWEEP;
            sweep(fleet, connection).await?;
        }
    }
}

fn beat_of(fleet: &Fleet) -> Beat {
    let view = fleet.parts.state.flood.view();
    Beat {
        identity: fleet.parts.identity.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        started: fleet.started_ms,
        flood: view.state.name().into(),
        busy: view.forwarded + view.refused > BUSY,
        bans: fleet.parts.keeper.status(clock::now()).active,
        // Relaxed: hands out numbers.
        count: fleet.beats.fetch_add(1, Ordering::Relaxed),
        applied: fleet.link().applied.clone(),
    }
}

/// The leader's round: reads all heartbeats and says what they come to.
async fn digest(fleet: &Fleet, census: &mut Census, connection: &mut Connection) -> RedisResult<()> {
    let (rows, long) = connection.scan(&fleet.scripts, &fleet.names.tasks, MAX_BEAT + 256).await?;
    let Round { mut digest, loads, gone, faulty } = census.take(rows, clock::now());
    fleet.tally.fault(long + faulty, "a heartbeat that can't be read");
    if !gone.is_empty() {
        let () = redis::cmd("HDEL").arg(&fleet.names.tasks).arg(gone).query_async(&mut connection.quick).await?;
    }
    digest.leader = fleet.task().into();
    // Another where the store has lost all that it knew; then its lease is lost too, and a new one comes later.
    digest.epoch = connection.head(&fleet.names.epoch, 64).await?;
    let bytes = beat::pack(&digest, &(fleet.parts.loads.aggregate)(loads));
    if bytes.len() > beat::MAX_DIGEST {
        fleet.tally.fault(1, "this task's own digest, which is too long to be sent");
        return Ok(());
    }
    let mut add = redis::cmd("XADD");
    add.arg(&fleet.names.digest).arg("MAXLEN").arg(DIGESTS).arg("*").arg("d").arg(bytes);
    add.query_async(&mut connection.quick).await
}

/// Strikes out what nobody needs to know any more.
async fn sweep(fleet: &Fleet, connection: &mut Connection) -> RedisResult<()> {
    let (rows, _) = connection.scan(&fleet.scripts, &fleet.names.bans, MAX_ROW).await?;
    // A minute, for those whose clocks are behind.
    let now = unix_ms().saturating_sub(60_000);
    let over = rows.iter().filter_map(|(about, value)| word(about, value)).filter(|word| word.forget_ms < now);
    for word in over {
        let mut forget = fleet.scripts.forget.key(&fleet.names.bans);
        let forget = forget.arg(&word.about).arg(word.stamp.to_string());
        let _: u64 = forget.invoke_async(&mut connection.quick).await?;
    }
    Ok(())
}
