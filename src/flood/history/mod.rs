//! stub
use crate::base::clock::Time;
use crate::client::key::ClientKey;
use crate::limit::seeds::Seeds;
use std::collections::HashMap;
use std::sync::Mutex;
#[derive(Default)]
pub struct Sizes;
#[derive(Clone, Copy, PartialEq, Debug)]
#[repr(u8)]
pub enum Standing {
    Credited = 0,
    Seen = 1,
    Net24 = 3,
    Net16 = 4,
    Unknown = 5,
}
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Known {
    pub standing: Standing,
    pub young: bool,
}
#[derive(Clone, Copy)]
pub struct Spots([u128; 3]);
#[derive(Default, Clone, Copy)]
struct E {
    first: f64,
    n: u32,
    slots: u32,
    last: i64,
    cred: f64,
}
pub struct History(Mutex<[HashMap<u128, E>; 3]>);
impl History {
    pub fn new(_: Sizes, _: Seeds, _: u64) -> Self {
        Self(Mutex::default())
    }
    pub fn locate(&self, c: ClientKey) -> Spots {
        Spots([c.bits(), c.prefix(24, 56).bits(), c.prefix(16, 48).bits()])
    }
    pub fn prefetch(&self, _: Spots) {}
    pub fn good(&self, c: ClientKey, now: Time) {
        let s = self.locate(c);
        let t = now.nanos() as f64 / 1e9;
        let mut m = self.0.lock().unwrap();
        for i in 0..3 {
            let e = m[i].entry(s.0[i]).or_insert(E { first: t, n: 0, slots: 0, last: -1, cred: f64::INFINITY });
            e.n += 1;
            let sl = (t / 600.0) as i64;
            if sl != e.last {
                e.slots += 1;
                e.last = sl;
            }
            if e.n >= 3 && e.slots >= 2 && e.cred.is_infinite() {
                e.cred = t;
            }
        }
    }
    pub fn known(&self, s: Spots, before: Time) -> Known {
        let b = before.nanos() as f64 / 1e9;
        let m = self.0.lock().unwrap();
        let y = |f: f64| f > b - 86400.0;
        if let Some(e) = m[0].get(&s.0[0]) {
            if e.cred <= b - 900.0 {
                return Known { standing: Standing::Credited, young: y(e.first) };
            }
            if e.first <= b - 900.0 {
                return Known { standing: Standing::Seen, young: y(e.first) };
            }
        }
        if let Some(e) = m[1].get(&s.0[1]) {
            if e.first <= b - 900.0 {
                return Known { standing: Standing::Net24, young: y(e.first) };
            }
        }
        if let Some(e) = m[2].get(&s.0[2]) {
            if e.first <= b - 86400.0 {
                return Known { standing: Standing::Net16, young: false };
            }
        }
        Known { standing: Standing::Unknown, young: false }
    }
    pub fn good_status(s: u16) -> bool {
        s < 500 && !matches!(s, 401 | 403 | 429)
    }
    pub fn bytes(&self) -> usize {
        0
    }
    pub fn sweep(&self, _: Time) {}
}
