//! Alerts: rules over weir's own metrics, and who is told when one of them is broken.
//!
//! `signal` says what can be watched, `rules` which rules hold, `engine` what becomes of them as time goes on; `watch`
//! looks every second, and hands what is to be told to `tell`. See docs/alerts.md.

pub mod engine;
pub mod evidence;
pub mod export;
pub mod message;
pub mod pick;
pub mod rules;
pub mod signal;
mod status;
pub mod tell;
mod turn;
mod watch;
pub mod window;

#[cfg(test)]
pub(crate) use status::fixture;
pub use status::{AlertStatus, Board, ToldStatus};
pub use turn::SLOT;
pub use watch::{Parts, Watch};
