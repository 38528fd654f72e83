//! The fleet: tasks that tell each other what they know, over a Valkey or Redis store.
//!
//! Nothing here is in the way of a request: what is heard changes tables that requests read. Where the store is away,
//! each task goes on alone with what it knows, and says so once. See docs/fleet.md.

mod beat;
mod clients;
mod ears;
mod lease;
mod names;
mod session;
mod status;
mod store;
mod voice;

pub use lease::Lease;
#[cfg(test)]
pub(crate) use status::fixture;
pub use status::{DELAY_BOUNDS_MS, Delay, FleetStatus};

use crate::ban::Network;
use crate::base::clock::{self, Time};
use crate::config::settings;
use crate::control::bans::{Keeper, Outgoing};
use crate::control::identity::Identity;
use crate::verdict::State;
use beat::{Beat, Digest};
use names::{Names, Scripts};
use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use status::Tally;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Networks whose news ids are remembered, to tell who has heard of them.
const SENT: usize = 1_024;
/// Where the leader was not heard for so long, each task is on its own.
const STALE: Duration = Duration::from_secs(3);
/// Before the first try.
const NOT_YET: &str = "not connected yet";
/// For how long something stays with the task that deals with it.
const CLAIMED: Duration = Duration::from_secs(86_400);
/// How often the lease and the leader's age are looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Makes one of what all tasks published, by task.
pub type Aggregate = Box<dyn Fn(Vec<(String, Vec<u8>)>) -> Vec<u8> + Send + Sync>;

/// Takes what was made of it, if anything was, and how many tasks live.
pub type Apply = Box<dyn Fn(Option<&[u8]>, usize) + Send + Sync>;

/// What a task publishes each second for the limits of the fleet, what the leader makes of that, and who hears it.
pub struct Loads {
    /// What this task publishes.
    pub demand: Box<dyn Fn() -> Vec<u8> + Send + Sync>,
    /// What the leader makes of what all tasks published, by task.
    pub aggregate: Aggregate,
    /// Takes what the leader made, or learns that there was nothing for too long; and how many tasks live.
    pub apply: Apply,
}

impl Default for Loads {
    /// Nothing is published.
    fn default() -> Self {
        Self { demand: Box::new(Vec::new), aggregate: Box::new(|_| Vec::new()), apply: Box::new(|_, _| ()) }
    }
}

/// What the fleet has to do with.
pub struct Parts {
    /// `[fleet]`.
    pub settings: settings::Fleet,
    /// Who this task is.
    pub identity: Identity,
    /// The book of bans.
    pub keeper: Arc<Keeper>,
    /// The flood detector and the history.
    pub state: Arc<State>,
    /// Whether challenge keys come from the fleet: no `secret_file` says what they are.
    pub share_secret: bool,
    /// For the limits of the fleet.
    pub loads: Loads,
}

/// This task's part of its fleet.
pub struct Fleet {
    parts: Parts,
    names: Names,
    scripts: Scripts,
    lease: Lease,
    tally: Tally,
    dropped: Arc<AtomicU64>,
    /// Whether all must be compared with the store.
    compare: Arc<AtomicBool>,
    link: Mutex<Link>,
    beats: AtomicU64,
    started_ms: u64,
}

/// How things stand with the store.
struct Link {
    connection: Option<MultiplexedConnection>,
    since: Time,
    fault: String,
    digest: Digest,
    /// When the leader was heard last.
    digest_at: Option<Time>,
    /// The news that was heard last, and the last of clients.
    applied: String,
    clients: String,
    /// Networks and the ids of their latest news.
    sent: VecDeque<(String, String)>,
}

/// How far a ban got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Tasks that have it in force, this one included.
    pub heard: u64,
    /// Tasks in the fleet.
    pub tasks: u64,
}

/// The store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no connection.
    #[error("the fleet's store cannot be reached")]
    Away,
    /// What it said.
    #[error("the fleet's store: {0}")]
    Store(#[from] redis::RedisError),
}

impl Fleet {
    /// Takes part in the fleet until `stop`, on the runtime that this is called on. Waits for nothing.
    pub fn join(parts: Parts, stop: watch::Receiver<bool>) -> (Arc<Self>, tokio::task::JoinHandle<()>) {
        let outgoing = parts.keeper.join(&parts.identity.task);
        let fleet = Arc::new(Self::new(parts, &outgoing));
        let running = tokio::spawn(session::run(fleet.clone(), outgoing, stop.clone()));
        tokio::spawn(fleet.clone().look(stop));
        (fleet, running)
    }

    fn new(parts: Parts, outgoing: &Outgoing) -> Self {
        parts.state.flood.history.export();
        Self {
            names: Names::new(&parts.settings.name),
            scripts: Scripts::default(),
            lease: Lease::new(),
            tally: Tally::default(),
            dropped: outgoing.dropped.clone(),
            compare: outgoing.lost.clone(),
            link: Mutex::new(Link {
                connection: None,
                since: clock::now(),
                fault: NOT_YET.into(),
                digest: Digest::default(),
                digest_at: None,
                applied: "0-0".into(),
                clients: "0-0".into(),
                sent: VecDeque::new(),
            }),
            beats: AtomicU64::new(0),
            started_ms: unix_ms(),
            parts,
        }
    }

    /// Who leads, and so who writes to AWS WAF.
    pub const fn lease(&self) -> &Lease {
        &self.lease
    }

    /// The fleet, as this task sees it.
    pub fn status(&self) -> FleetStatus {
        let (now, link) = (clock::now(), self.link());
        let mut status = FleetStatus {
            name: self.parts.settings.name.clone(),
            task: self.task().into(),
            connected: link.connection.is_some(),
            since_s: now.since(link.since).as_secs_f64(),
            fault: link.fault.clone(),
            tasks: link.digest.tasks,
            busy: link.digest.busy,
            in_attack: link.digest.attack,
            in_overload: link.digest.overload,
            leader: link.digest.leader.clone(),
            leads: self.lease.is_held(now),
            // Relaxed: for display.
            dropped: self.dropped.load(Ordering::Relaxed),
            ..FleetStatus::default()
        };
        drop(link);
        self.tally.tell(&mut status);
        status
    }

    /// How many tasks have the latest news of `network` in force; asked until all have, at most for `wait`. None where the
    /// store did not take it, or nothing was said of it.
    pub async fn reach(&self, network: Network, wait: Duration) -> Option<Reach> {
        let (about, deadline) = (network.to_string(), clock::now() + wait);
        let mut reach = None;
        loop {
            let id = self.link().sent.iter().rev().find(|(name, _)| *name == about).map(|(_, id)| id.clone());
            if let Some(id) = id {
                reach = self.heard_by(&id).await.ok();
            }
            let all = reach.is_some_and(|reach| reach.heard == reach.tasks);
            if all || clock::now() >= deadline {
                return reach;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn heard_by(&self, id: &str) -> Result<Reach, StoreError> {
        let mut quick = self.quick()?;
        let rows: HashMap<String, Vec<u8>> =
            redis::cmd("HGETALL").arg(&self.names.tasks).query_async(&mut quick).await?;
        let applied = |row: &Vec<u8>| beat::unpack::<Beat>(row).map(|(beat, _)| beat.applied);
        let others = rows.iter().filter(|(task, _)| *task != self.task()).filter_map(|(_, row)| applied(row));
        let others: Vec<String> = others.collect();
        let heard = others.iter().filter(|applied| store::order(applied) >= store::order(id)).count();
        Ok(Reach { heard: 1 + heard as u64, tasks: 1 + others.len() as u64 })
    }

    /// All that was put with [`records_put`](Self::records_put), by any task.
    ///
    /// # Errors
    /// Where the store is away, or says no.
    pub async fn records_load(&self) -> Result<HashMap<String, String>, StoreError> {
        let mut quick = self.quick()?;
        Ok(redis::cmd("HGETALL").arg(&self.names.records).query_async(&mut quick).await?)
    }

    /// What was put under these names, as far as anything was.
    ///
    /// # Errors
    /// Where the store is away, or says no.
    pub async fn records_of(&self, names: &[String]) -> Result<Vec<Option<String>>, StoreError> {
        let mut quick = self.quick()?;
        Ok(redis::cmd("HMGET").arg(&self.names.records).arg(names).query_async(&mut quick).await?)
    }

    /// Keeps values by name, in place of others.
    ///
    /// # Errors
    /// Where the store is away, or says no.
    pub async fn records_put(&self, records: &[(String, String)]) -> Result<(), StoreError> {
        self.on_records("HSET", records.chunks(1_000).map(|part| part.iter().flat_map(|(k, v)| [k, v]).collect())).await
    }

    /// Forgets the values of these names.
    ///
    /// # Errors
    /// Where the store is away, or says no.
    pub async fn records_drop(&self, names: &[String]) -> Result<(), StoreError> {
        self.on_records("HDEL", names.chunks(1_000).map(|part| part.iter().collect())).await
    }

    /// Whether this task is the one of the fleet to deal with `what`: the first that asks, for a day. Where the store is
    /// away everybody is, so it must do no harm twice.
    pub async fn claim(&self, what: &str) -> bool {
        let key = format!("{}{}", self.names.claim, hash_of(what));
        let asked = async {
            let mut quick = self.quick()?;
            let (set, get) = (redis::cmd("SET"), redis::cmd("GET"));
            let mut both = redis::pipe();
            both.add_command(set).arg(&key).arg(self.task()).arg("NX").arg("EX").arg(CLAIMED.as_secs()).ignore();
            both.add_command(get).arg(&key);
            let (holder,): (String,) = both.query_async(&mut quick).await?;
            Ok::<_, StoreError>(holder == self.task())
        };
        asked.await.unwrap_or(true)
    }

    async fn on_records<'a>(
        &self,
        command: &str,
        parts: impl Iterator<Item = Vec<&'a String>>,
    ) -> Result<(), StoreError> {
        let mut quick = self.quick()?;
        for words in parts {
            let () = redis::cmd(command).arg(&self.names.records).arg(words).query_async(&mut quick).await?;
        }
        Ok(())
    }

    /// Watches what no answer tells: that the lease runs out, and that the leader is silent.
    async fn look(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        while tokio::time::timeout(LOOK, stop.wait_for(|stop| *stop)).await.is_err() {
            let now = clock::now();
            self.lease.check(now);
            let (silent, tasks) = {
                let link = self.link();
                (link.digest_at.is_none_or(|at| now.since(at) > STALE), link.digest.tasks)
            };
            if silent {
                (self.parts.loads.apply)(None, tasks.max(1) as usize);
                self.parts.state.flood.peers_attack(false);
            }
        }
    }

    fn task(&self) -> &str {
        &self.parts.identity.task
    }

    fn quick(&self) -> Result<MultiplexedConnection, StoreError> {
        self.link().connection.clone().ok_or(StoreError::Away)
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up the lease and strikes out the heartbeat, so that the others know at once.
    async fn leave(&self, quick: &mut MultiplexedConnection) -> RedisResult<()> {
        let now = clock::now();
        self.lease.answered(false, now, now);
        let () = self.scripts.yield_lead.key(&self.names.leader).arg(self.task()).invoke_async(quick).await?;
        redis::cmd("HDEL").arg(&self.names.tasks).arg(self.task()).query_async(quick).await
    }
}

/// A name of a fixed length for anything.
fn hash_of(what: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, what.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Milliseconds since 1970.
fn unix_ms() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}
