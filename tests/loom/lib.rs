//! The modules of weir that loom checks, compiled from the same files.

#[path = "../../src/base/mod.rs"]
pub mod base;
#[path = "../../src/limit/mod.rs"]
pub mod limit;
