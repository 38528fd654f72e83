//! Layer 3: logs of real traffic as input.

pub mod log;
