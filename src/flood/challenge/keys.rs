//! Keys that change with time: every task derives them from one secret, so a fleet agrees without talking.

use crate::config::settings::Secret;
use ring::hmac::{self, HMAC_SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use std::cell::RefCell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bytes of a MAC: half of SHA-256, which RFC 2104 (5) allows.
pub(super) const MAC: usize = 16;

/// All keys of one secret, one for each epoch of `rotate_every`.
pub(super) struct Keys {
    master: hmac::Key,
    /// No other in this process has it.
    id: u64,
    seconds: u64,
}

/// An epoch's key, and whose it is.
type Kept = Option<(u64, u64, hmac::Key)>;

impl Keys {
    /// The keys of `secret`; without one, of a secret that only this process has and that every reload keeps.
    pub(super) fn new(secret: Option<&Secret>, rotate_every: Duration) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let secret = match secret {
            Some(secret) => secret.bytes(),
            None => of_this_process(),
        };
        Self {
            master: hmac::Key::new(HMAC_SHA256, secret),
            // Relaxed: hands out numbers, orders nothing.
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            seconds: rotate_every.as_secs().max(1),
        }
    }

    /// The epoch of a time, in seconds since 1970.
    pub(super) fn epoch(&self, unix: u64) -> u64 {
        unix / self.seconds
    }

    /// The MAC of `message` under the key of `epoch`. A thread keeps the keys of the last few epochs: the previous,
    /// the current and the next are all in use, and a key takes as long to derive as a MAC.
    pub(super) fn mac(&self, epoch: u64, message: &[u8]) -> [u8; MAC] {
        thread_local! {
            static KEPT: RefCell<[Kept; 4]> = const { RefCell::new([const { None }; 4]) };
        }
        KEPT.with_borrow_mut(|kept| {
            let slot = &mut kept[epoch as usize % 4];
            if slot.as_ref().is_none_or(|(id, of, _)| (*id, *of) != (self.id, epoch)) {
                *slot = None;
            }
            let (_, _, key) = slot.get_or_insert_with(|| (self.id, epoch, self.derive(epoch)));
            let tag = hmac::sign(key, message);
            std::array::from_fn(|i| tag.as_ref()[i])
        })
    }

    fn derive(&self, epoch: u64) -> hmac::Key {
        let mut label = *b"weir challenge key 1 ........";
        label[21..].copy_from_slice(&epoch.to_be_bytes());
        hmac::Key::new(HMAC_SHA256, hmac::sign(&self.master, &label).as_ref())
    }
}

/// Random, and the same until the process ends.
fn of_this_process() -> &'static [u8; 32] {
    static SECRET: OnceLock<[u8; 32]> = OnceLock::new();
    SECRET.get_or_init(|| {
        let mut secret = [0; 32];
        SystemRandom::new().fill(&mut secret).expect("a kernel without randomness can keep no secret");
        secret
    })
}
