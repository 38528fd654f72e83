//! The key that limits, lists and bans know a client by.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A client: an IPv4 address, or the leading bits of an IPv6 one, as a v4-mapped number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKey(u128);

const MAPPED: u128 = 0xffff_0000_0000;

impl ClientKey {
    /// The key of `address`, where `ipv6_prefix` leading bits make one IPv6 client. A v4-mapped address is its IPv4.
    pub fn new(address: IpAddr, ipv6_prefix: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self(MAPPED | u128::from(u32::from(v4))),
            IpAddr::V6(v6) => Self(u128::from(v6) & mask(ipv6_prefix, 128)),
        }
    }

    /// The network that this client belongs to, `ipv4` or `ipv6` leading bits long.
    pub fn prefix(self, ipv4: u8, ipv6: u8) -> Self {
        match self.ipv4() {
            Some(v4) => Self(MAPPED | (u128::from(u32::from(v4)) & mask(ipv4, 32))),
            None => Self(self.0 & mask(ipv6, 128)),
        }
    }

    /// The IPv4 address, if it is one.
    pub fn ipv4(self) -> Option<Ipv4Addr> {
        (self.0 >> 32 == 0xffff).then(|| Ipv4Addr::from(self.0 as u32))
    }

    /// The address; of an IPv6 client the first of its prefix.
    pub fn address(self) -> IpAddr {
        self.ipv4().map_or_else(|| IpAddr::V6(Ipv6Addr::from(self.0)), IpAddr::V4)
    }

    /// The key whose [`bits`](Self::bits) these are.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The number to hash.
    pub const fn bits(self) -> u128 {
        self.0
    }
}

/// `bits` leading ones of a number `width` bits wide.
const fn mask(bits: u8, width: u8) -> u128 {
    let full = if width == 128 { u128::MAX } else { (1 << width) - 1 };
    if bits >= width { full } else { full & !(full >> bits) }
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address().fmt(f)
    }
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(s: &str) -> ClientKey {
        ClientKey::new(s.parse().unwrap(), 64)
    }

    #[test]
    fn one_ipv6_prefix_is_one_client() {
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    }

    #[test]
    fn a_mapped_address_is_its_ipv4() {
        assert_eq!(key("::ffff:192.0.2.7"), key("192.0.2.7"));
        assert_eq!(key("::ffff:192.0.2.7").to_string(), "192.0.2.7");
    }

    #[test]
    fn prefixes_keep_the_leading_bits() {
        assert_eq!(key("192.0.2.7").prefix(24, 48), key("192.0.2.200").prefix(24, 48));
        assert_ne!(key("192.0.2.7").prefix(24, 48), key("198.51.100.7").prefix(24, 48));
        assert_eq!(key("2001:db8:1:2::1").prefix(24, 48), key("2001:db8:1:9::1").prefix(24, 48));
        assert_eq!(key("192.0.2.7").prefix(0, 0).to_string(), "0.0.0.0");
        assert_eq!(key("192.0.2.7").prefix(32, 128), key("192.0.2.7"));
    }
}
