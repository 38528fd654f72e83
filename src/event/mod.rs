//! Layer 1: what happened, as fixed-size records in a bounded queue.

pub mod address;
pub mod entry;
pub mod log_gate;
pub mod news;
pub mod queue;
pub mod record;
pub mod story;
