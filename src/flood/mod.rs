//! Layer 2: what the site's traffic is made of, and who was here before.

pub mod history;
pub mod sketch;
pub mod top;
