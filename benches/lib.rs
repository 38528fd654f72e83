//! The hot path's modules, compiled from the files of weir itself, and what the benches and the instruction counts do
//! with them.
#![allow(dead_code, reason = "what only other parts of weir use is still in these files")]

#[path = "../src/access/mod.rs"]
pub mod access;
#[path = "../src/ban/mod.rs"]
pub mod ban;
#[path = "../src/base/mod.rs"]
pub mod base;
#[path = "../src/client/mod.rs"]
pub mod client;
#[path = "../src/config/mod.rs"]
pub mod config;
#[path = "../src/event/mod.rs"]
pub mod event;
#[path = "../src/flood/mod.rs"]
pub mod flood;
#[path = "../src/limit/mod.rs"]
pub mod limit;
#[path = "../src/verdict/mod.rs"]
pub mod verdict;

/// The gate's pure parts.
#[path = "../src/proxy"]
pub mod proxy {
    #[path = "gate/head.rs"]
    pub mod head;

    /// How long the normalised path of `target` is.
    pub fn normalised_len(target: &[u8]) -> usize {
        use crate::access::path::{Buffer, normalise};
        normalise(target, &mut Buffer::new()).len()
    }
}

/// weir in virtual time.
#[path = "../src/simulate"]
pub mod simulate {
    mod bans;
    pub mod engine;
}

pub mod dice;
pub mod parts;
pub mod world;
