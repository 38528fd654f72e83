//! What Aviatrix gateways say of clients: their syslog is heard, and a report may lead to a ban.
//!
//! `header`, `report`, `json` and `frames` read what comes, and are pure; `seen` remembers whose requests there were,
//! `desk` joins both and acts, `listen` holds the sockets.

mod desk;
pub mod frames;
mod header;
mod json;
mod listen;
pub mod report;
mod seen;
mod view;

pub use desk::{Desk, Parts, is_local};
pub use listen::{Ears, bind};
pub use seen::{Joined, Seen};
pub use view::{AviatrixStatus, AviatrixView, ReportCount, ReportView};

#[cfg(test)]
pub(crate) use view::fixture;
