//! The address under which a client is played.

use std::net::IpAddr;
use weir::simulate::address::{hash, synthetic};

/// The address of a client's `identity`: the first is its own, if the log has one that a proxy believes.
///
/// Host names, session ids, private addresses (which stand for trusted proxies) and further identities get a stable
/// synthetic address out of 240.0.0.0/4, which no network has and where few of 251 million clash.
pub(crate) fn of(client: &str, identity: usize) -> IpAddr {
    match client.parse::<IpAddr>() {
        Ok(address) if identity == 0 && is_public(address.to_canonical()) => address,
        _ => synthetic(client, identity as u64),
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.octets()[0] == 0),
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local()),
    }
}

/// A client's name in a report that is to name nobody.
pub(crate) fn pseudonym(client: &str) -> String {
    format!("client-{:012x}", hash(client.as_bytes(), u64::MAX) >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_real_address_is_kept_for_the_first_identity_only() {
        assert_eq!(of("192.0.2.7", 0).to_string(), "192.0.2.7");
        assert_eq!(of("2001:db8::7", 0).to_string(), "2001:db8::7");
        assert_ne!(of("192.0.2.7", 1), of("192.0.2.7", 0));
    }

    #[test]
    fn what_a_proxy_would_not_believe_is_replaced() {
        for client in ["10.1.2.3", "127.0.0.1", "::ffff:10.0.0.1", "::1", "-", "host.example"] {
            let IpAddr::V4(v4) = of(client, 0) else { panic!("{client} is no IPv4") };
            assert!((240..=254).contains(&v4.octets()[0]), "{client} is {v4}");
            assert_eq!(of(client, 0), of(client, 0));
        }
    }

    #[test]
    fn names_keep_apart() {
        let all: HashSet<IpAddr> = (0..5_000).map(|n| of(&format!("host{n}.example"), 0)).collect();
        assert!(all.len() >= 4_998, "{} of 5000", all.len());
    }
}
