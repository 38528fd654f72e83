//! What the data plane holds at most, from the sizes of what it allocates. What lies inside Pingora, tokio and rustls is
//! measured, and says so; tests/memory.rs holds both to what the system counts.

use super::connection::Server;
use super::edge::Peer;
use super::gate::{self, Gate};
use super::worker::POOL;
use crate::config::settings::Listen;

/// Of a connection, what has no size of its own here: the task's header, the socket's registration, timers, and what
/// stays of buffers. Measured.
const REST: usize = 2_048;

/// Of rustls, a connection under TLS: keys, and the record that it works on. Measured.
const TLS: usize = 12 << 10;

/// Of Pingora, a request: its session, and sixteen pieces of a body on their way between a side that sends and one that
/// takes nothing. Measured: 32 KiB without a body, 0.6 to 1 MiB with a large one whose client does not read.
const REQUEST: usize = (32 << 10) + 16 * (64 << 10);

/// Of Pingora, a connection to the origin, in use or kept for later. Measured.
const ORIGIN_CONNECTION: usize = 16 << 10;

/// A connection that is open and idle.
pub fn of_connection(listen: &Listen) -> usize {
    let futures = size_of_run(Server::run) + size_of_serve(Server::serve);
    let plain = size_of::<Gate>() + size_of::<Peer>() + futures + REST;
    plain + if listen.tls.is_some() { TLS } else { 0 }
}

/// What a head adds to that while it is not yet whole.
pub fn of_unfinished_head(listen: &Listen) -> usize {
    gate::head_room(listen.max_header_size.0 as usize)
}

/// A request on its way to the origin and back.
pub const fn of_request() -> usize {
    REQUEST
}

/// A connection to the origin.
pub const fn of_origin_connection() -> usize {
    ORIGIN_CONNECTION
}

/// The most connections to the origin that may be open: each worker keeps its own for later.
pub fn origin_connections(workers: usize, max_in_flight: u32) -> usize {
    let in_flight = max_in_flight as usize;
    workers * in_flight.min(POOL) + in_flight.saturating_sub(POOL)
}

/// The size of the future that [`Server::run`] gives.
const fn size_of_run<A, B, C, D, F: Future>(_: fn(A, B, C, D) -> F) -> usize {
    size_of::<F>()
}

/// The size of the future that [`Server::serve`] gives, which stays from a connection's first admitted request on.
const fn size_of_serve<A, B, C, F: Future>(_: fn(A, B, C) -> F) -> usize {
    size_of::<F>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_to_the_origin_are_bounded_by_what_is_in_flight_and_by_the_pools() {
        assert_eq!(origin_connections(2, 100), 200);
        assert_eq!(origin_connections(4, POOL as u32 + 88), 4 * POOL + 88);
    }
}
