//! Layer 2: the decision. The one place where the core's parts meet.

pub mod counters;
pub mod decide;
pub mod facts;
pub mod offence;
pub mod policy;
pub mod reason;
pub mod sharing;
pub mod state;

pub use decide::{Fate, Verdict, decide};
pub use facts::Facts;
pub use policy::Policy;
pub use state::State;
