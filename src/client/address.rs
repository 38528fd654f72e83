//! An address as proxies write it into headers: with or without a port, brackets or a zone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `fe80::1%eth0`, `[2001:db8::1]` or `[2001:db8::1]:80`, with
/// spaces around. A v4-mapped address is its IPv4. Anything else is no address.
#[inline]
pub fn parse(text: &[u8]) -> Option<IpAddr> {
    let text = text.trim_ascii();
    if let Some((v4, rest)) = leading_ipv4(text) {
        return is_port_or_nothing(rest).then_some(IpAddr::V4(v4));
    }
    match text.strip_prefix(b"[") {
        Some(inside) => {
            let end = inside.iter().take(MAX_IPV6 + 1).position(|&b| b == b']')?;
            is_port_or_nothing(&inside[end + 1..]).then(|| ipv6(&inside[..end]))?
        }
        None => ipv6(text),
    }
}

/// The longest text of an IPv6 address, with a zone as long as an interface's name.
const MAX_IPV6: usize = 45 + 1 + 16;

/// What stands for a port that nobody told.
pub const NO_PORT: u16 = 0;

/// The port beside an address, where there is one: what [`parse`] reads over.
pub fn port_beside(text: &[u8]) -> Option<u16> {
    let text = text.trim_ascii();
    parse(text)?;
    let colon = text.iter().rposition(|&b| b == b':')?;
    let before = &text[..colon];
    let beside = before.ends_with(b"]") || !before.contains(&b':');
    beside.then(|| port(&text[colon + 1..]))?
}

/// Reads an IPv6 address without brackets or port; a zone is dropped.
pub(super) fn ipv6(text: &[u8]) -> Option<IpAddr> {
    if text.len() > MAX_IPV6 {
        return None;
    }
    let mut parts = text.splitn(2, |&b| b == b'%');
    let address = std::str::from_utf8(parts.next()?).ok()?;
    if parts.next().is_some_and(<[u8]>::is_empty) {
        return None;
    }
    Some(address.parse::<Ipv6Addr>().ok()?.to_canonical())
}

/// Reads a port in decimal.
pub(super) fn port(digits: &[u8]) -> Option<u16> {
    if digits.is_empty() || digits.len() > 5 {
        return None;
    }
    let number = digits.iter().try_fold(0u32, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))?;
    u16::try_from(number).ok()
}

fn is_port_or_nothing(rest: &[u8]) -> bool {
    rest.is_empty() || rest.strip_prefix(b":").is_some_and(|digits| port(digits).is_some())
}

/// The IPv4 address that `text` begins with, and what follows it. By hand: nearly every element is one.
#[inline]
fn leading_ipv4(text: &[u8]) -> Option<(Ipv4Addr, &[u8])> {
    let (mut address, mut octet, mut digits, mut dots) = (0u32, 0u32, 0u32, 0u32);
    for (at, &byte) in text.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            // "010" might be meant as octal, so a leading zero is not an address.
            if digits == 3 || (digits > 0 && octet == 0) {
                return None;
            }
            octet = octet * 10 + u32::from(digit);
            digits += 1;
            continue;
        }
        if digits == 0 || octet > 255 {
            return None;
        }
        if dots == 3 {
            return (byte != b'.').then(|| (Ipv4Addr::from(address << 8 | octet), &text[at..]));
        }
        if byte != b'.' {
            return None;
        }
        address = address << 8 | octet;
        (octet, digits, dots) = (0, 0, dots + 1);
    }
    (dots == 3 && digits > 0 && octet <= 255).then(|| (Ipv4Addr::from(address << 8 | octet), &text[text.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<String> {
        parse(text.as_bytes()).map(|a| a.to_string())
    }

    #[test]
    fn every_form_that_proxies_write() {
        for (text, address) in [
            ("192.0.2.1", "192.0.2.1"),
            (" \t192.0.2.1 ", "192.0.2.1"),
            ("192.0.2.1:80", "192.0.2.1"),
            ("192.0.2.1:65535", "192.0.2.1"),
            ("0.0.0.0", "0.0.0.0"),
            ("255.255.255.255", "255.255.255.255"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25eth0]:80", "fe80::1"),
            ("::", "::"),
        ] {
            assert_eq!(read(text).as_deref(), Some(address), "{text}");
        }
    }

    #[test]
    fn the_port_beside_an_address_is_read_and_no_part_of_it() {
        for (text, port) in [
            ("192.0.2.1:80", Some(80)),
            (" [2001:db8::1]:443 ", Some(443)),
            ("192.0.2.1", None),
            ("2001:db8::1", None),
            ("[2001:db8::1]", None),
            ("unknown:80", None),
            ("192.0.2.1:99999", None),
        ] {
            assert_eq!(port_beside(text.as_bytes()), port, "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_address() {
        for text in [
            "",
            " ",
            "unknown",
            "_hidden",
            "192.0.2",
            "192.0.2.",
            "192.0.2.1.",
            "192.0.2.1.2",
            "192.0.2.256",
            "192.0.2.01",
            "192.0.2.1111",
            "192.0.2.1:",
            "192.0.2.1:a",
            "192.0.2.1:65536",
            "192.0.2.1:000080",
            "192.0.2.1 80",
            "192.0.2.1x",
            ".192.0.2.1",
            "192..2.1",
            "[192.0.2.1]",
            "[2001:db8::1",
            "2001:db8::1]",
            "[2001:db8::1]80",
            "[2001:db8::1]:",
            "[]",
            "[",
            "fe80::1%",
            "2001:db8::1::2",
            "2001:db8::g",
            "\"192.0.2.1\"",
            "-1.0.2.1",
            "2001:db8:1:2:3:4:5:6:7",
            "1",
            "3221225985",
            "192.0.2.1/32",
            "192.0.2.1%eth0",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(parse(b"192.0.2.\xff"), None);
        assert_eq!(parse(&[b'['; 10_000]), None);
    }

    proptest! {
        #[test]
        fn whatever_the_standard_library_writes_is_read(address: std::net::IpAddr, port: u16) {
            let canonical = Some(address.to_canonical());
            prop_assert_eq!(parse(address.to_string().as_bytes()), canonical);
            prop_assert_eq!(parse(std::net::SocketAddr::new(address, port).to_string().as_bytes()), canonical);
        }

        #[test]
        fn dotted_text_is_read_as_the_standard_library_reads_it(text in "[0-9.]{0,16}") {
            let oracle = text.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4);
            prop_assert_eq!(parse(text.as_bytes()), oracle);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, text in "[0-9a-f:.%\\[\\]]{0,60}") {
            parse(&bytes);
            parse(text.as_bytes());
        }
    }
}
