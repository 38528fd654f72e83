//! Layer 3, control plane: everything slow, off the request's path.

pub mod bans;
pub mod detect;
pub mod drain;
pub mod health;
pub mod history;
pub mod housekeeping;
pub mod lists;
pub mod phase;
pub mod recent;
pub mod reload;
pub mod resolve;
pub mod sight;
pub mod status;
pub mod watch;
