//! Layer 3, control plane: where events and figures go.

pub mod access_log;
pub mod cloudwatch;
#[cfg(feature = "aws")]
pub mod cloudwatch_logs;
pub mod fleet;
pub mod https;
pub mod lines;
pub mod metrics;
pub mod netflow;
pub mod outlet;
pub mod pile;
pub mod prometheus;
mod secret;
pub mod smartgroup;
pub mod syslog;
pub mod waf;
