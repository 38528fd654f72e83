//! Texts and numbers as bytes, without the machinery of formatting: every request that is logged pays for this.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

/// Appends `number`.
pub(super) fn number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends `thousandths` with three decimals.
pub(super) fn thousandths(thousandths: u64, out: &mut Vec<u8>) {
    number(thousandths / 1_000, out);
    let rest = thousandths % 1_000;
    out.extend([b'.', b'0' + (rest / 100) as u8, b'0' + (rest / 10 % 10) as u8, b'0' + (rest % 10) as u8]);
}

/// Appends `address`.
pub(super) fn address(address: IpAddr, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(v4) => {
            let (mut text, mut len) = ([0; 16], 0);
            for octet in v4.octets() {
                let digits = [octet / 100, octet / 10 % 10, octet % 10];
                let from = if octet >= 100 { 0 } else { 2 - usize::from(octet >= 10) };
                for digit in &digits[from..] {
                    text[len] = b'0' + digit;
                    len += 1;
                }
                text[len] = b'.';
                len += 1;
            }
            out.extend_from_slice(&text[..len - 1]);
        }
        // Into a vector nothing fails.
        IpAddr::V6(v6) => _ = write!(out, "{v6}"),
    }
}

/// Appends `socket`.
pub(super) fn socket(socket: SocketAddr, out: &mut Vec<u8>) {
    match socket {
        SocketAddr::V4(v4) => {
            address(IpAddr::V4(*v4.ip()), out);
            out.push(b':');
            number(v4.port().into(), out);
        }
        // As above.
        SocketAddr::V6(v6) => _ = write!(out, "{v6}"),
    }
}

/// Whether `text` holds no control character, no `"` and no `\`; eight bytes at a time.
pub(super) fn is_plain(text: &str) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let special = |word: u64| {
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        control | zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\')))
    };
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let found = words.iter().fold(0, |found, word| found | special(u64::from_le_bytes(*word)));
    found == 0 && rest.iter().all(|b| *b >= b' ' && !matches!(b, b'"' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_are_written_as_everywhere() {
        let mut out = Vec::new();
        for text in ["192.0.2.7:80", "0.0.0.0:0", "255.255.255.255:65535", "[2001:db8::1]:443"] {
            out.clear();
            socket(text.parse().unwrap(), &mut out);
            assert_eq!(out, text.as_bytes());
        }
        out.clear();
        [0, 7, 1_050, 12_345_678].iter().for_each(|n| {
            thousandths(*n, &mut out);
            out.push(b' ');
        });
        assert_eq!(out, b"0.000 0.007 1.050 12345.678 ");
    }

    #[test]
    fn a_text_is_plain_where_each_of_its_bytes_is() {
        for len in 0..20 {
            assert!(is_plain(&"~".repeat(len)) && is_plain(&"ä".repeat(len)));
            for at in 0..len {
                for byte in 0..128u8 {
                    let mut text = vec![b'!'; len];
                    text[at] = byte;
                    let plain = byte >= b' ' && byte != b'"' && byte != b'\\';
                    assert_eq!(is_plain(std::str::from_utf8(&text).unwrap()), plain, "{byte} at {at} of {len}");
                }
            }
        }
    }
}
