//! What is fuzzed: one function a parser, which panics where the parser breaks a promise.
//!
//! `tests/fuzz_smoke.rs` runs them on stable Rust in every `make test`; `fuzz_targets/` hands the same functions to
//! libFuzzer for `make fuzz`. To add one: a function and a line of `ALL` here, a file in `fuzz_targets/`, a `[[bin]]`
//! in Cargo.toml and at least one file in `corpus/NAME/`.

use std::net::{IpAddr, Ipv6Addr};
use weir::client::key::ClientKey;

/// A fuzz target: a name and what it does with an input.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// All targets.
#[allow(dead_code, reason = "libFuzzer's binaries each use one function only")]
pub(crate) const ALL: &[Target] = &[("client_key", client_key)];

/// Any address and any prefix length: keys are stable, and a network holds its clients.
pub(crate) fn client_key(input: &[u8]) {
    let Some((address, rest)) = input.split_first_chunk::<16>() else { return };
    let Some(&[client, ipv4, ipv6]) = rest.first_chunk::<3>() else { return };
    let key = ClientKey::new(IpAddr::V6(Ipv6Addr::from(*address)), client);
    assert_eq!(ClientKey::new(key.address(), client), key, "the key of a key's address is that key");
    let network = key.prefix(ipv4, ipv6);
    assert_eq!(network.prefix(ipv4, ipv6), network, "a network is its own network");
    assert_eq!(network.ipv4().is_some(), key.ipv4().is_some() && network.bits() >> 32 == 0xffff);
    assert_eq!(key.to_string().parse::<IpAddr>().unwrap(), key.address());
}
