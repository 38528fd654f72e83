//! A background without a log: people, crawlers, monitors and feed readers of a generated site, and twenty days
//! of history.

use super::background::{Background, Session};
use super::networks::{self, Networks};
use super::random::Random;
use super::site::Site;
use super::{Event, WINDOW};
use std::net::IpAddr;

const DAY: f64 = 86_400.0;
const DAYS: f64 = 20.0;
/// Visits of people in a window.
const VISITS: usize = 1900;
/// The share of people's addresses that the history has seen.
const RETURNING: f64 = 0.35;
/// Addresses that many share, and the share of visits that come from them.
const NATS: usize = 12;
const SHARED: f64 = 0.12;
/// People of the history who do not come in the window.
const FORMER: usize = 3500;
/// The share of people on IPv6.
const IPV6: f64 = 0.25;
const CRAWLERS: usize = 9;
const MONITORS: usize = 4;
const READERS: usize = 150;

impl Background {
    /// A generated site's: about 20 requests a second, a third of its people seen before.
    pub fn generated(seed: u64) -> Self {
        let mut random = Random::named(seed, "site");
        let random = &mut random;
        let site = Site::new(random);
        let mut robots = |count: usize| (0..count).map(|_| person(random)).collect::<Vec<IpAddr>>();
        let (crawlers, monitors, readers, nats) = (robots(CRAWLERS), robots(MONITORS), robots(READERS), robots(NATS));
        let mut history = History::default();
        for _ in 0..FORMER {
            let client = person(random);
            history.visits(&site, client, 1 + random.below(3), random);
        }
        for nat in &nats {
            history.visits(&site, *nat, 20, random);
        }
        let mut sessions = vec![];
        for _ in 0..VISITS {
            let shared = random.chance(SHARED);
            let client = if shared { nats[random.index(NATS)] } else { person(random) };
            if !shared && random.chance(RETURNING) {
                history.visits(&site, client, 2 + random.below(5), random);
            }
            sessions.push(site.visit(client, random));
        }
        for (number, crawler) in crawlers.iter().enumerate() {
            sessions.extend((0..8).map(|_| site.crawl(*crawler, number, random)));
            for _ in 0..120 {
                history.add(&site.crawl(*crawler, number, random), random);
            }
        }
        for monitor in &monitors {
            sessions.extend((0..WINDOW as usize / 300).map(|_| site.monitor(*monitor)));
            for _ in 0..150 {
                history.add(&site.monitor(*monitor), random);
            }
        }
        for reader in &readers {
            sessions.push(site.read(*reader));
            for _ in 0..30 {
                history.add(&site.read(*reader), random);
            }
        }
        Self::new(history.done(), sessions, Networks::default(), 0.0, Some(1.0))
    }
}

/// Sessions laid over the days before.
#[derive(Default)]
struct History(Vec<Event>);

impl History {
    fn visits(&mut self, site: &Site, client: IpAddr, count: u64, random: &mut Random) {
        for _ in 0..count {
            self.add(&site.visit(client, random), random);
        }
    }

    fn add(&mut self, session: &Session, random: &mut Random) {
        let start = random.between(0.0, DAYS * DAY);
        self.0.extend(session.rows.iter().map(|row| Event { t: start + row.t, ..row.clone() }));
    }

    fn done(mut self) -> Vec<Event> {
        self.0.sort_by(|a, b| a.t.total_cmp(&b.t));
        self.0
    }
}

/// Somebody's address in the networks that people are in.
fn person(random: &mut Random) -> IpAddr {
    let network = networks::of_people(random);
    if random.chance(IPV6) {
        networks::in_network6(network, random).into()
    } else {
        networks::in_network(network, random).into()
    }
}
