//! Layer 3: logs of real traffic as input, scenarios of attacks and crowds made from them, scores.

mod bans;
pub mod engine;
pub mod log;
pub mod report;
pub mod scenario;
pub mod score;
