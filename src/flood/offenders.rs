//! Who it is that comes: the clients and networks that send, are refused, fail or fetch most, how many different ones
//! there are, and a sample of all for what a network's owner is. For people; no decision rests on it.
//!
//! Counts are halved every five seconds. A steady `r` a second then counts for `r · (5 + e)`, where `e` is what has
//! passed since the last halving: so a rate is a mean over some ten seconds that forgets what is over.
//!
//! The more requests come, the fewer are looked at: one in N of them, chosen by a hash of client and moment, which
//! count N each. A rate that rests on `n` requests looked at is off by `1 / √n`, a tenth at a hundred.

use super::class::Class;
use super::distinct::Distinct;
use super::rank::Rank;
use super::sketch::Sketch;
use super::tally::Tally;
use super::view::View;
use crate::base::clock::Time;
use crate::client::key::ClientKey;
use crate::limit::seeds::Seeds;
use crate::limit::top::Top;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Clients, or networks, in each list.
const SLOTS: u32 = 1_024;
/// Counters in each row of the sketch of networks.
const WIDTH: u32 = 1 << 14;
/// How many requests a second are looked at, at most twice as many.
const LOOKED_AT: f64 = 1_024.0;
/// One request in this many is looked at, at least.
const LEAST: u32 = 256;
/// Between two halvings.
const HALF: Duration = Duration::from_secs(5);
/// Halvings that leave nothing of any count.
const ALL_HALVES: u64 = 40;
/// Clients in the sample.
const SAMPLE: usize = 4_096;

/// What a list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Most {
    /// Clients with the most requests.
    Requests,
    /// Clients that were refused most.
    Refused,
    /// Clients that the origin answered with 400 and above most.
    Errors,
    /// Clients that got the most bytes.
    Bytes,
    /// The /24 networks (IPv6: /56) with the most requests.
    Net24,
    /// The /16 networks (IPv6: /48) with the most requests.
    Net16,
}

const LISTS: usize = Most::Net16 as usize + 1;

/// Somebody in a list, with a rate that is surely no less than this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offender {
    /// The client, or the first address of the network.
    pub client: ClientKey,
    /// Requests, refusals, errors or bytes a second.
    pub rate: f64,
}

/// How many different clients came within ten seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Clients {
    /// All.
    pub all: f64,
    /// Of those, never seen before.
    pub unseen: f64,
}

/// Who it is that comes. Any thread may tell it; one [`tick`](Self::tick)s.
pub struct Offenders {
    /// What became of requests, by rank and class.
    pub tally: Tally,
    lists: [Top; LISTS],
    networks: Sketch,
    all: Distinct,
    unseen: Distinct,
    /// One in this many is looked at, less one: of requests, and of answers.
    masks: [AtomicU32; 2],
    /// Two epochs of clients, four bytes to spare each: IPv4 addresses, and /64 networks.
    sample: [Box<[AtomicU64; SAMPLE]>; 2],
    epoch: AtomicUsize,
    /// When counts were halved, on the scale of `Time`.
    halved: AtomicU64,
}

impl Offenders {
    /// Nobody came. `seeds` gives a fresh hash key at each call.
    pub fn new(mut seeds: impl FnMut() -> Seeds) -> Self {
        let sample = || Box::new([const { AtomicU64::new(0) }; SAMPLE]);
        Self {
            tally: Tally::default(),
            lists: std::array::from_fn(|_| Top::new(SLOTS, seeds())),
            networks: Sketch::new(WIDTH, seeds()),
            all: Distinct::new(seeds()),
            unseen: Distinct::new(seeds()),
            masks: [AtomicU32::new(0), AtomicU32::new(0)],
            sample: [sample(), sample()],
            epoch: AtomicUsize::new(0),
            halved: AtomicU64::new(0),
        }
    }

    /// A request has passed all limits: of whom, what it wants, and what history says of its client.
    #[inline]
    pub fn offered(&self, client: ClientKey, class: Class, standing: Rank, now: Time) {
        self.tally.asked(class);
        self.all.add(client.bits());
        if standing > Rank::Seen {
            self.unseen.add(client.bits());
        }
        let Some((by, mixed)) = self.looked_at(0, client, now) else { return };
        self.lists[Most::Requests as usize].add(client, by);
        let (net24, net16) = networks(client);
        self.lists[Most::Net24 as usize].add(net24, by);
        self.lists[Most::Net16 as usize].add(net16, by);
        self.networks.add(tagged(net24, Most::Net24), by);
        self.networks.add(tagged(net16, Most::Net16), by);
        // Relaxed, both: a word is a whole client, and a sample may miss some.
        self.sample[self.epoch.load(Ordering::Relaxed)][mixed as usize % SAMPLE]
            .store(packed(client), Ordering::Relaxed);
    }

    /// A client was turned away, for whatever reason.
    #[inline]
    pub fn refused(&self, client: ClientKey, now: Time) {
        if let Some((by, _)) = self.looked_at(0, client, now) {
            self.lists[Most::Refused as usize].add(client, by);
        }
    }

    /// The origin answered a client.
    #[inline]
    pub fn answered(&self, client: ClientKey, status: u16, bytes: u64, now: Time) {
        let Some((by, _)) = self.looked_at(1, client, now) else { return };
        if status >= 400 {
            self.lists[Most::Errors as usize].add(client, by);
        }
        if bytes > 0 {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).saturating_mul(by);
            self.lists[Most::Bytes as usize].add(client, bytes);
        }
    }

    /// Whether this one is among those that are looked at, for how many it then counts, and some random bits.
    #[inline]
    fn looked_at(&self, which: usize, client: ClientKey, now: Time) -> Option<(u32, u64)> {
        // Relaxed: whichever of two neighbours is read, it is used for the choice and for the count.
        let mask = self.masks[which].load(Ordering::Relaxed);
        let mixed = (now.nanos() ^ client.bits() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
        (mixed as u32 & mask == 0).then_some((mask + 1, mixed >> 40))
    }

    /// A second is over: how much came in it decides how much of the next is looked at.
    pub fn tick(&self, view: &View, now: Time) {
        self.tally.end_second(view);
        for (mask, rate) in self.masks.iter().zip([view.evidence.offered, view.forwarded]) {
            let one_in = ((rate / LOOKED_AT) as u32).clamp(1, LEAST);
            // Relaxed: see `looked_at`.
            mask.store((one_in.next_power_of_two() - 1).min(LEAST - 1), Ordering::Relaxed);
        }
        let halves = (self.since_halved(now).as_nanos() / HALF.as_nanos()) as u64;
        if halves == 0 {
            return;
        }
        self.networks.rotate();
        let empty = 1 - self.epoch.load(Ordering::Relaxed);
        for cell in self.sample[empty].iter() {
            // Relaxed, here and below: see `offered`; what a late thread adds is as good as any.
            cell.store(0, Ordering::Relaxed);
        }
        self.epoch.store(empty, Ordering::Relaxed);
        if empty == 0 {
            self.all.rotate();
            self.unseen.rotate();
        }
        for list in &self.lists {
            (0..halves.min(ALL_HALVES)).for_each(|_| list.decay());
        }
        let at = self.halved.load(Ordering::Relaxed) + halves * HALF.as_nanos() as u64;
        self.halved.store(at, Ordering::Relaxed);
    }

    /// The first of a list, with their rates.
    pub fn most(&self, what: Most, count: usize, now: Time) -> Vec<Offender> {
        let seconds = (HALF + self.since_halved(now).min(HALF)).as_secs_f64();
        let rate = |(client, sure)| Offender { client, rate: sure as f64 / seconds };
        self.lists[what as usize].worst(count).into_iter().map(rate).collect()
    }

    /// What comes from the /24 (IPv6: /56) and the /16 (/48) of a client in a second, or less.
    pub fn network_rates(&self, client: ClientKey) -> (f64, f64) {
        let (net24, net16) = networks(client);
        let rate = |net, most| f64::from(self.networks.estimate(tagged(net, most))) / HALF.as_secs_f64();
        (rate(net24, Most::Net24), rate(net16, Most::Net16))
    }

    /// How many different clients there are.
    pub fn clients(&self) -> Clients {
        let all = self.all.estimate();
        Clients { all, unseen: self.unseen.estimate().min(all) }
    }

    /// Clients of requests of the last five to ten seconds, at random, each as often as it was met.
    pub fn sample(&self) -> Vec<ClientKey> {
        // Relaxed: see `offered`.
        let words = self.sample.iter().flat_map(|epoch| epoch.iter().map(|cell| cell.load(Ordering::Relaxed)));
        words.filter(|word| *word != 0).map(unpacked).collect()
    }

    /// One request in how many is looked at now.
    pub fn one_in(&self) -> u32 {
        // Relaxed: for display.
        self.masks[0].load(Ordering::Relaxed) + 1
    }

    /// All memory, which does not grow.
    pub fn bytes(&self) -> usize {
        let lists: usize = self.lists.iter().map(Top::bytes).sum();
        let sample = 2 * size_of::<[AtomicU64; SAMPLE]>();
        Tally::bytes() + lists + self.networks.bytes() + 2 * Distinct::bytes() + sample
    }

    fn since_halved(&self, now: Time) -> Duration {
        // Relaxed: the thread that ticks writes it.
        now.since(Time::from_nanos(self.halved.load(Ordering::Relaxed)))
    }
}

/// The networks that a client is counted in.
fn networks(client: ClientKey) -> (ClientKey, ClientKey) {
    (client.prefix(24, 56), client.prefix(16, 48))
}

/// A network's number in the sketch, where a /24 and the /16 that begins with it are two.
const fn tagged(network: ClientKey, level: Most) -> u128 {
    network.bits() ^ (level as u128) << 120
}

/// A client in one word: an IPv4 address behind ffff, or the first 64 bits of an IPv6 one, none of which begins with
/// so many zeros.
const fn packed(client: ClientKey) -> u64 {
    let bits = client.bits();
    if bits >> 32 == 0xffff { bits as u64 } else { (bits >> 64) as u64 }
}

fn unpacked(word: u64) -> ClientKey {
    let bits = if word >> 32 == 0xffff { u128::from(word) } else { u128::from(word) << 64 };
    ClientKey::new(std::net::Ipv6Addr::from(bits).into(), 128)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Time = Time::from_nanos(100_000_000_000);

    fn offenders() -> Offenders {
        let mut number = 0;
        Offenders::new(move || {
            number += 1;
            Seeds::fixed(number)
        })
    }

    fn client(n: u32) -> ClientKey {
        ClientKey::new(std::net::Ipv4Addr::from(0xc000_0200 + n).into(), 64)
    }

    fn view(offered: f64) -> View {
        let mut view = View::quiet(START, 100.0);
        (view.evidence.offered, view.forwarded) = (offered, offered);
        view
    }

    /// Sends so many a second for some seconds, spread evenly, and ticks.
    fn send(offenders: &Offenders, seconds: u64, from: Time, each: &[(ClientKey, u32)]) -> Time {
        let total: u32 = each.iter().map(|(_, rate)| rate).sum();
        for second in 0..seconds {
            let start = from + Duration::from_secs(second);
            for (client, rate) in each {
                for n in 0..*rate {
                    let now = start + Duration::from_nanos(u64::from(n) * 1_000_000_007 / u64::from(*rate));
                    offenders.offered(*client, Class::Page, Rank::Unknown, now);
                    offenders.refused(*client, now);
                    offenders.answered(*client, 404, 1_000, now);
                }
            }
            offenders.tick(&view(f64::from(total)), start + Duration::from_secs(1));
        }
        from + Duration::from_secs(seconds)
    }

    #[test]
    fn rates_are_those_that_were_sent_and_are_soon_forgotten() {
        let offenders = offenders();
        offenders.tick(&view(0.0), START);
        let now = send(&offenders, 63, START, &[(client(1), 50), (client(2), 20), (client(300), 5)]);
        for (what, unit) in [(Most::Requests, 1.0), (Most::Refused, 1.0), (Most::Errors, 1.0), (Most::Bytes, 1e3)] {
            let most = offenders.most(what, 9, now);
            assert_eq!(most.iter().map(|o| o.client).collect::<Vec<_>>(), [client(1), client(2), client(300)]);
            for (offender, rate) in most.iter().zip([50.0, 20.0, 5.0]) {
                assert!((offender.rate / unit - rate).abs() < 0.06 * rate + 0.3, "{what:?}: {offender:?}");
            }
        }
        let nets = offenders.most(Most::Net24, 9, now);
        assert!(nets.len() == 2 && (nets[0].rate - 70.0).abs() < 4.0, "{nets:?}");
        let (net24, net16) = offenders.network_rates(client(77));
        assert!((net24 - 70.0).abs() < 8.0 && (net16 - 75.0).abs() < 8.0, "{net24} {net16}");
        let later = now + Duration::from_secs(60);
        offenders.tick(&view(0.0), later);
        assert!(offenders.most(Most::Requests, 9, later).iter().all(|o| o.rate < 0.1));
    }

    #[test]
    fn under_load_some_are_looked_at_and_the_rates_stay_honest() {
        let offenders = offenders();
        offenders.tick(&view(0.0), START);
        let crowd: Vec<_> = (0..200).map(|n| (client(n), if n == 7 { 4_000 } else { 100 })).collect();
        let now = send(&offenders, 12, START, &crowd);
        assert_eq!(offenders.one_in(), 32);
        let first = offenders.most(Most::Requests, 1, now)[0];
        assert!(first.client == client(7) && (first.rate - 4_000.0).abs() < 1_500.0, "{first:?}");
        let sample = offenders.sample();
        let share = sample.iter().filter(|c| **c == client(7)).count() as f64 / sample.len() as f64;
        assert!(sample.len() > 3_000 && (share - 4_000.0 / 23_900.0).abs() < 0.03, "{share} of {}", sample.len());
    }

    #[test]
    fn different_clients_and_those_never_seen_are_counted() {
        let offenders = offenders();
        for n in 0..1_000 {
            let standing = if n < 250 { Rank::Seen } else { Rank::Net24 };
            (0..3).for_each(|_| offenders.offered(client(n), Class::Page, standing, START));
        }
        let clients = offenders.clients();
        assert!((clients.all - 1_000.0).abs() < 60.0 && (clients.unseen - 750.0).abs() < 50.0, "{clients:?}");
    }

    #[test]
    fn a_packed_client_comes_back() {
        for text in ["192.0.2.7", "0.0.0.1", "2001:db8:1:2::", "2001:db8::"] {
            let key = ClientKey::new(text.parse().unwrap(), 64);
            assert_eq!(unpacked(packed(key)), key, "{text}");
        }
    }

    #[test]
    fn memory_is_as_planned() {
        let bytes = offenders().bytes();
        assert!((600_000..800_000).contains(&bytes), "{bytes}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 16, ..ProptestConfig::default() })]

        /// Zipf: whoever has more than a hundredth of all is in the list, and nobody's rate is exaggerated.
        #[test]
        fn the_list_agrees_with_exact_counts(seed in 0u64..1_000, skew in 8u32..14) {
            let (offenders, mut exact) = (offenders(), std::collections::HashMap::<ClientKey, u32>::new());
            offenders.tick(&view(0.0), START);
            let mut state = seed;
            for _ in 0..30_000u32 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let share = (state >> 11) as f64 / (1u64 << 53) as f64;
                let n = (1.0 - share).powf(-10.0 / f64::from(skew)).min(60_000.0) as u32;
                offenders.offered(client(n), Class::Page, Rank::Unknown, START);
                *exact.entry(client(n)).or_default() += 1;
            }
            let now = START + Duration::from_secs(0);
            let found: std::collections::HashMap<_, _> =
                offenders.most(Most::Requests, 1_024, now).iter().map(|o| (o.client, o.rate * 5.0)).collect();
            for (client, count) in exact {
                let sure = found.get(&client).copied().unwrap_or(0.0);
                prop_assert!(sure <= f64::from(count) + 1e-6, "{client}: {sure} of {count}");
                prop_assert!(count < 300 || sure > 0.5 * f64::from(count), "{client}: {sure} of {count}");
            }
        }
    }
}
