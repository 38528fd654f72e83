//! Who does what wrong how often: noted on the hot path, without a lock, in fixed memory.
//!
//! Each client has a leaky count for each kind of offence, one atomic word in a table of fixed size. A count that
//! reaches its threshold starts again and makes the client a suspect, so a client is suspected once for every so many
//! offences. In a full table a newcomer takes the place of the smallest count **and starts at nothing**: an offender
//! may be forgotten, but nobody answers for what somebody else did.

use super::offence::Offence;
use crate::base::clock::Time;
use crate::base::sync::{AtomicU64, Ordering};
use crate::base::units::Rate;
use crate::client::key::ClientKey;
use crate::config::settings::{self, PathPattern, Threshold};
use crate::event::record::Text;
use crate::limit::seeds::Seeds;
use crossbeam_queue::ArrayQueue;

/// Counts that are held at once: 512 KiB.
const SLOTS: usize = 65_536;

/// Slots in a cache line.
const WAYS: usize = 8;

/// Suspects that wait for the control loop, which comes ten times a second.
const SUSPECTS: usize = 4_096;

/// Time is counted in steps of 4 ms; 36 bits of them last for 8 years.
const TICK_NANOS: u64 = 4_000_000;
const TIME_BITS: u32 = 36;
const TIME: u64 = (1 << TIME_BITS) - 1;

/// What counts as how bad, compiled from the config.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// By kind of offence; none where it is not counted.
    limits: [Option<Bound>; Offence::ALL.len()],
    honeypot: Vec<PathPattern>,
    login: Vec<PathPattern>,
}

/// A threshold in ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bound {
    interval: u64,
    full: u64,
    written: Threshold,
}

/// A client that crossed a threshold.
#[derive(Clone, Copy, Debug)]
pub struct Suspect {
    /// Who.
    pub client: ClientKey,
    /// What it did.
    pub kind: Offence,
    /// When it crossed the threshold.
    pub at: Time,
    /// Which threshold it was.
    pub threshold: Threshold,
    /// The path that it asked for last.
    pub path: Text<64>,
}

/// One cache line of counts.
#[repr(align(64))]
#[derive(Default)]
struct Line([AtomicU64; WAYS]);

/// The counts of all clients, and the suspects.
pub struct Offences {
    lines: Box<[Line]>,
    seeds: Seeds,
    suspects: ArrayQueue<Suspect>,
    dropped: AtomicU64,
}

impl Rules {
    /// What `settings` say. Where the ladder is off, nothing is counted.
    pub fn of(settings: &settings::Ban) -> Self {
        let once = Threshold { rate: Rate { count: 1, ..settings.refusals.rate }, burst: 1 };
        let limits = Offence::ALL.map(|kind| {
            let written = match kind {
                Offence::Refused => settings.refusals,
                Offence::ClientError => settings.client_errors,
                Offence::Honeypot | Offence::Finding => once,
                Offence::Protocol => settings.protocol,
                Offence::Login => settings.login,
                Offence::Slow => settings.slow,
            };
            (settings.enabled && written.burst > 0).then(|| Bound::of(written))
        });
        Self { limits, honeypot: settings.honeypot.clone(), login: settings.login_paths.clone() }
    }

    /// Whether no client has a reason to ask for `path`.
    pub fn is_honeypot(&self, path: &[u8]) -> bool {
        self.honeypot.iter().any(|p| p.covers(path))
    }

    /// Whether people log in at `path`.
    pub fn is_login(&self, path: &[u8]) -> bool {
        self.login.iter().any(|p| p.covers(path))
    }

    /// What the answer `status` of the origin says of the client, `login` where it answers a login.
    ///
    /// 401 and 403 elsewhere say that somebody is not signed in, which is no offence.
    pub const fn of_status(status: u16, login: bool) -> Option<Offence> {
        match status {
            400..=499 if login => Some(Offence::Login),
            401 | 403 => None,
            400..=499 => Some(Offence::ClientError),
            _ => None,
        }
    }
}

impl Bound {
    fn of(written: Threshold) -> Self {
        let interval = ((written.rate.interval_nanos() / TICK_NANOS as f64) as u64).clamp(1, TIME / 2);
        // Half of what a slot can hold is four years.
        let full = interval.saturating_mul(u64::from(written.burst)).clamp(interval, TIME / 2);
        Self { interval, full, written }
    }
}

impl Offences {
    /// Nobody did anything yet.
    pub fn new(seeds: Seeds) -> Self {
        Self {
            lines: (0..SLOTS / WAYS).map(|_| Line::default()).collect(),
            seeds,
            suspects: ArrayQueue::new(SUSPECTS),
            dropped: AtomicU64::new(0),
        }
    }

    /// Notes that `client` did `kind` with a request for `path`.
    pub fn note(&self, rules: &Rules, client: ClientKey, kind: Offence, path: &[u8], now: Time) {
        let Some(bound) = &rules.limits[kind as usize] else { return };
        if self.crosses(client, kind, bound, now) {
            let suspect = Suspect { client, kind, at: now, threshold: bound.written, path: Text::new(path) };
            if self.suspects.push(suspect).is_err() {
                // Relaxed: a lone counter.
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// The next suspect.
    pub fn suspect(&self) -> Option<Suspect> {
        self.suspects.pop()
    }

    /// Suspects that found no room.
    pub fn dropped(&self) -> u64 {
        // Relaxed: as in `note`.
        self.dropped.load(Ordering::Relaxed)
    }

    /// The memory of it all.
    pub const fn memory() -> usize {
        SLOTS * size_of::<u64>() + SUSPECTS * (size_of::<Suspect>() + size_of::<usize>())
    }

    /// Counts one; true where that reaches the threshold, and the count starts again.
    fn crosses(&self, client: ClientKey, kind: Offence, bound: &Bound, now: Time) -> bool {
        let hash = self.seeds.hash(client.bits() ^ (kind as u128) << 112);
        let line = &self.lines[(((hash >> 32) * self.lines.len() as u64) >> 32) as usize].0;
        // Never 0: that means empty.
        let mark = (hash & u64::from(u32::MAX >> 4)).max(1);
        let now = (now.nanos() / TICK_NANOS) & TIME;
        loop {
            // Relaxed, here and below: a slot is whole in its one word and publishes nothing else; the CAS notices a
            // stale word, and then somebody else got on.
            let words: [u64; WAYS] = std::array::from_fn(|i| line[i].load(Ordering::Relaxed));
            let owed = |word: u64| (word & TIME).saturating_sub(now);
            let own = words.iter().position(|word| word >> TIME_BITS == mark);
            let (at, debt) = match own {
                Some(at) => (at, owed(words[at])),
                None => ((0..WAYS).min_by_key(|i| owed(words[*i])).unwrap_or(0), 0),
            };
            // A threshold that a reload lowered must not make an old count last.
            let debt = debt.min(bound.full) + bound.interval;
            // As many as the threshold, of which time has not yet forgiven a whole one.
            let crossed = debt > bound.full - bound.interval;
            let until = if crossed { now } else { now + debt };
            let word = mark << TIME_BITS | until & TIME;
            if line[at].compare_exchange(words[at], word, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return crossed;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use proptest::prelude::*;
    use std::time::Duration;

    const START: Time = Time::from_nanos(86_400_000_000_000);

    fn rules(keys: &str) -> Rules {
        let text = format!("[origin]\naddresses = [\"127.0.0.1:9000\"]\n{keys}");
        Rules::of(&config::load_str(&text, "test").unwrap().settings.ban)
    }

    fn client(n: u32) -> ClientKey {
        ClientKey::new(std::net::Ipv4Addr::from(0xc633_6400 | n).into(), 64)
    }

    fn noted(offences: &Offences, rules: &Rules, client: ClientKey, kind: Offence, count: u32, now: Time) -> usize {
        (0..count).for_each(|_| offences.note(rules, client, kind, b"/x", now));
        std::iter::from_fn(|| offences.suspect()).count()
    }

    #[test]
    fn a_threshold_makes_one_suspect_for_so_many_offences() {
        let (offences, rules) =
            (Offences::new(Seeds::fixed(1)), rules("[ban.client_errors]\nrate = \"60/m\"\nburst = 10"));
        assert_eq!(noted(&offences, &rules, client(1), Offence::ClientError, 9, START), 0);
        assert_eq!(noted(&offences, &rules, client(2), Offence::ClientError, 9, START), 0, "each has its own count");
        offences.note(&rules, client(1), Offence::ClientError, b"/missing", START);
        let suspect = offences.suspect().unwrap();
        assert_eq!((suspect.client, suspect.kind, suspect.threshold.burst), (client(1), Offence::ClientError, 10));
        assert_eq!(suspect.path.to_text(), "/missing");
        assert_eq!(noted(&offences, &rules, client(1), Offence::ClientError, 25, START), 2);
    }

    #[test]
    fn time_forgives_at_the_rate() {
        let (offences, rules) =
            (Offences::new(Seeds::fixed(1)), rules("[ban.client_errors]\nrate = \"60/m\"\nburst = 10"));
        for second in 0..600 {
            let now = START + Duration::from_secs(second);
            assert_eq!(noted(&offences, &rules, client(1), Offence::ClientError, 1, now), 0, "{second}");
        }
        let later = START + Duration::from_secs(700);
        assert_eq!(noted(&offences, &rules, client(1), Offence::ClientError, 9, later), 0);
    }

    #[test]
    fn kinds_are_counted_apart_and_can_be_left_uncounted() {
        let (offences, rules) =
            (Offences::new(Seeds::fixed(1)), rules("[ban.slow]\nburst = 0\n[ban.protocol]\nburst = 2"));
        assert_eq!(noted(&offences, &rules, client(1), Offence::Slow, 10_000, START), 0);
        assert_eq!(noted(&offences, &rules, client(1), Offence::Protocol, 1, START), 0);
        assert_eq!(noted(&offences, &rules, client(1), Offence::Honeypot, 1, START), 1, "once is enough");
        let off = self::rules("[ban]\nenabled = false");
        assert_eq!(noted(&offences, &off, client(1), Offence::Honeypot, 9, START), 0);
    }

    #[test]
    fn paths_and_statuses_are_judged() {
        let rules = rules("[ban]\nhoneypot = [\"/.env\", \"/wp-*\"]\nlogin_paths = [\"/login\"]");
        assert!(rules.is_honeypot(b"/.env") && rules.is_honeypot(b"/wp-admin") && !rules.is_honeypot(b"/env"));
        assert!(rules.is_login(b"/login") && !rules.is_login(b"/login2"));
        let of = Rules::of_status;
        assert_eq!([of(200, true), of(302, true), of(500, true), of(403, false), of(401, false)], [None; 5]);
        assert_eq!(
            (of(401, true), of(422, true), of(404, false)),
            (Some(Offence::Login), Some(Offence::Login), Some(Offence::ClientError))
        );
    }

    #[test]
    fn a_flood_of_strangers_makes_no_suspect_and_takes_no_memory() {
        let (offences, rules) = (Offences::new(Seeds::fixed(1)), rules("[ban.client_errors]\nburst = 3"));
        for n in 0..1_000_000u32 {
            let stranger = ClientKey::new(std::net::Ipv4Addr::from(n.wrapping_mul(2_654_435_761)).into(), 64);
            offences.note(&rules, stranger, Offence::ClientError, b"/", START);
        }
        // Marks have 28 bits; two strangers of a million that share one are one client here.
        let suspected = std::iter::from_fn(|| offences.suspect()).count();
        assert!(suspected <= 1, "{suspected}");
    }

    #[test]
    fn an_office_of_500_behind_one_address_is_no_suspect() {
        let (offences, rules) = (Offences::new(Seeds::fixed(1)), rules(""));
        let mut dice = 1u64;
        for tick in 0..36_000u64 {
            let now = START + Duration::from_millis(tick * 100);
            let mut happens = |in_an_hour: u64| {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (dice >> 33) % 36_000 < in_an_hour
            };
            // Everybody meets a missing page every five minutes, and one in ten mistypes a password, in one hour.
            if happens(6_000) {
                offences.note(&rules, client(1), Offence::ClientError, b"/favicon.ico", now);
            }
            if happens(50) {
                offences.note(&rules, client(1), Offence::Login, b"/login", now);
            }
        }
        assert!(offences.suspect().is_none());
    }

    #[test]
    fn a_full_queue_is_counted() {
        let (offences, rules) = (Offences::new(Seeds::fixed(1)), rules(""));
        for n in 0..5_000 {
            offences.note(&rules, client(n), Offence::Honeypot, b"/", START);
        }
        assert_eq!(offences.dropped(), 5_000 - SUSPECTS as u64);
    }

    #[test]
    fn counts_of_all_threads_add_up() {
        let (offences, rules) =
            (Offences::new(Seeds::fixed(1)), rules("[ban.client_errors]\nrate = \"1/h\"\nburst = 1000"));
        std::thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    (0..2_500).for_each(|_| offences.note(&rules, client(1), Offence::ClientError, b"/", START))
                });
            }
        });
        assert_eq!(std::iter::from_fn(|| offences.suspect()).count(), 10);
    }

    proptest! {
        #[test]
        fn nobody_is_suspected_below_the_threshold(
            burst in 2u32..50, per_minute in 1u32..600, gaps in prop::collection::vec(0u64..3_000, 1..300),
        ) {
            let keys = format!("[ban.client_errors]\nrate = \"{per_minute}/m\"\nburst = {burst}");
            let (offences, rules) = (Offences::new(Seeds::fixed(7)), rules(&keys));
            let (mut now, mut times) = (START, Vec::new());
            for gap in gaps {
                now = now + Duration::from_millis(gap);
                times.push(now);
                offences.note(&rules, client(1), Offence::ClientError, b"/", now);
                if offences.suspect().is_some() {
                    // What came since the last suspicion, less what time forgave, reaches the threshold.
                    let most = (0..times.len()).map(|from| {
                        let forgiven = now.since(times[from]).as_secs_f64() * f64::from(per_minute) / 60.0;
                        (times.len() - from) as f64 - forgiven
                    });
                    prop_assert!(most.fold(0.0, f64::max) >= f64::from(burst) - 1.0);
                    times.clear();
                }
            }
        }
    }
}
