//! The client behind a chain of proxies, by `X-Forwarded-For`.
//!
//! Every proxy appends the address it was called from, so the list is true from the right as far as its writers are
//! trusted, and whatever a client wrote itself stands to the left of that.

use super::address;
use std::net::IpAddr;

/// An address and why it is the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The client.
    pub address: IpAddr,
    /// How it was found.
    pub source: Source,
}

/// How a client's address was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The peer is no trusted proxy: it is the client, whatever it sent.
    Peer,
    /// The peer is trusted, but sent no header: it stands for itself.
    Absent,
    /// A trusted proxy named it.
    Header,
    /// A trusted proxy named it, or is it, and left of that the header is no address.
    Garbage,
    /// All of the list is trusted: its leftmost address.
    AllTrusted,
}

/// Reads all `X-Forwarded-For` fields of a request, `values` in their order, from the right.
#[inline]
pub fn from_right<'a>(
    values: impl DoubleEndedIterator<Item = &'a [u8]>,
    trusted: impl Fn(IpAddr) -> bool,
    peer: IpAddr,
) -> Found {
    let peer = peer.to_canonical();
    if !trusted(peer) {
        return Found { address: peer, source: Source::Peer };
    }
    let mut found = Found { address: peer, source: Source::Absent };
    for element in values.rev().flat_map(|value| value.rsplit(|&byte| byte == b',')) {
        match address::parse(element) {
            Some(address) if trusted(address) => found = Found { address, source: Source::AllTrusted },
            Some(address) => return Found { address, source: Source::Header },
            // An empty list element means nothing (RFC 9110, 5.6.1).
            None if element.trim_ascii().is_empty() => {}
            None => return Found { source: Source::Garbage, ..found },
        }
    }
    found
}

/// The port beside `client`, by the rightmost element that names it: what stands left of that the client may have
/// written itself.
pub fn port_of<'a>(values: impl DoubleEndedIterator<Item = &'a [u8]>, client: IpAddr) -> Option<u16> {
    let mut elements = values.rev().flat_map(|value| value.rsplit(|&byte| byte == b','));
    elements.find(|element| address::parse(element) == Some(client)).and_then(address::port_beside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trusted(address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => v4.octets()[0] == 10,
            IpAddr::V6(v6) => v6.segments()[0] == 0xfd00,
        }
    }

    fn read(peer: &str, values: &[&str]) -> (String, Source) {
        let found = from_right(values.iter().map(|v| v.as_bytes()), trusted, peer.parse().unwrap());
        (found.address.to_string(), found.source)
    }

    fn check(peer: &str, values: &[&str], address: &str, source: Source) {
        assert_eq!(read(peer, values), (address.to_owned(), source), "{values:?}");
    }

    #[test]
    fn an_untrusted_peer_is_never_believed() {
        check("203.0.113.9", &["192.0.2.1"], "203.0.113.9", Source::Peer);
        check("203.0.113.9", &["10.0.0.1"], "203.0.113.9", Source::Peer);
        check("203.0.113.9", &[], "203.0.113.9", Source::Peer);
        check("::ffff:203.0.113.9", &["192.0.2.1"], "203.0.113.9", Source::Peer);
    }

    #[test]
    fn the_rightmost_untrusted_address_is_the_client() {
        check("10.0.0.1", &["192.0.2.1"], "192.0.2.1", Source::Header);
        check("10.0.0.1", &["198.51.100.1, 192.0.2.1"], "192.0.2.1", Source::Header);
        check("10.0.0.1", &["198.51.100.1,192.0.2.1 , 10.9.9.9"], "192.0.2.1", Source::Header);
        check("10.0.0.1", &["198.51.100.1", "192.0.2.1", "10.9.9.9,fd00::7"], "192.0.2.1", Source::Header);
        check("::ffff:10.0.0.1", &["[2001:db8::5]:4711, 10.1.1.1:99"], "2001:db8::5", Source::Header);
        check("10.0.0.1", &["198.51.100.1", "::ffff:10.3.3.3"], "198.51.100.1", Source::Header);
        check("10.0.0.1", &["10.7.7.7, 192.0.2.1, , ,", ""], "192.0.2.1", Source::Header);
        check("fd00::1", &["fe80::1%eth0"], "fe80::1", Source::Header);
    }

    #[test]
    fn the_port_is_the_one_that_the_last_proxy_wrote() {
        let port = |values: &[&str]| port_of(values.iter().map(|v| v.as_bytes()), "192.0.2.1".parse().unwrap());
        assert_eq!(port(&["192.0.2.1:1, 192.0.2.1:40000, 10.9.9.9:5"]), Some(40_000));
        assert_eq!(port(&["192.0.2.1:1", "192.0.2.1"]), None);
        assert_eq!(port(&["198.51.100.7:1"]), None);
    }

    #[test]
    fn garbage_ends_the_walk_at_the_last_address_vouched_for() {
        check("10.0.0.1", &["192.0.2.1, unknown"], "10.0.0.1", Source::Garbage);
        check("10.0.0.1", &["192.0.2.1, unknown, 10.2.2.2"], "10.2.2.2", Source::Garbage);
        check("10.0.0.1", &["192.0.2.1", "x", "10.2.2.2"], "10.2.2.2", Source::Garbage);
        check("10.0.0.1", &["garbage, 192.0.2.1"], "192.0.2.1", Source::Header);
    }

    #[test]
    fn a_wholly_trusted_list_gives_its_leftmost() {
        check("10.0.0.1", &["10.3.3.3, 10.2.2.2"], "10.3.3.3", Source::AllTrusted);
        check("10.0.0.1", &[" , 10.3.3.3", ", ,"], "10.3.3.3", Source::AllTrusted);
        check("10.0.0.1", &[], "10.0.0.1", Source::Absent);
        check("10.0.0.1", &["", " , "], "10.0.0.1", Source::Absent);
    }

    #[test]
    fn a_list_of_8_kib_is_read_to_its_end() {
        let list = ["192.0.2.1"].into_iter().chain(std::iter::repeat_n("10.1.2.3", 800)).collect::<Vec<_>>().join(", ");
        assert!(list.len() >= 8000);
        check("10.0.0.1", &[&list], "192.0.2.1", Source::Header);
        check("10.0.0.1", &[&",".repeat(8192)], "10.0.0.1", Source::Absent);
        check("10.0.0.1", &[&"[".repeat(8192)], "10.0.0.1", Source::Garbage);
    }

    /// An address written as some proxy might.
    fn written(address: IpAddr, style: u8) -> String {
        match (style % 5, address) {
            (0, _) => address.to_string(),
            (1, _) => std::net::SocketAddr::new(address, 4711).to_string(),
            (2, _) => format!("  {address}\t"),
            (3, IpAddr::V4(v4)) => format!("[{}]", v4.to_ipv6_mapped()),
            (3, IpAddr::V6(v6)) => format!("[{v6}]"),
            (_, IpAddr::V4(v4)) => v4.to_ipv6_mapped().to_string(),
            (_, IpAddr::V6(v6)) => format!("{v6}%eth0"),
        }
    }

    fn any_address() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            any::<[u8; 3]>().prop_map(|[a, b, c]| IpAddr::from([10, a, b, c])),
            any::<[u8; 3]>().prop_map(|[a, b, c]| IpAddr::from([192, a, b, c])),
            any::<u64>().prop_map(|n| IpAddr::from((0xfd00u128 << 112 | u128::from(n)).to_be_bytes())),
            any::<u64>().prop_map(|n| IpAddr::from((0x2001_0db8u128 << 96 | u128::from(n)).to_be_bytes())),
        ]
    }

    proptest! {
        #[test]
        fn a_generated_list_gives_the_right_client(
            list in prop::collection::vec((any_address(), any::<u8>(), any::<bool>()), 0..8),
            peer in any_address(),
        ) {
            let mut fields = vec![String::new()];
            for (address, style, new_field) in &list {
                if *new_field {
                    fields.push(String::new());
                }
                let field = fields.last_mut().unwrap();
                if !field.is_empty() {
                    field.push(',');
                }
                field.push_str(&written(*address, *style));
            }
            let chain: Vec<IpAddr> = list.iter().map(|(a, ..)| *a).chain([peer]).collect();
            let expected = chain.iter().rev().find(|a| !trusted(**a)).unwrap_or(&chain[0]);
            let found = from_right(fields.iter().map(|f| f.as_bytes()), trusted, peer);
            prop_assert_eq!(found.address, *expected);
        }

        #[test]
        fn no_bytes_panic(fields: Vec<Vec<u8>>, text in "[0-9a-f:.,% \\[\\]]{0,200}") {
            let peer = IpAddr::from([10, 0, 0, 1]);
            from_right(fields.iter().map(Vec::as_slice), trusted, peer);
            from_right([text.as_bytes()].into_iter(), trusted, peer);
        }
    }
}
