//! What a config did to a log, counted.

use super::engine::Challenges;
use super::series::Series;
use crate::flood::state::{Change, FloodState};
use crate::verdict::reason::Reason;
use crate::verdict::{Fate, Verdict};
use std::collections::HashMap;
use std::net::IpAddr;

/// The most clients that are told apart; the requests of further ones are counted, but not whose they are.
pub const MOST_CLIENTS: usize = 2_000_000;

/// Why a request ended as it did: the reason, and the limit where it was one, as an index into the policy's limits.
pub type Why = (Reason, Option<u8>);

/// What became of a client that was not served whole.
#[derive(Clone, Debug, Default)]
pub struct Refused {
    /// Requests refused, by why.
    pub by: Vec<(Why, u64)>,
    /// When the first of them came, in seconds since 1970.
    pub first: f64,
    /// When the last came.
    pub last: f64,
}

impl Refused {
    /// How many.
    pub fn count(&self) -> u64 {
        self.by.iter().map(|(_, count)| count).sum()
    }
}

/// All that a config did.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Verdicts: forward, refuse, challenge, close.
    pub fates: [u64; 4],
    /// Requests by why they ended as they did.
    pub by: HashMap<Why, u64>,
    /// What limits that only observe would have refused, by the index of their counter.
    pub observed: HashMap<u32, u64>,
    /// Clients that were not served whole.
    pub refused: HashMap<IpAddr, Refused>,
    /// Over time.
    pub series: Series,
    /// Seconds in each state, in the order of [`FloodState::ALL`].
    pub seconds: [f64; 4],
    /// Requests that waited for their turn; the longest wait in seconds.
    pub waited: (u64, f64),
    /// Challenges.
    pub challenges: Challenges,
    /// Steps of the ban ladder.
    pub bans: u64,
    /// Changes of state.
    pub changes: Vec<Change>,
    last: Option<(f64, FloodState)>,
}

/// A fate's place in [`Tally::fates`].
pub const fn place(fate: Fate) -> usize {
    match fate {
        // No log has requests for weir itself: what is sent there once a challenge is passed is not written down.
        Fate::Forward | Fate::Own => 0,
        Fate::Refuse => 1,
        Fate::Challenge => 2,
        Fate::Close => 3,
    }
}

/// A fate as verdicts name it.
pub const fn word(fate: Fate) -> &'static str {
    ["forward", "refuse", "challenge", "close"][place(fate)]
}

impl Tally {
    /// Counts one request that was decided at `t`.
    pub fn add(&mut self, t: f64, client: IpAddr, verdict: &Verdict, state: FloodState) {
        self.fates[place(verdict.fate)] += 1;
        let why = (verdict.reason, verdict.limit);
        *self.by.entry(why).or_default() += 1;
        let mut mask = verdict.observed;
        while mask != 0 {
            *self.observed.entry(mask.trailing_zeros()).or_default() += 1;
            mask &= mask - 1;
        }
        let delay = verdict.delay.as_secs_f64();
        let forwarded = verdict.fate == Fate::Forward;
        self.series.add(t, forwarded.then_some(delay), state);
        if let Some((before, state)) = self.last.replace((t, state)) {
            self.seconds[state as usize] += t - before;
        }
        if !forwarded {
            self.refuse(t, client, why);
        } else if delay > 0.0 {
            self.waited = (self.waited.0 + 1, self.waited.1.max(delay));
        }
    }

    fn refuse(&mut self, t: f64, client: IpAddr, why: Why) {
        if self.refused.len() >= MOST_CLIENTS && !self.refused.contains_key(&client) {
            return;
        }
        let of_client = self.refused.entry(client).or_insert_with(|| Refused { first: t, ..Refused::default() });
        of_client.last = t;
        match of_client.by.iter_mut().find(|(known, _)| *known == why) {
            Some((_, count)) => *count += 1,
            None => of_client.by.push((why, 1)),
        }
    }

    /// All requests.
    pub fn requests(&self) -> u64 {
        self.fates.iter().sum()
    }
}

/// Who came, whatever became of it.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    known: HashMap<IpAddr, Client>,
    overflown: bool,
}

/// A client.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Its requests.
    pub requests: u64,
    /// Its name, where it has no address.
    pub name: Option<Box<str>>,
}

impl Clients {
    /// Counts a request of the client that the log calls `written`.
    pub fn add(&mut self, address: IpAddr, written: &str) {
        if self.known.len() >= MOST_CLIENTS && !self.known.contains_key(&address) {
            self.overflown = true;
            return;
        }
        let client = self.known.entry(address).or_insert_with(|| {
            let made_up = matches!(address, IpAddr::V4(v4) if v4.octets()[0] >= 240);
            Client { requests: 0, name: made_up.then(|| written.into()) }
        });
        client.requests += 1;
    }

    /// How many, and whether there were more.
    pub fn count(&self) -> (usize, bool) {
        (self.known.len(), self.overflown)
    }

    /// What is known of one.
    pub fn get(&self, address: &IpAddr) -> Option<&Client> {
        self.known.get(address)
    }
}
