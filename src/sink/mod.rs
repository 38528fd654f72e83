//! Layer 3, control plane: where events and figures go.

pub mod access_log;
pub mod cloudwatch;
pub mod fleet;
pub mod https;
pub mod metrics;
pub mod netflow;
pub mod outlet;
pub mod prometheus;
pub mod smartgroup;
pub mod waf;
