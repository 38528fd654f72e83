//! How a client shows that a browser, or at least some effort, is behind it: a signed cookie that it was given and
//! brings back, or a proof of work.
//!
//! Nothing is kept per client: what was asked is in the token itself, under a MAC that covers the client's address.
//! A cookie that another address presents is worth nothing.

mod cookies;
mod keys;
mod pow;
mod token;

pub use cookies::{PLAIN_NAME, SECURE_NAME, mentions, without_ours};
pub use keys::{adopt_secret, lottery, own_secret};
pub use token::Token;

use crate::client::key::ClientKey;
use crate::config::settings;
use keys::Keys;
use std::time::Duration;
use token::{Content, Fault, Use};

/// The strength of a cookie that was brought back: the client keeps cookies, as browsers do.
pub const REDIRECT: u8 = 1;

/// The strength of a cookie that was worked for.
pub const WORK: u8 = 2;

/// What a request's cookie shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// There is none, or its time is over.
    #[default]
    None,
    /// There is one that was not made for this client: a forgery, a replay, or a person whose address has changed.
    Forged,
    /// The client passed.
    Valid {
        /// Which cookie: two browsers behind one address have two.
        id: u32,
        /// [`REDIRECT`] or [`WORK`].
        strength: u8,
    },
}

/// Makes and checks what clients are asked for. Immutable: a reload makes another.
pub struct Challenge {
    keys: Keys,
    lifetime: u64,
    difficulty: u8,
}

impl Challenge {
    /// The challenge of this config.
    pub fn new(settings: &settings::Challenge) -> Self {
        Self {
            keys: Keys::new(settings.secret.as_ref(), settings.rotate_every),
            lifetime: settings.lifetime.as_secs(),
            difficulty: settings.difficulty,
        }
    }

    /// A cookie for a client that passed. `unix` is in seconds since 1970; `id` is any number, best a random one.
    pub fn issue(&self, client: ClientKey, strength: u8, unix: u64, id: u32) -> Token {
        let content = Content { level: strength, issued: unix as u32, id };
        token::seal(&self.keys, Use::Cookie, content, client)
    }

    /// What a cookie's value shows. Allocates nothing, whatever it is.
    pub fn verify(&self, cookie_value: &[u8], client: ClientKey, unix: u64) -> Proof {
        match token::open(&self.keys, Use::Cookie, cookie_value, client, unix, self.lifetime) {
            Ok(content) => Proof::Valid { id: content.id, strength: content.level },
            Err(Fault::Old) => Proof::None,
            Err(Fault::Forged) => Proof::Forged,
        }
    }

    /// What a request's Cookie fields show: the best of at most two candidates.
    pub fn proof<'a>(&self, fields: impl Iterator<Item = &'a [u8]>, client: ClientKey, unix: u64) -> Proof {
        let mut best = Proof::None;
        for value in cookies::find(fields).into_iter().flatten() {
            match self.verify(value, client, unix) {
                Proof::None => {}
                Proof::Forged => best = Proof::Forged,
                valid => return valid,
            }
        }
        best
    }

    /// A problem for this client; see [`Challenge::is_solved`].
    pub fn problem(&self, client: ClientKey, unix: u64, id: u32) -> Token {
        pow::problem(&self.keys, client, self.difficulty, unix, id)
    }

    /// Whether SHA-256 of `problem` followed by `nonce`, a decimal number, begins with as many zero bits as were asked
    /// for, and this client was asked not long ago.
    pub fn is_solved(&self, problem: &[u8], nonce: &[u8], client: ClientKey, unix: u64) -> bool {
        pow::is_solved(&self.keys, problem, nonce, client, unix)
    }

    /// Leading zero bits that a proof of work is to reach.
    pub fn difficulty(&self) -> u8 {
        self.difficulty
    }

    /// How long a cookie is good.
    pub fn lifetime(&self) -> Duration {
        Duration::from_secs(self.lifetime)
    }
}

#[cfg(test)]
mod tests;
