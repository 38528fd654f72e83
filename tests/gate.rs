//! The gate under hostile and merely odd HTTP/1.1, by real sockets.

mod common;

#[path = "gate/malformed.rs"]
mod malformed;
#[path = "gate/pipelining.rs"]
mod pipelining;
