//! Layer 2: how much each client may do.

pub mod budget;
pub mod gcra;
pub mod in_flight;
pub(crate) mod memory;
pub mod seeds;
#[cfg(not(loom))]
pub mod share;
pub mod table;
pub mod top;
