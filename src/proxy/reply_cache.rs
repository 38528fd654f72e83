//! Refusals as they were sent, kept while they would read the same: in a flood they nearly all do.

use super::reply::{Refusal, Replies};
use crate::base::clock::Time;
use crate::verdict::reason::Reason;
use bytes::BytesMut;
use std::cell::RefCell;
use std::sync::Arc;

/// How many a worker keeps.
const SLOTS: usize = 64;

/// Larger ones, with pages of one's own, are written anew each time: 64 KiB a worker are enough.
const LARGEST: usize = 1024;

/// All that the bytes of a refusal depend on.
#[derive(PartialEq)]
struct Key {
    /// Of the `Date` field.
    second: u64,
    replies: u64,
    reason: Reason,
    retry_after: u64,
    flags: u8,
}

#[derive(Default)]
struct Slot {
    key: Option<Key>,
    /// The limit's name. Each config has its own, and it can't be another's as long as it is held here.
    limit: Option<Arc<str>>,
    bytes: Vec<u8>,
}

/// Appends the whole HTTP/1.1 reply, as [`Refusal::write`] does.
pub(super) fn write(refusal: &Refusal<'_>, replies: &Replies, now: Time, out: &mut BytesMut) {
    thread_local! {
        static KEPT: RefCell<[Slot; SLOTS]> = RefCell::new(std::array::from_fn(|_| Slot::default()));
    }
    let flags = u8::from(refusal.browser) | u8::from(refusal.close) << 1 | u8::from(refusal.head) << 2;
    let key = Key {
        second: now.nanos() / 1_000_000_000,
        replies: replies.id(),
        reason: refusal.reason,
        retry_after: refusal.retry_after,
        flags,
    };
    let limit = refusal.limit.map(|l| &l.name);
    KEPT.with_borrow_mut(|kept| {
        let mixed = refusal.limit.map_or(0, |l| l.index) * 29 + key.reason as usize * 13 + usize::from(flags);
        let slot = &mut kept[(mixed * 7 + key.retry_after as usize) % SLOTS];
        let same_limit = match (&slot.limit, limit) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        if same_limit && slot.key.as_ref() == Some(&key) {
            return out.extend_from_slice(&slot.bytes);
        }
        let before = out.len();
        refusal.write(replies, out);
        let reply = &out[before..];
        slot.key = None;
        if reply.len() <= LARGEST {
            slot.bytes.clear();
            slot.bytes.extend_from_slice(reply);
            (slot.limit, slot.key) = (limit.cloned(), Some(key));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::verdict::policy::{Networks, Policy};
    use crate::verdict::state::State;

    fn policy(state: &State, burst: u32) -> Policy {
        let text = format!(
            "[listen]\nhttp = [\"127.0.0.1:1\"]\n[origin]\naddresses = [\"127.0.0.1:2\"]\ncapacity = \"10/s\"\n\
             [[limit]]\nname = \"one\"\nkey = \"client\"\nrate = \"1/s\"\nburst = {burst}\n\
             [[limit]]\nname = \"two\"\nkey = \"prefix\"\nrate = \"1/s\"\nburst = 7\n"
        );
        let loaded = config::load_str(&text, "test.toml").unwrap();
        Policy::compile(Arc::new(loaded.settings), &Networks::default(), state, Time::from_nanos(1))
    }

    /// What the cache gives and what is written anew, less the `Date`, which moves by itself.
    fn both(refusal: &Refusal<'_>, replies: &Replies, now: Time) -> [String; 2] {
        let (mut kept, mut fresh) = (BytesMut::new(), BytesMut::new());
        write(refusal, replies, now, &mut kept);
        refusal.write(replies, &mut fresh);
        [kept, fresh].map(|b| {
            let text = String::from_utf8(b.to_vec()).unwrap();
            text.lines().filter(|l| !l.starts_with("Date: ")).collect::<Vec<_>>().join("\n")
        })
    }

    #[test]
    fn a_kept_reply_reads_as_a_fresh_one() {
        let state = State::new();
        let replies = Replies::default();
        for burst in [3, 4] {
            let policy = policy(&state, burst);
            for round in 0..2 {
                for limit in [None, Some(&policy.limits[0]), Some(&policy.limits[1])] {
                    for n in 0..400u64 {
                        let refusal = Refusal {
                            limit,
                            retry_after: n / 8,
                            browser: n & 1 == 1,
                            close: n & 2 == 2,
                            head: n & 4 == 4,
                            reason: if n % 5 == 0 { Reason::OriginCapacity } else { Reason::Limit },
                        };
                        let [kept, fresh] = both(&refusal, &replies, Time::from_nanos(round));
                        assert_eq!(kept, fresh);
                    }
                }
            }
        }
    }

    #[test]
    fn new_bodies_count_at_once() {
        let page = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(page.path(), "first").unwrap();
        let settings = config::settings::Reply {
            problem: [(429, page.path().to_owned())].into(),
            ..config::settings::Reply::default()
        };
        let refusal = Refusal { close: false, ..Refusal::plain(Reason::Limit) };
        for body in ["first", "second"] {
            std::fs::write(page.path(), body).unwrap();
            let replies = Replies::load(&settings).unwrap();
            for _ in 0..2 {
                assert!(both(&refusal, &replies, Time::from_nanos(5))[0].ends_with(body));
            }
        }
    }
}
