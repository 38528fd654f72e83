//! The gate under hostile and merely odd HTTP/1.1, by real sockets.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

#[path = "gate/bodies.rs"]
mod bodies;
#[path = "gate/connections.rs"]
mod connections;
#[path = "gate/hoarding.rs"]
mod hoarding;
#[path = "gate/malformed.rs"]
mod malformed;
#[path = "gate/passing.rs"]
mod passing;
#[path = "gate/pipelining.rs"]
mod pipelining;
#[path = "gate/reading.rs"]
mod reading;
#[path = "gate/slow.rs"]
mod slow;
