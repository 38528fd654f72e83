//! What memory a config takes, asked of the very things that `start` makes.

use super::{RECENT, machine};
use crate::ban::{Book, Offences, book};
use crate::control::recent::Recent;
use crate::control::timeline::Timeline;
use crate::event::queue::Queue;
use crate::proxy::{self, Replies};
use crate::sink::access_log::AccessLog;
use crate::sink::netflow::NetFlow;
use crate::sink::syslog;
use crate::verdict::counters::Counters;
use crate::verdict::{Policy, State};

/// Code, libraries, threads and runtimes, before there is any state. Measured.
const PROCESS: usize = 28 << 20;

/// As of the sink, which is not there without the SDK.
const CLOUDWATCH_LOGS: usize = 16 << 20;

/// One kind of thing that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub what: String,
    /// How many there are at most.
    pub count: usize,
    /// Bytes of one.
    pub each: usize,
    /// There whether or not anybody connects.
    pub fixed: bool,
}

/// All that a config makes weir hold at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Part by part.
    pub rows: Vec<Row>,
    /// What an attack can add: every connection with a head that is never whole.
    pub unfinished_heads: usize,
}

impl Memory {
    /// What `policy` and `state` take, with what `start` puts beside them.
    pub fn of(policy: &Policy, state: &State) -> Self {
        let mut rows = vec![row("weir itself", 1, PROCESS)];
        for limit in &policy.limits {
            rows.push(row(&format!("limit {}", limit.name), 1, limit.table.bytes()));
        }
        rows.extend(fixed(policy, state));
        rows.extend(in_use(policy));
        let listen = &policy.settings.listen;
        let unfinished_heads = listen.max_connections as usize * proxy::memory::of_unfinished_head(listen);
        Self { rows, unfinished_heads }
    }

    /// What there is without a single connection.
    pub fn fixed(&self) -> usize {
        self.rows.iter().filter(|row| row.fixed).map(Row::bytes).sum()
    }

    /// With every connection and every request that the config allows.
    pub fn most(&self) -> usize {
        self.rows.iter().map(Row::bytes).sum()
    }
}

impl Row {
    /// All of them.
    pub const fn bytes(&self) -> usize {
        self.count * self.each
    }
}

fn row(what: &str, count: usize, each: usize) -> Row {
    Row { what: what.to_owned(), count, each, fixed: true }
}

fn fixed(policy: &Policy, state: &State) -> [Row; 10] {
    let settings = &policy.settings;
    let lists = policy.allow.bytes() + policy.deny.bytes() + policy.trusted.bytes();
    let replies = Replies::load(&settings.reply).map_or(0, |replies| replies.memory());
    [
        row("lists; a reload holds the old ones too", 2, lists),
        row("counts of what is in flight", 1, state.in_flight.bytes()),
        row("counts of connections", 1, state.connections.bytes()),
        row("counters", 1, Counters::memory()),
        row("event queue", 1, Queue::new().memory()),
        row("latest refusals, for weir why", 1, Recent::with_capacity(RECENT).memory()),
        row("the last hour, for the live page", 1, Timeline::memory()),
        row("bodies of refusals", 1, replies),
        row("counts of offences", 1, Offences::memory()),
        row("floods: known clients, windows, limits", 1, state.flood.bytes()),
    ]
}

/// What only traffic fills.
fn in_use(policy: &Policy) -> [Row; 7] {
    let settings = &policy.settings;
    let (listen, origin) = (&settings.listen, &settings.origin);
    let used = |what: &str, count: usize, each: usize| Row { fixed: false, ..row(what, count, each) };
    let to_origin = proxy::memory::origin_connections(machine::worker_count(settings), origin.max_in_flight);
    [
        used("connections of clients", listen.max_connections as usize, proxy::memory::of_connection(listen)),
        used("requests in flight", origin.max_in_flight as usize, proxy::memory::of_request()),
        used("connections to the origin", to_origin, proxy::memory::of_origin_connection()),
        used("bans, 100,000 of them", 1, book::CAPACITY * Book::MEMORY_OF_ONE),
        used("access log, lines that wait", 1, AccessLog::memory(&settings.log.access)),
        used("netflow, flows that wait", usize::from(settings.netflow.enabled), NetFlow::memory()),
        used("syslog, messages that wait", usize::from(settings.syslog.enabled), syslog::MOST),
        used("CloudWatch Logs, lines that wait", usize::from(settings.log.cloudwatch.enabled), CLOUDWATCH_LOGS),
    ]
}
