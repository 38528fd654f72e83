//! Layer 3: logs of real traffic as input.

pub mod engine;
pub mod log;
