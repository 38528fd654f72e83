//! Proof of work: a number that makes a hash begin with enough zeros. Finding it takes tries, checking it one hash.
//!
//! The problem names its client and its time, so there is nothing to keep; what a solution buys is a cookie of the
//! same client, so solving one problem twice gains nothing.

use super::keys::Keys;
use super::token::{self, Content, Token, Use};
use crate::client::key::ClientKey;
use ring::digest::{SHA256, digest};

/// Seconds to solve it in. A slow phone at the highest difficulty needs minutes; a hoard of problems is worth nothing
/// to another client.
const PATIENCE: u64 = 300;

/// Digits of a solution: with the problem they fill one block of SHA-256, which is what the page's script can do.
const MAX_DIGITS: usize = 15;

pub(super) fn problem(keys: &Keys, client: ClientKey, difficulty: u8, unix: u64, id: u32) -> Token {
    let content = Content { level: difficulty, issued: unix as u32, id };
    token::seal(keys, Use::Work, content, client)
}

/// Whether `nonce`, a decimal number, solves `problem`.
pub(super) fn is_solved(keys: &Keys, problem: &[u8], nonce: &[u8], client: ClientKey, unix: u64) -> bool {
    if !(1..=MAX_DIGITS).contains(&nonce.len()) || !nonce.iter().all(u8::is_ascii_digit) {
        return false;
    }
    token::open(keys, Use::Work, problem, client, unix, PATIENCE)
        .is_ok_and(|content| zeros(problem, nonce) >= u32::from(content.level))
}

/// Leading zero bits of the hash of both.
fn zeros(problem: &[u8], nonce: &[u8]) -> u32 {
    let mut message = [0; token::LETTERS + MAX_DIGITS];
    let (front, back) = message.split_at_mut(problem.len());
    front.copy_from_slice(problem);
    back[..nonce.len()].copy_from_slice(nonce);
    let hash = digest(&SHA256, &message[..problem.len() + nonce.len()]);
    let first = hash.as_ref().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    first.leading_zeros()
}
