//! Layer 3, control plane: where events and figures go.

pub mod access_log;
#[cfg(feature = "aws")]
pub mod cloudwatch_logs;
pub mod fleet;
pub mod https;
pub mod lines;
pub mod metrics;
pub mod outlet;
pub mod pile;
pub mod prometheus;
pub mod syslog;
pub mod waf;
