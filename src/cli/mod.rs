//! Layer 4: the commands.

pub mod check;
pub mod schema;
