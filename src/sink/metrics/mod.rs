//! What weir measures: the one table of names, the figures of a status, and a way to hold them.
//!
//! [`fill()`] feeds whatever recorder of the `metrics` crate is the local one: that of Prometheus, or the
//! [`Collector`] behind [`collect`].

pub mod collector;
mod fill;
pub mod names;
mod process;

pub use collector::{Collector, Sample, Samples, collect};
pub use fill::{Histogram, fill, histograms};
