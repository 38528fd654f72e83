//! Layer 3: logs of real traffic as input, what a config would have done to them, scenarios of attacks and crowds made
//! from them, scores.

pub mod address;
mod bans;
pub mod campaign;
pub mod engine;
pub mod input;
pub mod log;
pub mod order;
pub mod report;
pub mod scenario;
pub mod score;
pub mod series;
pub mod summary;
pub mod tally;
pub mod trial;
