//! Layer 2: what is let in or kept out before any counting.

pub mod asn;
pub mod cidr_set;
pub mod country;
pub mod list_file;
mod mmdb;
pub mod path;
