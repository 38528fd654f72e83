//! Alerts: rules over weir's own metrics, and who is told when one of them is broken.
//!
//! `signal` says what can be watched, `rules` which rules hold, `engine` what becomes of them as time goes on. See
//! docs/alerts.md.

pub mod engine;
pub mod pick;
pub mod rules;
pub mod signal;
pub mod window;
