//! What can be banned: a client, or the network around it.

use crate::client::key::ClientKey;
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;

/// An address or a network, IPv4 or IPv6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    first: ClientKey,
    /// Leading bits, of 32 or of 128.
    length: u8,
}

impl Network {
    /// The network of `length` leading bits around `key`.
    pub fn around(key: ClientKey, length: u8) -> Self {
        let most = if key.ipv4().is_some() { 32 } else { 128 };
        let length = length.min(most);
        Self { first: key.prefix(length, length), length }
    }

    /// The client at `key`, where `ipv6_prefix` leading bits make one IPv6 client.
    pub fn of_client(key: ClientKey, ipv6_prefix: u8) -> Self {
        Self::around(key, if key.ipv4().is_some() { 32 } else { ipv6_prefix })
    }

    /// The network `net`; a v4-mapped one is its IPv4 one.
    pub fn of_net(net: IpNet) -> Self {
        let key = ClientKey::new(net.trunc().addr(), 128);
        let mapped = matches!(net, IpNet::V6(_)) && key.ipv4().is_some();
        Self::around(key, net.prefix_len() - if mapped { 96 } else { 0 })
    }

    /// The same, for those who know networks by this type.
    pub fn net(self) -> IpNet {
        // The length is within the family's by construction.
        IpNet::new(self.first.address(), self.length).unwrap_or_else(|_| self.first.address().into())
    }

    /// The key of its first address.
    pub const fn first(self) -> ClientKey {
        self.first
    }

    /// Leading bits, of 32 or of 128.
    pub const fn length(self) -> u8 {
        self.length
    }

    /// Whether it is IPv4.
    pub fn is_ipv4(self) -> bool {
        self.first.ipv4().is_some()
    }

    /// Its clients, where `ipv6_prefix` leading bits make one of IPv6; none where there are more than 65,536.
    pub fn clients(self, ipv6_prefix: u8) -> Option<impl Iterator<Item = ClientKey>> {
        let (whole, first) = match self.first.address() {
            IpAddr::V4(first) => (32, u128::from(u32::from(first))),
            IpAddr::V6(first) => (ipv6_prefix, u128::from(first)),
        };
        let bits = whole.checked_sub(self.length).filter(|bits| *bits <= 16)?;
        let (ipv4, shift) = (self.is_ipv4(), if self.is_ipv4() { 0 } else { 128 - u32::from(ipv6_prefix) });
        Some((0..1u128 << bits).map(move |n| {
            let address = first | n.checked_shl(shift).unwrap_or(0);
            let address = if ipv4 { IpAddr::V4((address as u32).into()) } else { IpAddr::V6(address.into()) };
            ClientKey::new(address, ipv6_prefix)
        }))
    }

    /// Whether `other` lies within it, or is the same.
    pub fn covers(self, other: Self) -> bool {
        self.length <= other.length
            && self.is_ipv4() == other.is_ipv4()
            && Self::around(other.first, self.length) == self
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length {
            32 if self.is_ipv4() => self.first.fmt(f),
            128 => self.first.fmt(f),
            length => write!(f, "{}/{length}", self.first),
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(s: &str) -> Network {
        Network::of_net(s.parse().unwrap())
    }

    #[test]
    fn networks_are_written_as_they_are_read() {
        for text in ["192.0.2.0/24", "2001:db8::/48", "2001:db8:0:1::/64"] {
            assert_eq!(net(text).to_string(), text);
            assert_eq!(net(text).net().to_string(), text);
        }
        assert_eq!(net("192.0.2.7/32").to_string(), "192.0.2.7");
        assert_eq!(net("::ffff:192.0.2.7/128"), net("192.0.2.7/32"));
        assert_eq!(net("::ffff:192.0.2.0/120"), net("192.0.2.0/24"));
        assert_eq!(net("::ffff:192.0.2.0/64").to_string(), "::/64");
        assert_eq!(net("192.0.2.7/24"), net("192.0.2.0/24"), "host bits are ignored");
    }

    #[test]
    fn the_clients_of_a_network_are_told() {
        let told = |text: &str| net(text).clients(64).map(|clients| clients.collect::<Vec<_>>());
        let four = told("192.0.2.4/30").unwrap();
        assert_eq!(
            four.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7"]
        );
        let six = told("2001:db8:0:2::/63").unwrap();
        assert_eq!(six.iter().map(ToString::to_string).collect::<Vec<_>>(), ["2001:db8:0:2::", "2001:db8:0:3::"]);
        assert_eq!(told("2001:db8::/48").unwrap().len(), 65_536);
        assert_eq!((told("192.0.2.7/32").unwrap().len(), told("10.0.0.0/8"), told("2001:db8::/80")), (1, None, None));
    }

    #[test]
    fn a_network_covers_what_lies_within() {
        assert!(net("192.0.2.0/24").covers(net("192.0.2.9/32")) && net("192.0.2.0/24").covers(net("192.0.2.0/24")));
        assert!(!net("192.0.2.9/32").covers(net("192.0.2.0/24")));
        assert!(!net("::/0").covers(net("192.0.2.9/32")), "IPv6 covers no IPv4");
        assert!(!net("0.0.0.0/0").covers(net("2001:db8::/64")));
    }
}
