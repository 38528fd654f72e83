//! Finds the end of a chunked body (RFC 9112, 7.1), so that Pingora never sees a byte of the next request.
//! Strict: what two parsers could read differently is an error.

/// The longest chunk-size line, and the longest trailer section.
const MAX_LINE: u16 = 4096;

/// Where in a chunked body the scanner stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before the first digit of a chunk size.
    SizeStart,
    /// Inside the size.
    Size,
    /// Inside a chunk extension.
    Extension,
    /// After the CR of the size line.
    SizeLf,
    /// Inside the chunk's data.
    Data,
    /// Before the CR after the data.
    DataCr,
    /// Before the LF after the data.
    DataLf,
    /// At the start of a trailer line.
    TrailerStart,
    /// Inside a trailer line.
    Trailer,
    /// After the CR of a trailer line.
    TrailerLf,
    /// After the CR of the last, empty line.
    EndLf,
    /// The body is over.
    End,
}

/// The body is not chunked as RFC 9112 says.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// Follows a chunked body byte by byte.
#[derive(Clone, Copy, Debug)]
pub struct Scanner {
    at: At,
    /// Bytes left of the chunk, or its size so far.
    size: u64,
    /// Bytes of framing since the last data.
    line: u16,
}

impl Default for Scanner {
    fn default() -> Self {
        Self { at: At::SizeStart, size: 0, line: 0 }
    }
}

impl Scanner {
    /// Whether the body is over.
    pub fn is_over(&self) -> bool {
        self.at == At::End
    }

    /// How many of `bytes` belong to the body. Fewer than all only when the body ends among them.
    ///
    /// # Errors
    /// Where the framing is not to the letter.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let mut used = 0;
        while used < bytes.len() && self.at != At::End {
            if self.at == At::Data {
                let take = self.size.min((bytes.len() - used) as u64);
                self.size -= take;
                used += take as usize;
                if self.size == 0 {
                    self.at = At::DataCr;
                }
                continue;
            }
            self.step(bytes[used])?;
            used += 1;
        }
        Ok(used)
    }

    fn step(&mut self, byte: u8) -> Result<(), Malformed> {
        self.line += 1;
        if self.line > MAX_LINE {
            return Err(Malformed);
        }
        self.at = match (self.at, byte) {
            (At::SizeStart | At::Size, b) if b.is_ascii_hexdigit() => {
                let digit = u64::from((b as char).to_digit(16).unwrap_or(0));
                self.size = self.size.checked_mul(16).and_then(|s| s.checked_add(digit)).ok_or(Malformed)?;
                At::Size
            }
            (At::Size, b'\r') | (At::Extension, b'\r') => At::SizeLf,
            (At::Size, b';') => At::Extension,
            (At::Extension, b) if b != b'\n' && b != 0 => At::Extension,
            (At::SizeLf, b'\n') if self.size == 0 => At::TrailerStart,
            (At::SizeLf, b'\n') => {
                self.line = 0;
                At::Data
            }
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => {
                self.line = 0;
                At::SizeStart
            }
            (At::TrailerStart, b'\r') => At::EndLf,
            (At::TrailerStart | At::Trailer, b) if b != b'\r' && b != b'\n' && b != 0 => At::Trailer,
            (At::Trailer, b'\r') => At::TrailerLf,
            (At::TrailerLf, b'\n') => At::TrailerStart,
            (At::EndLf, b'\n') => At::End,
            _ => return Err(Malformed),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn end_of(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let mut scanner = Scanner::default();
        let used = scanner.advance(bytes)?;
        Ok(scanner.is_over().then_some(used))
    }

    #[test]
    fn the_end_is_found_and_nothing_after_it_is_taken() {
        let body = b"5\r\nhello\r\n3;x=\"y\"\r\nabc\r\n0\r\nTrailer: 1\r\n\r\n";
        let with_next = [&body[..], b"GET / HTTP/1.1\r\n"].concat();
        assert_eq!(end_of(&with_next), Ok(Some(body.len())));
        assert_eq!(end_of(b"0\r\n\r\n"), Ok(Some(5)));
        assert_eq!(end_of(b"5\r\nhel"), Ok(None));
    }

    #[test]
    fn what_parsers_read_differently_is_refused() {
        for body in [
            &b"5\nhello\r\n"[..],
            b"+5\r\n",
            b"0x5\r\n",
            b" 5\r\n",
            b"5 \r\n",
            b"5\r\nhelloX",
            b"5\r\nhello\n",
            b"\r\n",
            b"fffffffffffffffff\r\n",
            b"0\r\nA: 1\n\r\n",
            b"5;a\nb\r\n",
            b"-1\r\n",
        ] {
            assert_eq!(end_of(body), Err(Malformed), "{:?}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn endless_framing_is_refused() {
        assert_eq!(end_of(&[b"5;".to_vec(), vec![b'a'; 5000]].concat()), Err(Malformed));
        assert_eq!(end_of(&[b"0\r\n".to_vec(), b"A: b\r\n".repeat(1000)].concat()), Err(Malformed));
    }

    proptest! {
        #[test]
        fn cut_anywhere_it_ends_in_the_same_place(chunks in prop::collection::vec(1usize..40, 0..6), cuts in prop::collection::vec(1usize..9, 1..80)) {
            let mut body = Vec::new();
            for size in &chunks {
                body.extend(format!("{size:x}\r\n").bytes());
                body.extend(vec![b'x'; *size]);
                body.extend(b"\r\n");
            }
            body.extend(b"0\r\n\r\n");
            let end = body.len();
            body.extend(b"NEXT");
            let mut scanner = Scanner::default();
            let (mut at, mut cuts) = (0, cuts.into_iter().cycle());
            while !scanner.is_over() {
                let piece = &body[at..(at + cuts.next().unwrap()).min(body.len())];
                at += scanner.advance(piece).unwrap();
            }
            prop_assert_eq!(at, end);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut scanner = Scanner::default();
            if let Ok(used) = scanner.advance(&bytes) {
                prop_assert!(used <= bytes.len());
            }
        }
    }
}
