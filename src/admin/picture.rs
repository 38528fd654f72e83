//! What an event of the live page carries beside the newest second: as much as a screen shows, and no more.

use crate::control::bans::BansView;
use crate::control::flood::{BudgetView, ChangeView, FloodReport, OffenderView, OwnerView};
use crate::control::status::{RecentView, Status};
use serde::Serialize;

/// Rows of a list of clients or networks.
const ROWS: usize = 10;

/// How many refusals are shown.
pub(super) const REFUSALS: usize = 15;

/// How many bans are shown.
pub(super) const BANS: usize = 50;

/// One picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Picture {
    /// How everything is.
    pub status: Status,
    /// Bans that hold, the longest first.
    pub bans: BansView,
    /// The latest refusals.
    pub recent: RecentView,
    /// Clients that send most.
    pub by_requests: Vec<OffenderView>,
    /// Clients that are refused most.
    pub by_refused: Vec<OffenderView>,
    /// /24 networks that send most.
    pub by_net24: Vec<OffenderView>,
    /// /16 networks that send most.
    pub by_net16: Vec<OffenderView>,
    /// Owners of networks that send most.
    pub by_owner: Vec<OwnerView>,
    /// Budgets that clients share in an attack.
    pub budgets: Vec<BudgetView>,
    /// The latest changes of state, newest first.
    pub changes: Vec<ChangeView>,
}

impl Picture {
    /// Puts reports together.
    pub fn new(status: Status, flood: FloodReport, bans: BansView, recent: RecentView) -> Self {
        Self {
            status,
            bans,
            recent,
            by_requests: first(flood.by_requests),
            by_refused: first(flood.by_refused),
            by_net24: first(flood.by_net24),
            by_net16: first(flood.by_net16),
            by_owner: first(flood.by_owner),
            budgets: flood.budgets,
            changes: first(flood.changes),
        }
    }
}

fn first<T>(mut all: Vec<T>) -> Vec<T> {
    all.truncate(ROWS);
    all
}
