//! Layer 2: floods.

pub mod challenge;
