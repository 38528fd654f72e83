//! Layer 3: an incident told from the ingress log: what happened, what was refused, what leaked, who was hurt.
//!
//! A log is read once and memory is bounded however long it is: what finds no room is counted as cut, and said.

mod advice;
pub mod chart;
mod compose;
pub mod document;
pub mod files;
pub mod findings;
pub mod gather;
pub mod html;
pub mod line;
pub mod markdown;
pub mod minutes;
pub mod tally;

pub use compose::compose;
