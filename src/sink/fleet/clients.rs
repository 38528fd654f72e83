//! Clients that earned credit: each task tells its own, within a budget that the whole fleet shares, and hears of the
//! others'. Their credit is worth here what it was worth there, and no more.

use super::store::{Connection, Entry};
use super::{Fleet, Tally};
use crate::base::clock;
use crate::client::key::ClientKey;
use crate::flood::history::Credit;
use redis::RedisResult;
use std::net::Ipv6Addr;

/// Clients that the whole fleet tells in a second: 10,000 a minute.
const BUDGET: u64 = 166;
/// Batches that the store keeps: what a new task starts with.
const BATCHES: u64 = 4_000;
/// Clients in a batch, at most.
const BATCH: usize = BUDGET as usize;
/// Bytes of a client: its key, when it was seen first and last, and when it earned credit, in steps of the history.
const BYTES: usize = 16 + 3 * 4;

/// Tells those that earned credit since the last time, as many as may be.
pub(super) async fn tell(fleet: &Fleet, connection: &mut Connection) -> RedisResult<()> {
    let live = fleet.link().digest.tasks.max(1);
    let most = (BUDGET / live).max(1) as usize;
    let credits = fleet.parts.state.flood.history.credits(most);
    if credits.is_empty() {
        return Ok(());
    }
    let mut bytes = Vec::with_capacity(credits.len() * BYTES);
    for credit in &credits {
        bytes.extend_from_slice(&credit.client.bits().to_be_bytes());
        for step in [credit.first, credit.last, credit.credited] {
            bytes.extend_from_slice(&u32::try_from(step).unwrap_or(u32::MAX).to_be_bytes());
        }
    }
    let mut add = redis::cmd("XADD");
    add.arg(&fleet.names.history).arg("MAXLEN").arg("~").arg(BATCHES).arg("*");
    let () = add.arg("t").arg(fleet.task()).arg("c").arg(bytes).query_async(&mut connection.quick).await?;
    Tally::add(&fleet.tally.clients_sent, credits.len() as u64);
    Ok(())
}

/// Takes what others tell.
pub(super) fn hear(fleet: &Fleet, entries: &[Entry]) {
    let (history, now) = (&fleet.parts.state.flood.history, clock::now());
    for (_, fields) in entries {
        let of = |name: &[u8]| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice());
        let (Some(task), Some(bytes)) = (of(b"t"), of(b"c")) else {
            fleet.tally.fault(1, "a batch of clients that can't be read");
            continue;
        };
        if task == fleet.task().as_bytes() {
            continue;
        }
        if bytes.len() % BYTES != 0 || bytes.len() > BATCH * BYTES {
            fleet.tally.fault(1, "a batch of clients that is too long or cut short");
            continue;
        }
        let taken = bytes.chunks_exact(BYTES).filter_map(credit).filter(|credit| history.merge(credit, now)).count();
        Tally::add(&fleet.tally.clients_heard, taken as u64);
    }
}

fn credit(bytes: &[u8]) -> Option<Credit> {
    let (key, steps) = bytes.split_first_chunk::<16>()?;
    let step = |n: usize| steps.get(n * 4..)?.first_chunk().map(|four| u64::from(u32::from_be_bytes(*four)));
    let client = ClientKey::new(Ipv6Addr::from(u128::from_be_bytes(*key)).into(), 128);
    Some(Credit { client, first: step(0)?, last: step(1)?, credited: step(2)? })
}
