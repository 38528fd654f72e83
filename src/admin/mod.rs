//! Layer 3, control plane: what operators see and do, on an address of its own.

mod assets;
mod feed;
mod guard;
mod live;
mod picture;
mod reach;
mod routes;
mod server;
mod why;

pub use guard::Token;
pub use live::{Enforce, Live, Reload};
pub use picture::Picture;
pub use reach::Reachable;
pub use server::{Admin, Error};

use crate::base::units::Share;
use crate::control::aviatrix::AviatrixView;
use crate::control::bans::{BanRequest, BanStatus, BanView, BansView};
use crate::control::flood::FloodReport;
use crate::control::status::{FaultView, LimitStatus, Phase, RecentView, Reloaded, Status, Why};
use crate::control::timeline::Timeline;
use std::net::IpAddr;

/// What the admin server tells and does. Every method may take its time: none is called on an async thread.
pub trait Source: Send + Sync + 'static {
    /// Where weir is in its life. Must be quick.
    fn phase(&self) -> Phase;
    /// The whole picture.
    fn status(&self) -> Status;
    /// All there is to see of floods.
    fn flood(&self) -> FloodReport;
    /// All that is known about one client.
    fn why(&self, address: IpAddr) -> Why;
    /// The latest refusals, at most `max`.
    fn recent(&self, max: usize) -> RecentView;
    /// Reads the config again and puts it in force, or says every fault.
    fn reload(&self) -> Result<Reloaded, Vec<FaultView>>;
    /// What Aviatrix gateways said, at most `max` reports.
    fn aviatrix(&self, max: usize) -> AviatrixView;
    /// The bans that hold, the longest first, at most `max`.
    fn bans(&self, max: usize) -> BansView;
    /// Bans, or says why not.
    fn ban(&self, request: &BanRequest) -> Result<BanView, String>;
    /// Lifts a ban, or says why not.
    fn unban(&self, address: &str) -> Result<BanView, String>;
    /// The last hour by the second. Must be quick.
    fn timeline(&self) -> &Timeline;
    /// What the live page shows.
    fn picture(&self) -> Picture;
    /// Enforces a limit for another share of clients until the next reload, or says why not.
    fn enforce(&self, limit: &str, share: Share) -> Result<LimitStatus, String>;
    /// Pauses the ladder, or lets it go on.
    fn pause_bans(&self, pause: bool) -> BanStatus;
}

#[cfg(test)]
mod stream_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
