//! Bans handed to AWS WAF: what is banned here is put into IP sets that a web ACL refers to.
//!
//! `want` is what shall be there, `plan` gives it its place, `merge` makes a set's new list from what it holds, and
//! `writer` does the calls, one at a time. What others put into a set is theirs and stays; what weir puts there it
//! writes down first (`record`), so that a crash leaves nothing behind.

pub mod api;
#[cfg(feature = "aws")]
pub mod aws;
pub mod bans;
mod desk;
pub mod file;
pub mod merge;
mod pace;
pub mod plan;
pub mod record;
mod rollup;
mod set;
mod start;
pub mod status;
pub mod want;
mod writer;

pub use desk::CAPACITY;
pub use start::writer;
pub use status::{Reach, WafStatus};
pub use writer::{Handle, LiveRules, Parts, Source, Writer};
