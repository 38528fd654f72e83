//! Keys that change with time: every task derives them from one secret, so a fleet agrees without talking.
//!
//! Where the config names no secret it is random: a process's own, until it adopts that of its fleet.

use crate::config::settings::Secret;
use arc_swap::ArcSwap;
use ring::hmac::{self, HMAC_SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Bytes of a MAC: half of SHA-256, which RFC 2104 (5) allows.
pub(super) const MAC: usize = 16;

/// All keys of one secret, one for each epoch of `rotate_every`.
pub(super) struct Keys {
    /// Of the config's secret; none: of the process's, which may change.
    configured: Option<Master>,
    seconds: u64,
}

/// What the keys of all epochs are derived from.
struct Master {
    key: hmac::Key,
    /// No other in this process has it.
    id: u64,
}

/// A secret that no config names.
struct Random {
    secret: [u8; 32],
    master: Master,
}

/// An epoch's key, and whose it is.
type Kept = Option<(u64, u64, hmac::Key)>;

impl Keys {
    /// The keys of `secret`; without one, of a random secret that every reload keeps.
    pub(super) fn new(secret: Option<&Secret>, rotate_every: Duration) -> Self {
        Self { configured: secret.map(|secret| Master::new(secret.bytes())), seconds: rotate_every.as_secs().max(1) }
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
        let random;
        let master = match &self.configured {
            Some(master) => master,
            None => {
                random = of_this_process().load();
                &random.master
            }
        };
        KEPT.with_borrow_mut(|kept| {
            let slot = &mut kept[epoch as usize % 4];
            if slot.as_ref().is_none_or(|(id, of, _)| (*id, *of) != (master.id, epoch)) {
                *slot = None;
            }
            let (_, _, key) = slot.get_or_insert_with(|| (master.id, epoch, master.derive(epoch)));
            let tag = hmac::sign(key, message);
            std::array::from_fn(|i| tag.as_ref()[i])
        })
    }
}

impl Master {
    fn new(secret: &[u8]) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // Relaxed: hands out numbers, orders nothing.
        Self { key: hmac::Key::new(HMAC_SHA256, secret), id: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    fn derive(&self, epoch: u64) -> hmac::Key {
        let mut label = *b"weir challenge key 1 ........";
        label[21..].copy_from_slice(&epoch.to_be_bytes());
        hmac::Key::new(HMAC_SHA256, hmac::sign(&self.key, &label).as_ref())
    }
}

/// The random secret, to be shared with a fleet; not for any log.
pub fn own_secret() -> [u8; 32] {
    of_this_process().load().secret
}

/// Takes a fleet's secret in place of the process's own: cookies are then good at every task. What was asked under the
/// old one is asked again.
pub fn adopt_secret(secret: [u8; 32]) {
    of_this_process().store(Arc::new(Random { master: Master::new(&secret), secret }));
}

/// Keys of the lotteries among clients that all who have `secret` draw alike.
pub fn lottery(secret: &[u8; 32]) -> [u64; 2] {
    let drawn = hmac::sign(&hmac::Key::new(HMAC_SHA256, secret), b"weir lotteries 1");
    let number = |at: usize| drawn.as_ref()[at..at + 8].iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
    [number(0), number(8)]
}

fn of_this_process() -> &'static ArcSwap<Random> {
    static SECRET: OnceLock<ArcSwap<Random>> = OnceLock::new();
    SECRET.get_or_init(|| {
        let mut secret = [0; 32];
        SystemRandom::new().fill(&mut secret).expect("a kernel without randomness can keep no secret");
        ArcSwap::from_pointee(Random { master: Master::new(&secret), secret })
    })
}
