//! What the detector has found out, as the hot path reads it: immutable, swapped whole at a tick that changes it.

use super::state::{Evidence, FloodState};
use super::window::{AGENTS, agent_cell};
use crate::base::clock::Time;
use crate::base::units::Rate;
use crate::limit::gcra::Quota;
use std::sync::Arc;
use std::time::Duration;

/// Clients by what history says of them, as far as a flood can grow in one of these groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Group {
    /// Known addresses, first seen before yesterday.
    OldAddress,
    /// Addresses or /24s first seen since yesterday.
    Young,
    /// Unknown addresses of a /24 first seen before yesterday.
    OldNet,
}

/// How many groups there are.
pub const GROUPS: usize = 3;

/// Shared budgets of an attack.
#[derive(Clone, Debug)]
pub struct Budgets {
    /// Login POSTs of clients that are not known.
    pub writes: Quota,
    /// What clients that can't be challenged ask for, assets left out.
    pub newcomers: Quota,
    /// Assets that such clients ask for: hardly what a flood is made of.
    pub assets: Quota,
    /// Clients that solve challenges without being people.
    pub burnt: Quota,
    /// Clients of known /24s.
    pub networks: Quota,
    /// All agents that are no browsers, within what is usual of each.
    pub agents: Quota,
    /// All agents that are no browsers, beyond that.
    pub strangers: Quota,
}

/// What the detector has found out.
#[derive(Clone, Debug)]
pub struct View {
    /// How things stand.
    pub state: FloodState,
    /// Since when.
    pub since: Time,
    /// When it began to be unusual: what was learnt after that earns no rank.
    pub onset: Option<Time>,
    /// Groups that have grown far beyond what is usual.
    pub surging: [bool; GROUPS],
    /// The share of clients that is admitted in an overload, 0 to 1.
    pub admitted: f64,
    /// Pages a second of one client in an attack.
    pub page_rate: f64,
    /// Whether the origin is near its capacity.
    pub pressed: bool,
    /// Whether clients may be asked for proof.
    pub challenge: bool,
    /// How strong a proof is asked for: 1 a cookie, 2 work.
    pub strength: u8,
    /// Keys of the two lotteries among clients, secret so that nobody can choose addresses that win: who is probed, and
    /// who is admitted in an overload.
    pub lottery: [u64; 2],
    /// Shared budgets.
    pub budgets: Budgets,
    /// What is usual of each agent that is no browser, a second.
    pub agents: Arc<[f32; AGENTS]>,
    /// The figures of the moment.
    pub evidence: Evidence,
    /// Refused a second, over the last five.
    pub refused: f64,
    /// Forwarded a second, over the last five.
    pub forwarded: f64,
}

impl View {
    /// Before anything is known.
    pub fn quiet(now: Time, capacity: f64) -> Self {
        Self {
            state: FloodState::Normal,
            since: now,
            onset: None,
            surging: [false; GROUPS],
            admitted: 1.0,
            page_rate: 4.0,
            pressed: false,
            challenge: false,
            strength: 1,
            lottery: [0; 2],
            budgets: Budgets::of(capacity, &Usual::default()),
            agents: Arc::new([0.0; AGENTS]),
            evidence: Evidence { capacity, solved: 1.0, ..Evidence::default() },
            refused: 0.0,
            forwarded: 0.0,
        }
    }

    /// What an agent that is no browser may send in an attack; nothing of its own, where it is hardly ever seen.
    pub fn quota_of_agent(&self, hash: u32) -> Option<Quota> {
        let usual = f64::from(self.agents[agent_cell(hash)]);
        (usual > 0.005).then(|| quota(5.0 * usual, (150.0 * usual).max(3.0)))
    }
}

/// What is usual of unknown clients, a second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usual {
    /// Login POSTs.
    pub writes: f64,
    /// All but assets.
    pub newcomers: f64,
    /// Assets.
    pub assets: f64,
}

impl Budgets {
    /// From the capacity and from what is usual.
    pub fn of(capacity: f64, usual: &Usual) -> Self {
        let writes = (3.0 * usual.writes).max(1.0);
        let newcomers = (3.0 * usual.newcomers).max(0.05 * capacity);
        let assets = (5.0 * usual.assets).max(0.08 * capacity);
        Self {
            writes: quota(writes, 3.0 * writes + 2.0),
            newcomers: quota(newcomers, 2.0 * newcomers),
            assets: quota(assets, 4.0 * assets),
            burnt: quota(0.05 * capacity, 0.1 * capacity),
            networks: quota(0.33 * capacity, 0.33 * capacity),
            agents: quota(0.25 * capacity, 0.5 * capacity),
            strangers: quota(0.05 * capacity, 0.15 * capacity),
        }
    }
}

/// A quota of any rate a second, to a thousandth.
pub fn quota(per_second: f64, burst: f64) -> Quota {
    let (count, seconds) = if per_second >= 1e6 { (per_second, 1) } else { (per_second * 1e3, 1_000) };
    let count = count.round().clamp(1.0, f64::from(u32::MAX)) as u32;
    Quota::new(Rate { count, period: Duration::from_secs(seconds) }, burst.round().max(1.0) as u32)
}
