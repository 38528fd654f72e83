//! What scenarios are put together from.

use super::attack::{Flood, Source, page};
use super::attackers::Attackers;
use super::background::{Background, Session, When, is_crawler};
use super::crowd::Crowd;
use super::networks::{public, public6};
use super::random::{Random, hash};
use super::{CAPACITY, Event, Kind, ONSET, Scenario, WINDOW, asset};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// How many times as busy as a window's traffic a day has sessions.
const DAY: f64 = 4.0;
/// From when until when it is judged how people behind shared addresses fare.
const SHARED: (f64, f64) = (600.0, 1800.0);
/// The most of the capacity that a burst of crawlers asks for.
const CRAWLED: f64 = 0.6 * CAPACITY;
/// A crawler where the background has none.
const CRAWLER: &str = "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example/about)";
const CRAWLERS_END: f64 = ONSET + 120.0;

/// A scenario in the making.
pub(super) struct Stage<'a> {
    pub(super) background: &'a Background,
    pub(super) attackers: &'a Attackers,
    pub(super) random: Random,
    pub(super) window: f64,
    pub(super) scenario: Scenario,
}

impl Stage<'_> {
    /// The background; that of a seed is the same in every scenario of the same length.
    pub(super) fn quiet(&mut self) -> Result<(), String> {
        let mut random = Random::named(self.scenario.seed, "background");
        let copies = self.background.copies * self.window / WINDOW;
        let when = When { window: self.window, daily: false };
        self.background.place(copies, when, &mut random, &mut self.scenario.events);
        Ok(())
    }

    /// A day of few sessions: more at noon than at midnight.
    pub(super) fn day(&mut self) {
        (self.scenario.onset, self.scenario.end) = (0.0, self.window);
        let copies = self.background.copies * DAY;
        let when = When { window: self.window, daily: true };
        self.background.place(copies, when, &mut self.random, &mut self.scenario.events);
    }

    /// The background and a flood of `count` bots, each of `rate` requests a second, as `change` has it.
    pub(super) fn botnet(&mut self, count: usize, rate: f64, change: fn(&mut Flood)) -> Result<(), String> {
        self.botnet_of(count, rate, change).map(drop)
    }

    pub(super) fn hosting(&mut self) -> Result<(), String> {
        let attackers = self.attackers;
        let bots = self.bots(&attackers.hosting, 2000)?;
        self.flood(bots, 1.0, |_| {})
    }

    pub(super) fn one_source(&mut self, rate: f64) -> Result<(), String> {
        self.botnet_of(1, rate, |flood| flood.end = ONSET + 60.0).map(drop)
    }

    /// Bots that each fetched one page one to three minutes before.
    pub(super) fn pre_warmed(&mut self, count: usize) -> Result<(), String> {
        for client in self.botnet_of(count, 1.0, |_| {})? {
            let t = ONSET - self.random.between(30.0, 180.0);
            self.scenario.events.push(Event { t, client, ..page("/".into()) });
        }
        Ok(())
    }

    /// Bots that got three good answers within the hour that began `before` seconds before the window.
    pub(super) fn patient(&mut self, count: usize, before: f64) -> Result<(), String> {
        let mut history = self.scenario.history.to_vec();
        for client in self.botnet_of(count, 1.0, |_| {})? {
            for visit in 0..3 {
                let t = f64::from(visit) * 1500.0 - before + self.random.between(0.0, 60.0);
                history.push(Event { t: (t * 1e6).round() / 1e6, client, ..page("/".into()) });
            }
        }
        history.sort_by(|a, b| a.t.total_cmp(&b.t));
        self.scenario.history = history.into();
        Ok(())
    }

    pub(super) fn ipv6_botnet(&mut self, count: usize, rate: f64) -> Result<(), String> {
        let bots = (0..count).map(|_| Source::Rotating(public6(&mut self.random))).collect();
        self.flood(bots, rate, |_| {})
    }

    /// Makes a `share` of the people fail every challenge.
    pub(super) fn without_cookies(&mut self, share: f64) {
        for event in &mut self.scenario.events {
            let mut draw = Random::new(hash(event.client.to_string().as_bytes()) ^ self.scenario.seed);
            if event.kind != Kind::Attacker && draw.chance(share) {
                event.solves = false;
            }
        }
    }

    /// The background and `crowd`.
    pub(super) fn crowd(&mut self, crowd: Crowd) -> Result<(), String> {
        if self.scenario.events.is_empty() {
            self.quiet()?;
        }
        crowd.run(self.background, self.window, &mut self.random, &mut self.scenario.events);
        Ok(())
    }

    /// People who share an address that nobody has seen before.
    pub(super) fn office(&mut self, people: usize) -> Result<(), String> {
        let address = public(&mut self.random).into();
        self.people(people, |_, _| address)
    }

    pub(super) fn cgnat(&mut self, people: usize, addresses: usize) -> Result<(), String> {
        self.quiet()?;
        let [a, b, c, _] = public(&mut self.random).octets();
        self.people(people, |number, _| Ipv4Addr::new(a, b, c, 1 + (number % addresses) as u8).into())
    }

    pub(super) fn ipv6_campus(&mut self, people: usize) -> Result<(), String> {
        self.quiet()?;
        let network = u128::from(public6(&mut self.random)) & !(u128::MAX >> 48);
        self.people(people, |number, random| {
            Ipv6Addr::from(network | (number as u128) << 64 | u128::from(random.next())).into()
        })
    }

    /// The background, and its crawlers `times` as busy for two minutes, as far as that is below the capacity.
    pub(super) fn crawlers(&mut self, count: usize, times: f64) -> Result<(), String> {
        self.quiet()?;
        self.scenario.end = CRAWLERS_END;
        let background = self.background;
        let rows = || background.sessions.iter().flat_map(|s| &s.rows);
        let mut crawlers: Vec<(IpAddr, &Event)> =
            rows().filter(|row| is_crawler(&row.user_agent)).map(|row| (row.client, row)).collect();
        let rate = crawlers.len() as f64 * background.copies / WINDOW;
        crawlers.sort_by_key(|(client, _)| *client);
        crawlers.dedup_by_key(|(client, _)| *client);
        let pages: Vec<&Event> = rows().filter(|row| &*row.method == "GET" && !asset(&row.path)).collect();
        if pages.is_empty() {
            return Err("the background has no page".into());
        }
        let stranger = Event { user_agent: Arc::from(CRAWLER), ..page("/".into()) };
        if crawlers.is_empty() {
            crawlers.push((public(&mut self.random).into(), &stranger));
        }
        let random = &mut self.random;
        let mut chosen = random.sample(&crawlers, count);
        while chosen.len() < count {
            let (client, row) = chosen[chosen.len() % crawlers.len()];
            chosen.push((background.networks.near(client, random), row));
        }
        let each = if rate > 0.0 { (rate * times).min(CRAWLED) } else { CRAWLED } / count as f64;
        for (client, row) in chosen {
            let mut t = ONSET + random.wait(each);
            while t < CRAWLERS_END {
                let page = pages[random.index(pages.len())];
                let user_agent = row.user_agent.clone();
                self.scenario.events.push(Event { t, client, user_agent, solves: false, ..page.clone() });
                t += random.wait(each);
            }
        }
        Ok(())
    }

    /// Visits of `people`, each of whom `address` gives an address by number.
    fn people(&mut self, people: usize, address: impl Fn(usize, &mut Random) -> IpAddr) -> Result<(), String> {
        let visits: Vec<&Session> = self.background.sessions.iter().filter(|s| s.is_visit()).collect();
        if visits.is_empty() {
            return Err("the background has no visit by a browser".into());
        }
        // Where an attack goes on too, its times stay the ones that count.
        if self.scenario.events.iter().all(|e| e.kind != Kind::Attacker) {
            (self.scenario.onset, self.scenario.end) = SHARED;
        }
        for number in 0..people {
            let visit = visits[self.random.index(visits.len())];
            let client = address(number, &mut self.random);
            let start = self.random.between(0.0, self.window);
            self.background.run(visit, client, start, self.window, &mut self.random, &mut self.scenario.events);
        }
        Ok(())
    }

    /// As `botnet`; hands back the bots.
    fn botnet_of(&mut self, count: usize, rate: f64, change: fn(&mut Flood)) -> Result<Vec<IpAddr>, String> {
        let attackers = self.attackers;
        let bots = self.bots(&attackers.spread, count)?;
        self.flood(bots.clone(), rate, change)?;
        let address = |bot| match bot {
            Source::Address(address) => Some(address),
            Source::Rotating(_) => None,
        };
        Ok(bots.into_iter().filter_map(address).collect())
    }

    fn flood(&mut self, bots: Vec<Source>, rate: f64, change: fn(&mut Flood)) -> Result<(), String> {
        self.quiet()?;
        let mut flood = Flood::new(bots, rate);
        change(&mut flood);
        self.scenario.end = flood.end;
        flood.run(self.background, &mut self.random, &mut self.scenario.events);
        Ok(())
    }

    fn bots(&mut self, addresses: &[IpAddr], count: usize) -> Result<Vec<Source>, String> {
        if addresses.len() < count {
            return Err(format!("{} attacking addresses: expected at least {count}", addresses.len()));
        }
        Ok(self.random.sample(addresses, count).into_iter().map(Source::Address).collect())
    }
}
