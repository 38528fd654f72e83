//! Layer 2: who the client is.

pub mod key;
