//! What shall be in the sets, and which networks may be sent at all.

use ipnet::IpNet;

/// The widest networks that are sent, of IPv4 and IPv6: what an operator may ban.
const WIDEST: (u8, u8) = (8, 16);

/// One network that is banned now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Who.
    pub network: IpNet,
    /// Until when: milliseconds since 1970.
    pub until: u64,
    /// How many requests met the ban.
    pub harm: u64,
    /// Since when: milliseconds since 1970.
    pub since: u64,
    /// On an operator's word.
    pub operator: bool,
    /// Why it is banned here but not handed on, if so.
    pub kept_back: Option<&'static str>,
}

impl Want {
    /// Why it can't be sent, if so.
    pub fn unfit(&self) -> Option<&'static str> {
        self.kept_back.or_else(|| unfit(&self.network))
    }
}

/// Why AWS, or weir, takes no such network into a set.
pub fn unfit(network: &IpNet) -> Option<&'static str> {
    let widest = if is_ipv4(network) { WIDEST.0 } else { WIDEST.1 };
    if network.trunc() != *network {
        return Some("it has bits beyond its prefix");
    }
    if network.prefix_len() < widest {
        return Some("it is too wide: /8 of IPv4 and /16 of IPv6 are the widest that are handed on");
    }
    let mapped = matches!(network, IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() && v6.prefix_len() >= 96);
    mapped.then_some("it is an IPv4 address written as IPv6")
}

/// What an entry of a set means; none where it is no network that weir could have written.
pub fn parsed(entry: &str) -> Option<IpNet> {
    let network: IpNet = entry.parse().ok()?;
    (network.trunc() == network).then_some(network)
}

/// Whether it is IPv4.
pub const fn is_ipv4(network: &IpNet) -> bool {
    matches!(network, IpNet::V4(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_aws_takes_is_fit() {
        for net in ["192.0.2.7/32", "10.0.0.0/8", "2001:db8::/64", "2001::/16"] {
            assert_eq!(unfit(&net.parse().unwrap()), None, "{net}");
        }
        let bad =
            ["0.0.0.0/0", "::/0", "0.0.0.0/7", "2000::/15", "192.0.2.7/24", "2001:db8::1/64", "::ffff:192.0.2.7/128"];
        for net in bad {
            assert!(unfit(&net.parse().unwrap()).is_some(), "{net}");
        }
    }

    #[test]
    fn an_entry_means_the_same_however_it_is_written() {
        let long = parsed("2001:0db8:0000:0000:0000:0000:0000:0000/64");
        assert_eq!(long, parsed("2001:db8::/64"));
        assert!(long.is_some());
        assert_eq!((parsed("192.0.2.7/24"), parsed("rubbish"), parsed("192.0.2.7")), (None, None, None));
    }
}
