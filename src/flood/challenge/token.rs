//! A signed statement of fixed length: when it was made, at what level, for which client.
//!
//! Both the cookie and the problem of a proof of work are such tokens; a label in the MAC keeps them apart. 27 bytes
//! (version, key, level, seconds since 1970, id, MAC) are 36 letters of base64url (RFC 4648, 5) without padding, so
//! each token has one spelling only.

use super::keys::{Keys, MAC};
use crate::client::key::ClientKey;
use subtle::ConstantTimeEq;

/// Letters of a token.
pub(super) const LETTERS: usize = 36;

/// Bytes of a token.
const BYTES: usize = CONTENT + MAC;

/// Bytes before the MAC.
const CONTENT: usize = 11;

/// Of this layout.
const VERSION: u8 = 1;

/// How far clocks of a fleet may differ, in seconds.
const SKEW: u64 = 60;

/// A token as text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token([u8; LETTERS]);

impl Token {
    /// The text.
    pub fn as_str(&self) -> &str {
        // Letters of base64url are UTF-8.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// What a token is for.
#[derive(Clone, Copy)]
pub(super) enum Use {
    /// The cookie of a client that passed.
    Cookie = b'c' as isize,
    /// A problem to be solved.
    Work = b'w' as isize,
}

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// Strength or difficulty.
    pub(super) level: u8,
    /// Seconds since 1970; enough until 2106.
    pub(super) issued: u32,
    pub(super) id: u32,
}

/// Why a token is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Its time is over.
    Old,
    /// It was not made here, not for this client, or not for this use.
    Forged,
}

/// Signs `content` for `client`.
pub(super) fn seal(keys: &Keys, what: Use, content: Content, client: ClientKey) -> Token {
    let epoch = keys.epoch(u64::from(content.issued));
    let mut bytes = [0; BYTES];
    bytes[0] = VERSION;
    bytes[1] = epoch as u8;
    bytes[2] = content.level;
    bytes[3..7].copy_from_slice(&content.issued.to_be_bytes());
    bytes[7..CONTENT].copy_from_slice(&content.id.to_be_bytes());
    let mac = mac(keys, epoch, what, &bytes, client);
    bytes[CONTENT..].copy_from_slice(&mac);
    Token(encode(&bytes))
}

/// What `text` says, if it was sealed for this use and this client, and is at most `lifetime` seconds old.
pub(super) fn open(
    keys: &Keys,
    what: Use,
    text: &[u8],
    client: ClientKey,
    unix: u64,
    lifetime: u64,
) -> Result<Content, Fault> {
    let bytes = decode(text).ok_or(Fault::Forged)?;
    let number = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let content = Content { level: bytes[2], issued: number(3), id: number(7) };
    let issued = u64::from(content.issued);
    let epoch = keys.epoch(issued);
    if bytes[0] != VERSION || bytes[1] != epoch as u8 || issued > unix.saturating_add(SKEW) {
        return Err(Fault::Forged);
    }
    // Before the MAC: an old cookie is worth nothing either way, and costs less so.
    if unix > issued + lifetime + SKEW {
        return Err(Fault::Old);
    }
    let right = mac(keys, epoch, what, &bytes, client);
    if bool::from(right.ct_eq(&bytes[CONTENT..])) { Ok(content) } else { Err(Fault::Forged) }
}

fn mac(keys: &Keys, epoch: u64, what: Use, bytes: &[u8; BYTES], client: ClientKey) -> [u8; MAC] {
    let mut message = [0; 1 + CONTENT + 16];
    message[0] = what as u8;
    message[1..=CONTENT].copy_from_slice(&bytes[..CONTENT]);
    message[CONTENT + 1..].copy_from_slice(&client.bits().to_be_bytes());
    keys.mac(epoch, &message)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Each letter's six bits; 255 for what is no letter.
const VALUES: [u8; 256] = {
    let mut values = [255; 256];
    let mut i = 0;
    while i < 64 {
        values[ALPHABET[i] as usize] = i as u8;
        i += 1;
    }
    values
};

fn encode(bytes: &[u8; BYTES]) -> [u8; LETTERS] {
    let mut text = [0; LETTERS];
    for (four, three) in text.chunks_exact_mut(4).zip(bytes.chunks_exact(3)) {
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for (i, letter) in four.iter_mut().enumerate() {
            *letter = ALPHABET[(bits >> (18 - 6 * i)) as usize & 63];
        }
    }
    text
}

fn decode(text: &[u8]) -> Option<[u8; BYTES]> {
    let text: &[u8; LETTERS] = text.try_into().ok()?;
    let mut bytes = [0; BYTES];
    for (three, four) in bytes.chunks_exact_mut(3).zip(text.chunks_exact(4)) {
        let mut bits = 0;
        for letter in four {
            let value = VALUES[usize::from(*letter)];
            if value == 255 {
                return None;
            }
            bits = bits << 6 | u32::from(value);
        }
        three.copy_from_slice(&bits.to_be_bytes()[1..]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_have_one_spelling(bytes: [u8; BYTES]) {
            let text = encode(&bytes);
            prop_assert!(text.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')));
            prop_assert_eq!(decode(&text), Some(bytes));
        }

        #[test]
        fn a_text_that_can_be_read_is_the_spelling_of_what_it_says(text in "[A-Za-z0-9_-]{36}") {
            let bytes = decode(text.as_bytes()).unwrap();
            prop_assert_eq!(encode(&bytes).to_vec(), text.into_bytes());
        }

        #[test]
        fn anything_else_is_no_token(text: Vec<u8>) {
            let letters = text.len() == LETTERS && text.iter().all(|b| ALPHABET.contains(b));
            prop_assert_eq!(decode(&text).is_some(), letters);
        }
    }
}
