//! A set of networks that an address is looked up in: sorted and disjoint, behind an index over the leading bits.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks, of which those inside others are left out.
///
/// An IPv4-mapped IPv6 address or network is its IPv4 one; `::/0` does not cover IPv4.
#[derive(Clone, Debug, Default)]
pub struct CidrSet {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
}

impl CidrSet {
    /// The set of all `nets`; bits beyond a prefix are ignored.
    pub fn build(nets: impl IntoIterator<Item = IpNet>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for net in nets {
            match canonical(net) {
                IpNet::V4(net) => v4.push((u32::from(net.network()), u32::from(net.broadcast()))),
                IpNet::V6(net) => v6.push((u128::from(net.network()), u128::from(net.broadcast()))),
            }
        }
        Self { v4: Ranges::build(v4), v6: Ranges::build(v6) }
    }

    /// Whether any network of the set holds `address`.
    #[inline]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(v4) => self.v4.find(v4.into()).is_some(),
            IpAddr::V6(v6) => self.v6.find(v6.into()).is_some(),
        }
    }

    /// The widest network of the set that holds `address`.
    pub fn find(&self, address: IpAddr) -> Option<IpNet> {
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let (first, last) = self.v4.find(v4.into())?;
                let prefix = (first ^ last).leading_zeros() as u8;
                Some(IpNet::V4(Ipv4Net::new(Ipv4Addr::from(first), prefix).ok()?))
            }
            IpAddr::V6(v6) => {
                let (first, last) = self.v6.find(v6.into())?;
                let prefix = (first ^ last).leading_zeros() as u8;
                Some(IpNet::V6(Ipv6Net::new(Ipv6Addr::from(first), prefix).ok()?))
            }
        }
    }

    /// Whether any network of the set has an address in common with `net`.
    pub fn intersects(&self, net: IpNet) -> bool {
        match canonical(net) {
            IpNet::V4(net) => self.v4.meets(net.network().into(), net.broadcast().into()),
            IpNet::V6(net) => self.v6.meets(net.network().into(), net.broadcast().into()),
        }
    }

    /// How many networks there are, without those inside others.
    pub fn len(&self) -> usize {
        self.v4.nets.len() + self.v6.nets.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The set's memory.
    pub fn bytes(&self) -> usize {
        self.v4.bytes() + self.v6.bytes()
    }
}

/// The IPv4 network that a v4-mapped one means; any other as it is.
fn canonical(net: IpNet) -> IpNet {
    if let IpNet::V6(v6) = net
        && v6.prefix_len() >= 96
        && let Some(v4) = v6.addr().to_ipv4_mapped()
        && let Ok(v4) = Ipv4Net::new(v4, v6.prefix_len() - 96)
    {
        return IpNet::V4(v4);
    }
    net
}

/// An address as a number.
trait Number: Copy + Ord + Default {
    const BITS: u32;
    fn leading_common(self, other: Self) -> u32;
    /// The `bits` bits that follow the first `skip`; at most 16 of them.
    fn bits(self, skip: u32, bits: u32) -> usize;
}

impl Number for u32 {
    const BITS: u32 = Self::BITS;
    fn leading_common(self, other: Self) -> u32 {
        (self ^ other).leading_zeros()
    }
    #[inline]
    fn bits(self, skip: u32, bits: u32) -> usize {
        // In two steps, as `bits` may be 0.
        (self << skip >> 1 >> (Self::BITS - 1 - bits)) as usize
    }
}

impl Number for u128 {
    const BITS: u32 = Self::BITS;
    fn leading_common(self, other: Self) -> u32 {
        (self ^ other).leading_zeros()
    }
    #[inline]
    fn bits(self, skip: u32, bits: u32) -> usize {
        (self << skip >> 1 >> (Self::BITS - 1 - bits)) as usize
    }
}

/// Disjoint ranges in order, and where in them to begin.
#[derive(Clone, Debug, Default)]
struct Ranges<N> {
    /// First and last number of each.
    nets: Vec<(N, N)>,
    /// For every value of the indexed bits, the first range that does not end before them; one more at the end.
    index: Vec<u32>,
    /// Leading bits that all ranges share, which the index leaves out.
    skip: u32,
    /// How many bits are indexed.
    bits: u32,
}

impl<N: Number> Ranges<N> {
    fn build(mut nets: Vec<(N, N)>) -> Self {
        // Networks are nested or apart, so with the widest first a nested one ends before what was kept last does.
        nets.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        nets.dedup_by(|next, kept| next.1 <= kept.1);
        nets.shrink_to_fit();
        let (Some(&(low, _)), Some(&(_, high))) = (nets.first(), nets.last()) else { return Self::default() };
        let skip = low.leading_common(high).min(N::BITS - 1);
        let bits = nets.len().next_power_of_two().ilog2().min(16).min(N::BITS - skip);
        let mut ranges = Self { nets, index: Vec::with_capacity((1 << bits) + 1), skip, bits };
        let mut at = 0;
        for value in 0..=1usize << bits {
            while ranges.nets.get(at).is_some_and(|net| net.1.bits(skip, bits) < value) {
                at += 1;
            }
            ranges.index.push(at as u32);
        }
        ranges
    }

    #[inline]
    fn find(&self, number: N) -> Option<(N, N)> {
        // The commonest list has nothing on it.
        if self.nets.is_empty() {
            return None;
        }
        let value = number.bits(self.skip, self.bits);
        let (from, to) = (*self.index.get(value)? as usize, *self.index.get(value + 1)? as usize);
        let at = from + self.nets.get(from..to)?.partition_point(|net| net.1 < number);
        self.nets.get(at).copied().filter(|net| net.0 <= number && number <= net.1)
    }

    /// Whether any range has a number from `first` to `last`.
    fn meets(&self, first: N, last: N) -> bool {
        let at = self.nets.partition_point(|net| net.1 < first);
        self.nets.get(at).is_some_and(|net| net.0 <= last)
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.nets) + size_of_val(&*self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(nets: &[&str]) -> CidrSet {
        CidrSet::build(nets.iter().map(|n| n.parse().unwrap()))
    }

    fn found(set: &CidrSet, address: &str) -> Option<String> {
        let address = address.parse().unwrap();
        assert_eq!(set.contains(address), set.find(address).is_some());
        set.find(address).map(|net| net.to_string())
    }

    #[test]
    fn an_empty_set_holds_nothing() {
        let set = set(&[]);
        assert_eq!(found(&set, "192.0.2.1"), None);
        assert_eq!(found(&set, "::1"), None);
        assert!(set.is_empty());
    }

    #[test]
    fn the_widest_network_is_found() {
        let set = set(&["10.1.0.0/16", "10.0.0.0/8", "10.1.2.3/32", "192.0.2.1/32", "192.0.2.0/31", "2001:db8::/32"]);
        assert_eq!(set.len(), 3);
        assert_eq!(found(&set, "10.1.2.3").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(found(&set, "10.255.255.255").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(found(&set, "11.0.0.0"), None);
        assert_eq!(found(&set, "9.255.255.255"), None);
        assert_eq!(found(&set, "192.0.2.1").as_deref(), Some("192.0.2.0/31"));
        assert_eq!(found(&set, "192.0.2.2"), None);
        assert_eq!(found(&set, "2001:db8:ffff::1").as_deref(), Some("2001:db8::/32"));
        assert_eq!(found(&set, "2001:db9::"), None);
    }

    #[test]
    fn a_mapped_address_or_network_is_ipv4() {
        let set = set(&["::ffff:192.0.2.0/120", "198.51.100.0/24"]);
        assert_eq!(found(&set, "192.0.2.9").as_deref(), Some("192.0.2.0/24"));
        assert_eq!(found(&set, "::ffff:198.51.100.9").as_deref(), Some("198.51.100.0/24"));
    }

    #[test]
    fn everything_is_a_network_too() {
        let all = set(&["0.0.0.0/0", "::/0"]);
        for address in ["0.0.0.0", "255.255.255.255", "192.0.2.1", "::", "2001:db8::1"] {
            assert!(all.contains(address.parse().unwrap()), "{address}");
        }
        assert!(!set(&["::/0"]).contains("192.0.2.1".parse().unwrap()));
        assert!(set(&["10.0.0.7/8"]).contains("10.9.9.9".parse().unwrap()), "host bits are ignored");
    }

    /// Networks and addresses close enough to each other to meet often.
    fn nets() -> impl Strategy<Value = Vec<IpNet>> {
        let v4 = (any::<u16>(), 0u8..=32)
            .prop_map(|(n, len)| IpNet::V4(Ipv4Net::new(Ipv4Addr::from(u32::from(n).rotate_right(7)), len).unwrap()));
        let v6 = (any::<u16>(), 0u8..=128)
            .prop_map(|(n, len)| IpNet::V6(Ipv6Net::new(Ipv6Addr::from(u128::from(n).rotate_right(9)), len).unwrap()));
        let narrow = (any::<[u8; 4]>(), 20u8..=32)
            .prop_map(|(octets, len)| IpNet::V4(Ipv4Net::new(Ipv4Addr::from(octets), len).unwrap()));
        prop::collection::vec(prop_oneof![v4, v6, narrow], 0..300)
    }

    proptest! {
        #[test]
        fn it_answers_as_a_linear_scan_does(mut nets in nets(), wide: bool, addresses: Vec<IpAddr>) {
            if !wide {
                // Otherwise a /0 or /1 makes the set trivial nearly every time.
                nets.retain(|net| net.prefix_len() >= 8);
            }
            let set = CidrSet::build(nets.iter().copied());
            let edges = nets.iter().flat_map(|net| {
                let (first, last) = (net.network(), net.broadcast());
                [first, last, step(first, false), step(last, true)]
            });
            for address in addresses.into_iter().chain(edges.collect::<Vec<_>>()) {
                let address = address.to_canonical();
                let holding = nets.iter().map(|net| canonical(*net)).filter(|net| net.contains(&address));
                let widest = holding.min_by_key(IpNet::prefix_len).map(|net| net.trunc());
                prop_assert_eq!(set.find(address), widest, "{}", address);
                prop_assert_eq!(set.contains(address), widest.is_some());
            }
            for (at, net) in nets.iter().enumerate().take(8) {
                let others = CidrSet::build(nets.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, net)| *net));
                let net = canonical(*net).trunc();
                let meets = |other: IpNet| other.contains(&net) || net.contains(&other);
                let met = nets.iter().enumerate().any(|(n, other)| n != at && meets(canonical(*other).trunc()));
                prop_assert_eq!(others.intersects(net), met, "{}", net);
            }
        }
    }

    /// The next or the previous address.
    fn step(address: IpAddr, up: bool) -> IpAddr {
        let by = if up { 1 } else { u128::MAX };
        match address {
            IpAddr::V4(v4) => Ipv4Addr::from(u32::from(v4).wrapping_add(by as u32)).into(),
            IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6).wrapping_add(by)).into(),
        }
    }
}
