//! The modules of weir that loom checks, compiled from the same files.
#![allow(dead_code, reason = "what only other parts of weir use is still in these files")]

#[path = "../../src/base/mod.rs"]
pub mod base;
/// Of the client its key alone.
#[path = "../../src/client"]
pub mod client {
    pub mod key;
}
/// What is lock-free of it.
#[path = "../../src/flood"]
pub mod flood {
    pub mod history;
    pub mod sketch;
}
#[path = "../../src/limit/mod.rs"]
pub mod limit;
