//! What the history keeps of one client or network: a word of 64 bits, and the rule by which it earns credit.
//!
//! ```text
//! fingerprint 23 | first 13 | last 13 | credited 13 | count 2
//! ```
//!
//! Times are steps of five minutes, kept as stamps modulo 8191 (28.4 days); stamp 0 means never. Who reads a stamp
//! says what time it is, so that the stamp can only mean one step.

/// Seconds in a step; two make a slot of the rule of credit.
pub(super) const STEP: u64 = 300;
/// Steps in a day.
pub(super) const DAY: u64 = 24 * 60 * 60 / STEP;
/// The most steps that an entry is remembered after its last good response: any more may be over 28 days.
pub(super) const KEEP: u64 = 28 * DAY - 1;
/// How many steps a stamp may lie ahead of a reader whose time is late. The rest of the cycle, 97 steps, is how long an
/// entry that is over may wait for a sweep.
const AHEAD: u64 = 31;
/// Steps until stamps repeat.
const CYCLE: u64 = 8191;

/// Responses that credit needs; no more are counted.
const ENOUGH: u8 = 3;

const FINGERPRINT_AT: u32 = 41;
const FIRST_AT: u32 = 28;
const LAST_AT: u32 = 15;
const CREDITED_AT: u32 = 2;
const COUNT_AT: u32 = 0;
/// Bits of a fingerprint.
pub(super) const FINGERPRINT_BITS: u32 = 64 - FINGERPRINT_AT;

/// A slot's word, read at a known time. All times are steps since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) fingerprint: u32,
    /// The first good response, or as long ago as is remembered.
    pub(super) first: u64,
    /// The last good response.
    pub(super) last: u64,
    /// When credit was earned.
    pub(super) credited: Option<u64>,
    count: u8,
}

impl Entry {
    /// A newcomer's.
    pub(super) const fn new(fingerprint: u32, now: u64) -> Self {
        Self { fingerprint, first: now, last: now, credited: None, count: 1 }
    }

    /// One that somebody else vouches for: seen from `first` to `last`, with credit since then, if at all.
    pub(super) const fn heard(fingerprint: u32, first: u64, last: u64, credited: Option<u64>) -> Self {
        let count = if credited.is_some() { ENOUGH } else { 1 };
        Self { fingerprint, first, last, credited, count }
    }

    /// What both know.
    pub(super) fn with(self, other: Self) -> Self {
        let credited = match (self.credited, other.credited) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        let (first, last) = (self.first.min(other.first), self.last.max(other.last));
        Self { first, last, credited, count: self.count.max(other.count), ..self }
    }

    /// Reads `word`; nothing where it is empty, over, or no entry at all.
    pub(super) fn unpack(word: u64, now: u64) -> Option<Self> {
        let stamp = |at: u32| word >> at & 0x1fff;
        let fingerprint = fingerprint_of(word);
        let count = (word >> COUNT_AT & 3) as u8;
        if fingerprint == 0 || stamp(FIRST_AT) == 0 || count == 0 {
            return None;
        }
        let last = step(stamp(LAST_AT), now)?;
        // What is older than is remembered counts as younger than it is.
        let oldest = now.saturating_sub(KEEP);
        let first = step(stamp(FIRST_AT), now).unwrap_or(oldest);
        let credited = (stamp(CREDITED_AT) != 0).then(|| step(stamp(CREDITED_AT), now).unwrap_or(oldest));
        Some(Self { fingerprint, first, last, credited, count })
    }

    /// The word to keep.
    pub(super) fn pack(&self) -> u64 {
        let stamp = |step: u64| 1 + step % CYCLE;
        u64::from(self.fingerprint) << FINGERPRINT_AT
            | stamp(self.first) << FIRST_AT
            | stamp(self.last) << LAST_AT
            | self.credited.map_or(0, stamp) << CREDITED_AT
            | u64::from(self.count) << COUNT_AT
    }

    /// The entry after one more good response. Credit: the third, or a later one, in another slot than the first.
    pub(super) fn again(self, now: u64) -> Self {
        let count = (self.count + 1).min(ENOUGH);
        let earned = count == ENOUGH && now / 2 > self.first / 2;
        let credited = self.credited.or(earned.then_some(now));
        Self { last: self.last.max(now), credited, count, ..self }
    }

    /// The same entry as it reads at a later `now`; nothing where it is over by then.
    pub(super) fn at(self, now: u64) -> Option<Self> {
        let oldest = now.saturating_sub(KEEP);
        let credited = self.credited.map(|at| at.max(oldest));
        (self.last >= oldest).then_some(Self { first: self.first.max(oldest), credited, ..self })
    }

    /// The same entry on a scale that lies `steps` earlier.
    pub(super) fn shifted(self, steps: u64) -> Self {
        let back = |step: u64| step.saturating_sub(steps);
        Self { first: back(self.first), last: back(self.last), credited: self.credited.map(back), ..self }
    }

    /// Whether no newcomer may take its place: credited, and good within a day.
    pub(super) fn is_protected(&self, now: u64) -> bool {
        self.credited.is_some() && now <= self.last + DAY
    }
}

/// The fingerprint that `word` begins with.
#[inline]
pub(super) const fn fingerprint_of(word: u64) -> u32 {
    (word >> FINGERPRINT_AT) as u32
}

/// The step that `stamp` means at `now`; nothing where it is none, or longer ago than is remembered.
fn step(stamp: u64, now: u64) -> Option<u64> {
    if stamp == 0 {
        return None;
    }
    let age = (now % CYCLE + CYCLE + 1 - stamp) % CYCLE;
    match age {
        0..=KEEP => Some(now.saturating_sub(age)),
        _ if age >= CYCLE - AHEAD => Some(now + (CYCLE - age)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 5_700_000;

    fn read(entry: Entry, now: u64) -> Option<Entry> {
        Entry::unpack(entry.pack(), now)
    }

    #[test]
    fn what_is_packed_is_read_again_at_every_point_of_the_cycle() {
        for now in NOW..NOW + 2 * CYCLE {
            let entry =
                Entry { fingerprint: 0x7f_ffff, first: now - KEEP, last: now, credited: Some(now - 7), count: 3 };
            assert_eq!(read(entry, now), Some(entry));
        }
    }

    #[test]
    fn an_entry_is_over_after_four_weeks() {
        let entry = Entry::new(1, NOW);
        assert!((0..=KEEP).all(|age| read(entry, NOW + age) == Some(entry)));
        assert!((KEEP + 1..CYCLE - AHEAD).all(|age| read(entry, NOW + age).is_none()));
        assert!((1..=AHEAD).all(|ahead| read(entry, NOW - ahead) == Some(entry)), "a late reader");
        const { assert!(CYCLE - AHEAD - KEEP > 30, "over two hours for a sweep") };
    }

    #[test]
    fn what_was_first_seen_long_ago_counts_as_younger_than_it_is() {
        let entry = Entry { first: NOW, last: NOW + KEEP, credited: Some(NOW + 2), ..Entry::new(1, NOW) };
        let now = NOW + KEEP + 5;
        let read = read(entry, now).unwrap();
        assert_eq!((read.first, read.last, read.credited), (now - KEEP, NOW + KEEP, Some(now - KEEP)));
    }

    #[test]
    fn credit_takes_three_responses_in_two_slots() {
        let credited = |steps: &[u64]| {
            let [first, rest @ ..] = steps else { panic!("none") };
            rest.iter()
                .fold(Entry::new(1, NOW + first), |entry, step| entry.again(NOW + step))
                .credited
                .map(|s| s - NOW)
        };
        assert_eq!(NOW % 2, 0, "steps 0 and 1 share a slot");
        assert_eq!(credited(&[0, 0, 0, 1, 1]), None);
        assert_eq!(credited(&[1, 2]), None);
        assert_eq!(credited(&[1, 1, 2]), Some(2));
        assert_eq!(credited(&[0, 2, 2]), Some(2));
        assert_eq!(credited(&[0, 1, 1, 1, 5, 9]), Some(5), "the first that is enough");
        assert_eq!(credited(&[0, 4000, 4000]), Some(4000));
    }

    #[test]
    fn what_is_no_entry_is_read_as_none() {
        let entry = Entry::new(7, NOW).pack();
        for hole in [0x7f_ffff << FINGERPRINT_AT, 0x1fff << FIRST_AT, 0x1fff << LAST_AT, 3 << COUNT_AT] {
            assert_eq!(Entry::unpack(entry & !hole, NOW), None);
        }
        assert_eq!(Entry::unpack(0, NOW), None);
    }
}
