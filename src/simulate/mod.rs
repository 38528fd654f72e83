//! Layer 3: logs of real traffic as input, and scenarios of attacks and crowds made from them.

pub mod engine;
pub mod log;
pub mod scenario;
