//! The text of a list file: one network or address a line, `#` starts a comment.

use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;

/// What a list file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The networks of the good lines.
    pub nets: Vec<IpNet>,
    /// The bad lines.
    pub faults: Vec<Fault>,
}

/// A line that is neither a network nor an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// What it says, cut to a sensible length.
    pub text: String,
    /// The network that may have been meant, where host bits are set.
    pub meant: Option<IpNet>,
}

/// Reads a whole list.
///
/// A network with host bits set is a fault, not the network around it: in `10.0.0.1/8` either part may be the
/// mistake, and one reading lets in, or shuts out, 16 million addresses that nobody named.
pub fn parse(text: &[u8]) -> List {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut list = List::default();
    for (at, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let entry = line.split(|&byte| byte == b'#').next().unwrap_or_default().trim_ascii();
        if entry.is_empty() {
            continue;
        }
        match parse_entry(entry) {
            Ok(net) => list.nets.push(net),
            Err(meant) => list.faults.push(Fault { line: at + 1, text: shown(entry), meant }),
        }
    }
    list
}

/// The network that an entry names; otherwise the network that it may mean.
fn parse_entry(entry: &[u8]) -> Result<IpNet, Option<IpNet>> {
    let entry = std::str::from_utf8(entry).map_err(|_| None)?;
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Ok(address.into());
    }
    let net: IpNet = entry.parse().map_err(|_| None)?;
    if net.trunc() == net { Ok(net) } else { Err(Some(net.trunc())) }
}

fn shown(entry: &[u8]) -> String {
    String::from_utf8_lossy(&entry[..entry.len().min(60)]).escape_debug().to_string()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, text, meant } = self;
        match meant {
            None => write!(f, "line {line}: \"{text}\" is not a network such as 192.0.2.0/24 or an address"),
            Some(net) => write!(f, "line {line}: \"{text}\" has host bits set; write {net}, or the address alone"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn comments_blank_lines_and_any_line_ending() {
        let text =
            b"\xef\xbb\xbf# head\r\n192.0.2.0/24\r\n\r\n  198.51.100.7 # one\n\t2001:db8::/32\n::1\n#end\n203.0.113.1";
        let list = parse(text);
        assert_eq!(list.faults, []);
        let nets: Vec<String> = list.nets.iter().map(ToString::to_string).collect();
        assert_eq!(nets, ["192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32", "::1/128", "203.0.113.1/32"]);
        assert_eq!(parse(b""), List::default());
    }

    #[test]
    fn every_bad_line_is_named() {
        let list =
            parse(b"192.0.2.0/33\n192.0.2.1\nexample.com\n\n10.0.0.1/8\n\xff\xfe\n192.0.2.0/24,\n2001:db8::1/32");
        let messages: Vec<String> = list.faults.iter().map(ToString::to_string).collect();
        assert_eq!(list.nets.len(), 1);
        assert_eq!(list.faults.iter().map(|f| f.line).collect::<Vec<_>>(), [1, 3, 5, 6, 7, 8]);
        assert_eq!(messages[0], "line 1: \"192.0.2.0/33\" is not a network such as 192.0.2.0/24 or an address");
        assert_eq!(messages[2], "line 5: \"10.0.0.1/8\" has host bits set; write 10.0.0.0/8, or the address alone");
        assert!(messages[5].contains("2001:db8::/32"));
    }

    #[test]
    fn a_fault_quotes_a_bounded_harmless_piece() {
        let list = parse(&[b"\x1b[31m".as_slice(), &[b'x'; 10_000]].concat());
        let message = list.faults[0].to_string();
        assert!(message.len() < 200 && !message.contains('\x1b'), "{message}");
    }

    #[test]
    fn a_hundred_thousand_lines() {
        let text: String = (0..100_000u32).map(|n| format!("{}/32\n", std::net::Ipv4Addr::from(n * 16))).collect();
        let list = parse(text.as_bytes());
        assert_eq!((list.nets.len(), list.faults.len()), (100_000, 0));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, text in "[0-9a-f:./#\n]{0,200}") {
            parse(&bytes);
            parse(text.as_bytes());
        }

        #[test]
        fn what_is_written_is_read(addresses: Vec<(IpAddr, u8)>) {
            let nets: Vec<IpNet> = addresses
                .into_iter()
                .filter_map(|(a, len)| IpNet::new(a, len % if a.is_ipv4() { 33 } else { 129 }).ok())
                .map(|net| net.trunc())
                .collect();
            let text: String = nets.iter().map(|net| format!("{net}\n")).collect();
            prop_assert_eq!(parse(text.as_bytes()), List { nets, faults: vec![] });
        }
    }
}
