//! Layer 2: the endpoints of the service behind weir: which there are, which are healthy, which comes next.
//!
//! A [`Pool`] hands out [`Pick`]s. The request's path takes no lock: the list of endpoints is immutable and swapped
//! whole, and what changes all the time lives in atomics inside the endpoints. Those atomics are independent figures:
//! no other memory is published through them, so `Relaxed` suffices for every one.
//!
//! Who decides what:
//! - **Active checks** ([`Pool::mark_health`]) say whether an endpoint is healthy.
//! - **Passive ejection** ([`Pick::failed`]) takes an endpoint out for a while after failures in a row, twice as long
//!   each time up to eight times. When its time is over, one request goes there as a trial; what becomes of it decides
//!   for all others. At most half of a group, rounded up, is ejected at once and never the last usable endpoint: load
//!   that breaks one endpoint must not be heaped onto fewer and fewer. A group is given up whole only while the other
//!   group has a usable endpoint.
//! - **Groups**: the fallback serves only while no primary can, and gives back as soon as one can.
//! - **Failing open**: when nothing is usable, primaries are used all the same. Checks that all fail at once more often
//!   mean a broken check than a service that is wholly gone, and where it is gone an attempt costs nothing.

mod endpoint;
mod list;
mod pick;
mod pool;

pub use endpoint::{Group, HealthChange};
pub use pick::{Pick, Tried};
pub use pool::{DEMO_NAME, EndpointStatus, MAX_ADDRESSES, Pool, Resolved, Target, names};

#[cfg(test)]
#[cfg(not(loom))]
mod tests;
