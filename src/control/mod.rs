//! Layer 3, control plane: everything slow, off the request's path.

pub mod alert;
pub mod aviatrix;
#[cfg(feature = "aws")]
pub mod aws;
pub mod backoff;
pub mod bans;
pub mod detect;
pub mod drain;
pub mod ecs;
pub mod flood;
pub mod guardduty;
pub mod health;
pub mod history;
pub mod housekeeping;
pub mod identity;
pub mod lists;
pub mod phase;
pub mod recent;
pub mod reload;
pub mod resolve;
pub mod sight;
pub mod source;
pub mod status;
pub mod timeline;
pub mod watch;
