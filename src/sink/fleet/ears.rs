//! What this task hears: news, the leader's digest, and clients that are known elsewhere.

use super::beat::{self, Digest, MAX_DIGEST};
use super::store::{Connection, Entry, field};
use super::{Fleet, clients, unix_ms, voice};
use crate::base::clock;
use crate::control::bans::{MAX_WORD, Stamp, Word};
use redis::RedisResult;

/// Entries of a stream that are read at once.
const MOST: usize = 256;

/// Up to where each stream was read.
pub(super) struct Place {
    pub(super) news: String,
    digest: String,
    clients: String,
}

impl Place {
    /// The ends of the streams as they are; clients are read on from where this task was, or from the first.
    pub(super) async fn now(fleet: &Fleet, connection: &mut Connection) -> RedisResult<Self> {
        Ok(Self {
            news: connection.last_id(&fleet.names.news).await?,
            digest: connection.last_id(&fleet.names.digest).await?,
            clients: fleet.link().clients.clone(),
        })
    }
}

/// Hears, for ever.
pub(super) async fn hear(fleet: &Fleet, mut at: Place, connection: &mut Connection) -> RedisResult<()> {
    let names = &fleet.names;
    loop {
        let from = [(&*names.news, &*at.news), (&*names.digest, &*at.digest), (&*names.history, &*at.clients)];
        for (key, entries) in connection.read(&from, MOST).await? {
            let Some((last, _)) = entries.last() else { continue };
            let last = last.clone();
            fleet.tally.fresh(clock::now());
            if key == names.news {
                // So many at once: whoever reads too slowly finds that some are gone.
                if entries.len() == MOST && connection.has_gap(&names.news, &at.news).await? {
                    voice::ask_to_compare(fleet);
                }
                news(fleet, &entries).await;
                at.news.clone_from(&last);
                fleet.link().applied = last;
            } else if key == names.digest {
                digest(fleet, &entries);
                at.digest = last;
            } else {
                clients::hear(fleet, &entries);
                at.clients.clone_from(&last);
                fleet.link().clients = last;
            }
        }
    }
}

async fn news(fleet: &Fleet, entries: &[Entry]) {
    let mut words = Vec::with_capacity(entries.len());
    let mut sent = Vec::with_capacity(entries.len());
    for (_, fields) in entries {
        let word = field(fields, "n", 64).zip(field(fields, "s", 256)).zip(field(fields, "v", MAX_WORD));
        let word = word.and_then(|((about, stamp), body)| {
            let stamp = Stamp::parse(stamp)?;
            Some(Word { about: about.into(), stamp, body: body.into(), forget_ms: 0 })
        });
        let Some(word) = word else {
            fleet.tally.fault(1, "news that can't be read");
            continue;
        };
        if &*word.stamp.task != fleet.task() {
            sent.extend(field(fields, "a", 20).and_then(|ms| ms.parse::<u64>().ok()));
            words.push(word);
        }
    }
    let (keeper, count) = (fleet.parts.keeper.clone(), words.len() as u64);
    // A full book takes some 50 ms to be put in force: not on the runtime's thread.
    let heard = tokio::task::spawn_blocking(move || keeper.hear(&words, clock::now())).await;
    let (heard, now) = (heard.unwrap_or_default(), unix_ms());
    sent.iter().for_each(|at| fleet.tally.delayed(now.saturating_sub(*at)));
    super::Tally::add(&fleet.tally.heard, count);
    super::Tally::add(&fleet.tally.spared, heard.spared);
    fleet.tally.fault(heard.faulty, heard.fault.as_deref().unwrap_or_default());
}

/// Only the latest counts.
fn digest(fleet: &Fleet, entries: &[Entry]) {
    let value =
        entries.last().and_then(|(_, fields)| fields.iter().find(|(key, _)| key == b"d")).map(|(_, value)| value);
    let read = value.filter(|value| value.len() <= MAX_DIGEST).and_then(|value| beat::unpack::<Digest>(value));
    let Some((digest, load)) = read else {
        fleet.tally.fault(1, "a digest that can't be read");
        return;
    };
    let (attack, tasks) = (digest.is_attack(), digest.tasks.max(1) as usize);
    {
        let mut link = fleet.link();
        if !link.digest.epoch.is_empty() && link.digest.epoch != digest.epoch {
            voice::ask_to_compare(fleet);
        }
        link.digest = digest;
        link.digest_at = Some(clock::now());
    }
    fleet.parts.state.flood.peers_attack(attack);
    (fleet.parts.loads.apply)(Some(load), tasks);
}
