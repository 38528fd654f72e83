//! The PROXY protocol, versions 1 and 2: a proxy tells, before the first byte, whom it speaks for.

use super::address;
use std::net::{IpAddr, SocketAddr};

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The beginning of a header; more is needed.
    Partial,
    /// No header, or one that can't be accepted; why.
    Invalid(&'static str),
    /// A whole header.
    Done {
        /// How many bytes it takes up.
        len: usize,
        /// The client; `None` where the proxy speaks for itself, as in a health check, or does not know.
        source: Option<SocketAddr>,
    },
}

/// The longest header that is accepted: addresses and a fair amount of extensions (TLVs).
pub const MAX_LEN: usize = 4096;

const SIGNATURE_V1: &[u8] = b"PROXY ";
const MAX_V1: usize = 107;
const SIGNATURE_V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const HEAD_V2: usize = 16;

/// Reads the header that `input` begins with.
pub fn parse(input: &[u8]) -> Parsed {
    if let Some(rest) = input.strip_prefix(SIGNATURE_V1) {
        return parse_v1(rest);
    }
    if input.starts_with(SIGNATURE_V2) {
        return parse_v2(input);
    }
    if SIGNATURE_V1.starts_with(input) || SIGNATURE_V2.starts_with(input) {
        Parsed::Partial
    } else {
        Parsed::Invalid("no proxy protocol signature")
    }
}

/// The line after `PROXY `.
fn parse_v1(rest: &[u8]) -> Parsed {
    let room = MAX_V1 - SIGNATURE_V1.len();
    let Some(end) = rest.iter().take(room).position(|&byte| byte == b'\n') else {
        return if rest.len() < room { Parsed::Partial } else { Parsed::Invalid("version 1 line too long") };
    };
    let len = SIGNATURE_V1.len() + end + 1;
    let Some(line) = rest[..end].strip_suffix(b"\r") else {
        return Parsed::Invalid("version 1 line does not end in CRLF");
    };
    let mut words = line.split(|&byte| byte == b' ');
    let family = words.next();
    if family == Some(b"UNKNOWN") {
        return Parsed::Done { len, source: None };
    }
    let words: [Option<&[u8]>; 5] = std::array::from_fn(|_| words.next());
    let [Some(from), Some(to), Some(from_port), Some(to_port), None] = words else {
        return Parsed::Invalid("version 1 line without two addresses and two ports");
    };
    let (Some(from_port), Some(_)) = (address::port(from_port), address::port(to_port)) else {
        return Parsed::Invalid("version 1 port is none");
    };
    let read = match family {
        Some(b"TCP4") => read_address::<std::net::Ipv4Addr>,
        Some(b"TCP6") => read_address::<std::net::Ipv6Addr>,
        _ => return Parsed::Invalid("version 1 family is not TCP4, TCP6 or UNKNOWN"),
    };
    let (Some(from), Some(_)) = (read(from), read(to)) else {
        return Parsed::Invalid("version 1 address is none of its family");
    };
    Parsed::Done { len, source: Some(SocketAddr::new(from, from_port)) }
}

fn read_address<A: std::str::FromStr + Into<IpAddr>>(text: &[u8]) -> Option<IpAddr> {
    let address: IpAddr = std::str::from_utf8(text).ok()?.parse::<A>().ok()?.into();
    Some(address.to_canonical())
}

fn parse_v2(input: &[u8]) -> Parsed {
    let Some((head, rest)) = input.split_first_chunk::<HEAD_V2>() else { return Parsed::Partial };
    let [.., command, family, high, low] = *head;
    let body_len = usize::from(u16::from_be_bytes([high, low]));
    let len = HEAD_V2 + body_len;
    if command >> 4 != 2 {
        return Parsed::Invalid("version is not 2");
    }
    if len > MAX_LEN {
        return Parsed::Invalid("version 2 header longer than 4096 bytes");
    }
    if command & 15 > 1 {
        return Parsed::Invalid("version 2 command is not LOCAL or PROXY");
    }
    if family >> 4 > 3 || family & 15 > 2 {
        return Parsed::Invalid("version 2 family or transport unknown");
    }
    let Some(body) = rest.get(..body_len) else { return Parsed::Partial };
    if command & 15 == 0 {
        return Parsed::Done { len, source: None };
    }
    let source = match family >> 4 {
        1 => body.first_chunk::<12>().map(|b| Some(socket::<4>(b, 8))),
        2 => body.first_chunk::<36>().map(|b| Some(socket::<16>(b, 32))),
        3 => body.first_chunk::<216>().map(|_| None),
        _ => Some(None),
    };
    source.map_or(Parsed::Invalid("version 2 addresses cut short"), |source| Parsed::Done { len, source })
}

/// The source address of `N` bytes at the start of `body`, with the source port at `port`.
fn socket<const N: usize>(body: &[u8], port: usize) -> SocketAddr
where
    IpAddr: From<[u8; N]>,
{
    let mut octets = [0; N];
    octets.copy_from_slice(&body[..N]);
    SocketAddr::new(IpAddr::from(octets).to_canonical(), u16::from_be_bytes([body[port], body[port + 1]]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn done(input: &[u8], source: Option<&str>) {
        let expected = Parsed::Done { len: input.len(), source: source.map(|s| s.parse().unwrap()) };
        assert_eq!(parse(input), expected);
        // What follows is left alone, and every beginning is just that.
        assert_eq!(parse(&[input, b"GET / HTTP/1.1\r\n"].concat()), expected);
        for end in 0..input.len() {
            assert_eq!(parse(&input[..end]), Parsed::Partial, "{end}");
        }
    }

    fn invalid(input: &[u8]) {
        assert!(matches!(parse(input), Parsed::Invalid(_)), "{input:?}: {:?}", parse(input));
    }

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        [SIGNATURE_V2, &[command, family], &(body.len() as u16).to_be_bytes(), body].concat()
    }

    #[test]
    fn version_1() {
        done(b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", Some("192.0.2.1:56324"));
        done(b"PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n", Some("[2001:db8::1]:56324"));
        done(b"PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n", Some("192.0.2.1:1"));
        done(b"PROXY UNKNOWN\r\n", None);
        done(b"PROXY UNKNOWN whatever it says\r\n", None);
        let longest = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; MAX_V1 - 16], b"\r\n"].concat();
        done(&longest, None);
    }

    #[test]
    fn version_1_faults() {
        for line in [
            "GET / HTTP/1.1\r\n",
            "PROXY  TCP4 192.0.2.1 198.51.100.1 1 2\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 1\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 1 2 3\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 1 2\n",
            "PROXY TCP4 2001:db8::1 198.51.100.1 1 2\r\n",
            "PROXY TCP6 192.0.2.1 2001:db8::1 1 2\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 +1 2\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 65536 2\r\n",
            "PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n",
            "PROXY \r\n",
            "proxy UNKNOWN\r\n",
            "PROXY UNKNOWNX\r\n",
        ] {
            invalid(line.as_bytes());
        }
        invalid(&[b"PROXY ".as_slice(), &[b'x'; MAX_V1 - 6]].concat());
        assert_eq!(parse(&[b"PROXY ".as_slice(), &[b'x'; MAX_V1 - 7]].concat()), Parsed::Partial);
    }

    #[test]
    fn version_2() {
        let four = [192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 4, 1, 187];
        done(&v2(0x21, 0x11, &four), Some("192.0.2.1:56324"));
        done(&v2(0x21, 0x11, &[four.as_slice(), &[3, 0, 4, 1, 2, 3, 4]].concat()), Some("192.0.2.1:56324"));
        let mut six = [0; 36];
        six[..4].copy_from_slice(&[0x20, 1, 0x0d, 0xb8]);
        six[15] = 1;
        six[32..34].copy_from_slice(&[0xdc, 4]);
        done(&v2(0x21, 0x21, &six), Some("[2001:db8::1]:56324"));
        done(&v2(0x21, 0x31, &[0; 216]), None);
        done(&v2(0x21, 0, &[]), None);
        done(&v2(0x20, 0, &[]), None);
        done(&v2(0x20, 0x11, &four), None);
        done(&v2(0x21, 0, &[0; MAX_LEN - 16]), None);
    }

    #[test]
    fn version_2_faults() {
        invalid(&v2(0x11, 0x11, &[0; 12]));
        invalid(&v2(0x22, 0x11, &[0; 12]));
        invalid(&v2(0x21, 0x41, &[0; 12]));
        invalid(&v2(0x21, 0x13, &[0; 12]));
        invalid(&v2(0x21, 0x11, &[0; 11]));
        invalid(&v2(0x21, 0x21, &[0; 35]));
        invalid(&v2(0x21, 0x31, &[0; 215]));
        // Refused by its length before it is waited for.
        invalid(&v2(0x21, 0, &[0; MAX_LEN])[..16]);
        invalid(b"\r\n\r\n\0\r\nQUIX");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, tail: Vec<u8>) {
            parse(&bytes);
            parse(&[SIGNATURE_V1, &tail].concat());
            if let Parsed::Done { len, .. } = parse(&[SIGNATURE_V2, &tail].concat()) {
                prop_assert!(len <= SIGNATURE_V2.len() + tail.len());
            }
        }

        #[test]
        fn version_1_as_written(from: std::net::Ipv4Addr, to: std::net::Ipv4Addr, port: u16) {
            let line = format!("PROXY TCP4 {from} {to} {port} 443\r\n");
            let source = Some(SocketAddr::new(from.into(), port));
            prop_assert_eq!(parse(line.as_bytes()), Parsed::Done { len: line.len(), source });
        }
    }
}
