//! Addresses for clients of which a log has only a name.

use std::net::{IpAddr, Ipv4Addr};

/// The address that a log's `client` stands for: its own, or for a host name or a session id a made-up one.
pub fn of(client: &str) -> IpAddr {
    let bare = client.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().map_or_else(|_| synthetic(client, 0), |address| address.to_canonical())
}

/// An address for a name, and further ones for `identity` above 0: always the same, out of 240.0.0.0/4, which no
/// network has and where few of 251 million clash.
pub fn synthetic(name: &str, identity: u64) -> IpAddr {
    // 240.0.0.0 to 254.255.255.255.
    IpAddr::V4(Ipv4Addr::from(0xf000_0000 + (hash(name.as_bytes(), identity) % (15 << 24)) as u32))
}

/// FNV-1a with a final mix: the same in every run and release, as the standard library's hashes are not.
pub fn hash(bytes: &[u8], seed: u64) -> u64 {
    let seeded = seed.to_le_bytes();
    let fnv = seeded
        .iter()
        .chain(bytes)
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (fnv ^ (fnv >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_and_names_get_one_that_nobody_has() {
        for (written, address) in [
            ("192.0.2.7", "192.0.2.7"),
            ("10.0.0.1", "10.0.0.1"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
        ] {
            assert_eq!(of(written).to_string(), address);
        }
        for name in ["host.example", "-", "session-7", "192.0.2.300"] {
            let IpAddr::V4(v4) = of(name) else { panic!("{name} is no IPv4") };
            assert!((240..=254).contains(&v4.octets()[0]), "{name} is {v4}");
            assert_eq!(of(name), of(name));
        }
    }
}
