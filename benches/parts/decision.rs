//! `decide` whole, over every kind of client that a flood brings.

use super::{Part, Run, again, on_each};
use crate::world::{NETWORKS, World, spread};

pub(super) const PARTS: &[Part] = &[
    Part { name: "decide, forwarded", ready: forwarded },
    Part { name: "decide, every client new", ready: new },
    Part { name: "decide, refused by a limit", ready: refused },
    Part { name: "decide, on the deny list", ready: || listed(2) },
    Part { name: "decide, on the allow list", ready: || listed(1) },
];

const CLIENTS: u64 = 10_000;

fn forwarded() -> Run {
    let mut world = World::new("10/s");
    for n in 0..CLIENTS {
        world.request(n, 100);
    }
    again(move || {
        let n = world.any(CLIENTS);
        world.request(n, 100_000)
    })
}

fn new() -> Run {
    let mut world = World::new("10/s");
    let mut n = 0u64;
    again(move || {
        n += 1;
        world.request(n.wrapping_mul(0x9e37_79b9), 10_000)
    })
}

fn refused() -> Run {
    let mut world = World::exhausted();
    again(move || {
        let n = world.any(100);
        world.request(n, 1_000)
    })
}

/// A client on one of the lists: the seed tells which.
fn listed(seed: u32) -> Run {
    let mut world = World::new("10/s");
    let listed = spread(NETWORKS, seed).into_iter().step_by(97).map(|net| net.addr()).collect();
    on_each(listed, move |address| world.request_from(*address, 100_000))
}
