//! Messages of a TCP stream, as RFC 6587 frames them: by a count of bytes before each, or by line ends.

/// The most digits of a count.
const DIGITS: usize = 6;

/// Cuts a stream into messages of at most `most` bytes; what is longer is passed over and counted.
#[derive(Debug)]
pub struct Frames {
    most: usize,
    buffer: Vec<u8>,
    /// Bytes of a message that is too long and still comes; all up to a line end where none is said.
    skip: Skip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Skip {
    Nothing,
    Bytes(usize),
    Line,
}

/// One message, or one that was too long.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A message.
    Whole(&'a [u8]),
    /// It had more bytes than are read.
    TooLong,
}

impl Frames {
    /// None yet.
    pub fn new(most: usize) -> Self {
        Self { most, buffer: Vec::new(), skip: Skip::Nothing }
    }

    /// Takes in what came; `each` is given every message that ends in it.
    pub fn push(&mut self, mut input: &[u8], mut each: impl FnMut(Frame<'_>)) {
        while !input.is_empty() {
            input = match self.skip {
                Skip::Bytes(left) => {
                    let taken = left.min(input.len());
                    self.skip = if taken == left { Skip::Nothing } else { Skip::Bytes(left - taken) };
                    &input[taken..]
                }
                Skip::Line => match input.iter().position(|b| *b == b'\n') {
                    Some(end) => {
                        self.skip = Skip::Nothing;
                        &input[end + 1..]
                    }
                    None => &[],
                },
                Skip::Nothing => {
                    // Never more is kept than one message and its count.
                    let room = self.most + DIGITS + 2 - self.buffer.len();
                    let (now, later) = input.split_at(room.min(input.len()));
                    self.buffer.extend_from_slice(now);
                    self.cut(&mut each);
                    later
                }
            };
        }
    }

    /// The stream is over: what is left is a message, unless its count promised more.
    pub fn end(self, mut each: impl FnMut(Frame<'_>)) {
        if self.skip == Skip::Nothing && counted(&self.buffer) == Count::None && !blank(&self.buffer) {
            each(Frame::Whole(&self.buffer));
        }
    }

    /// Hands out what is whole in the buffer.
    fn cut(&mut self, each: &mut impl FnMut(Frame<'_>)) {
        let mut start = 0;
        loop {
            let rest = &self.buffer[start..];
            match counted(rest) {
                Count::Unknown => break,
                Count::Bytes { head, len } if len > self.most => {
                    each(Frame::TooLong);
                    let have = (rest.len() - head).min(len);
                    start += head + have;
                    if have < len {
                        self.skip = Skip::Bytes(len - have);
                    }
                }
                Count::Bytes { head, len } => {
                    let Some(message) = rest.get(head..head + len) else { break };
                    if !blank(message) {
                        each(Frame::Whole(message));
                    }
                    start += head + len;
                }
                Count::None => match rest.iter().position(|b| *b == b'\n') {
                    Some(end) => {
                        match &rest[..end] {
                            message if message.len() > self.most => each(Frame::TooLong),
                            message if !blank(message) => each(Frame::Whole(message)),
                            _ => {}
                        }
                        start += end + 1;
                    }
                    None if rest.len() > self.most => {
                        each(Frame::TooLong);
                        start = self.buffer.len();
                        self.skip = Skip::Line;
                    }
                    None => break,
                },
            }
        }
        self.buffer.drain(..start);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    /// More bytes will tell.
    Unknown,
    /// The message ends with its line.
    None,
    Bytes {
        head: usize,
        len: usize,
    },
}

/// How the message that begins here is framed. A line that begins with a year has a `-` after its digits.
fn counted(rest: &[u8]) -> Count {
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    match rest.get(digits) {
        None if digits <= DIGITS && rest.first() != Some(&b'0') => Count::Unknown,
        Some(b' ') if (1..=DIGITS).contains(&digits) && rest[0] != b'0' => {
            let len = rest[..digits].iter().fold(0, |n, digit| n * 10 + usize::from(digit - b'0'));
            Count::Bytes { head: digits + 1, len }
        }
        _ => Count::None,
    }
}

fn blank(message: &[u8]) -> bool {
    message.iter().all(|b| b.is_ascii_whitespace() || *b == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What comes out where `input` comes in pieces of `size` bytes.
    fn cut(input: &[u8], size: usize, most: usize) -> Vec<Option<String>> {
        let (mut frames, mut found) = (Frames::new(most), Vec::new());
        let mut each = |frame: Frame<'_>| {
            found.push(match frame {
                Frame::Whole(message) => Some(String::from_utf8_lossy(message).into_owned()),
                Frame::TooLong => None,
            });
        };
        for piece in input.chunks(size) {
            frames.push(piece, &mut each);
            assert!(frames.buffer.len() <= most + DIGITS + 2);
        }
        frames.end(&mut each);
        found
    }

    #[test]
    fn both_framings_are_read_in_any_pieces() {
        let input = b"<1>a\n\n11 <2>b\nc 3 <3\n2026-03-04 d\r\n4 12345 abcd000 e\n12 <4>f";
        let wanted = ["<1>a", "<2>b\nc 3 <3", "2026-03-04 d\r", "1234", "5 abcd000 e"];
        for size in 1..input.len() {
            let found: Vec<_> = cut(input, size, 16).into_iter().flatten().collect();
            assert_eq!(found[..4], wanted[..4], "{size}");
        }
        assert_eq!(cut(b"<1>a\nlast", 3, 16), [Some("<1>a".into()), Some("last".into())]);
        assert_eq!(cut(b"9 short", 3, 16), [], "less than was promised");
    }

    #[test]
    fn what_is_too_long_is_passed_over_and_the_next_is_read() {
        for size in [1, 3, 100] {
            assert_eq!(cut(b"<1>0123456789\n<2>b\n", size, 8), [None, Some("<2>b".into())], "{size}");
            assert_eq!(cut(b"20 0123456789012345678\n4 <2>b", size, 8), [None, Some("<2>b".into())], "{size}");
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(input in "[0-9 <>a\n]{0,60}", size in 1usize..20, most in 1usize..30) {
            prop_assert_eq!(cut(input.as_bytes(), size, most), cut(input.as_bytes(), 1_000, most));
        }
    }
}
