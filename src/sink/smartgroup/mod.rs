//! The worst offenders as a SmartGroup of an Aviatrix Controller, which policies of the fabric can refer to.
//!
//! `offenders` is who shall be in it, `group` makes its new content from the old, `controller` speaks to the API v2.5,
//! and `keeper` does it all in turn. What others put into a group that weir did not make stays.

mod controller;
mod group;
mod keeper;
mod offenders;
mod status;

pub use keeper::{GroupKeeper, PATIENCE, Parts, Source};
pub use offenders::Offenders;
pub use status::{SmartGroupStatus, Tally};

#[cfg(test)]
pub(crate) use status::fixture;
