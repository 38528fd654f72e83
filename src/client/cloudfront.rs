//! The client by `CloudFront-Viewer-Address`: the viewer's address and port as CloudFront saw them.

use super::address;
use super::forwarded::{Found, Source};
use std::net::IpAddr;

/// Believes the header of a trusted peer; whoever else sends it is the client itself.
#[inline]
pub fn viewer_address(value: Option<&[u8]>, trusted: impl Fn(IpAddr) -> bool, peer: IpAddr) -> Found {
    let peer = peer.to_canonical();
    if !trusted(peer) {
        return Found { address: peer, source: Source::Peer };
    }
    match value.map(parse) {
        None => Found { address: peer, source: Source::Absent },
        Some(None) => Found { address: peer, source: Source::Garbage },
        Some(Some(address)) => Found { address, source: Source::Header },
    }
}

/// CloudFront writes IPv6 without brackets and always a port, so the last group of `2001:db8::1:46532` is the port,
/// even where the whole could be read as an address.
fn parse(value: &[u8]) -> Option<IpAddr> {
    let value = value.trim_ascii();
    let bare_ipv6 = value.iter().filter(|&&byte| byte == b':').count() > 1 && value[0] != b'[';
    if bare_ipv6 && let Some(colon) = value.iter().rposition(|&byte| byte == b':') {
        let (head, port) = (&value[..colon], &value[colon + 1..]);
        if address::port(port).is_some()
            && let Some(found) = address::ipv6(head)
        {
            return Some(found);
        }
    }
    address::parse(value)
}

/// The viewer's port.
pub fn viewer_port(value: &[u8]) -> Option<u16> {
    let value = value.trim_ascii();
    parse(value)?;
    address::port(&value[value.iter().rposition(|&byte| byte == b':')? + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv6Addr;

    fn read(value: &str) -> Option<String> {
        parse(value.as_bytes()).map(|a| a.to_string())
    }

    #[test]
    fn the_viewers_port_is_read() {
        let port = |value: &str| viewer_port(value.as_bytes());
        assert_eq!((port("192.0.2.1:46532"), port("2001:db8::1:46532")), (Some(46_532), Some(46_532)));
        assert_eq!((port("192.0.2.1"), port("nonsense:80")), (None, None));
    }

    #[test]
    fn the_port_is_cut_off() {
        for (value, address) in [
            ("198.51.100.10:46532", "198.51.100.10"),
            ("2001:db8::1:46532", "2001:db8::1"),
            ("2001:db8::1:443", "2001:db8::1"),
            ("2001:db8:::443", "2001:db8::"),
            ("2001:db8:1:2:3:4:5:6:443", "2001:db8:1:2:3:4:5:6"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:192.0.2.1:443", "192.0.2.1"),
            // Without a port, as somebody else may write it.
            ("198.51.100.10", "198.51.100.10"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6"),
            ("2001:db8::abcd", "2001:db8::abcd"),
            ("2001:db8::", "2001:db8::"),
        ] {
            assert_eq!(read(value).as_deref(), Some(address), "{value}");
        }
        for value in ["", ":", "::1::2", "unknown", "2001:db8::46532", "2001:db8::1:65536", "1:2:3:4:5:6:7:8:9:10"] {
            assert_eq!(read(value), None, "{value}");
        }
    }

    #[test]
    fn only_a_trusted_peer_is_believed() {
        let (proxy, stranger) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([203, 0, 113, 9]));
        let read = |value, peer| viewer_address(value, |a| a == proxy, peer);
        let viewer = IpAddr::from([198, 51, 100, 10]);
        assert_eq!(read(Some(b"198.51.100.10:1"), proxy), Found { address: viewer, source: Source::Header });
        assert_eq!(read(Some(b"198.51.100.10:1"), stranger), Found { address: stranger, source: Source::Peer });
        assert_eq!(read(Some(b"?"), proxy), Found { address: proxy, source: Source::Garbage });
        assert_eq!(read(None, proxy), Found { address: proxy, source: Source::Absent });
    }

    proptest! {
        #[test]
        fn any_viewer_is_read(v6: Ipv6Addr, v4: std::net::Ipv4Addr, port: u16) {
            prop_assert_eq!(parse(format!("{v6}:{port}").as_bytes()), Some(v6.to_canonical()));
            prop_assert_eq!(parse(format!("{v4}:{port}").as_bytes()), Some(v4.into()));
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            parse(&bytes);
        }
    }
}
