//! A site that does not exist: pages with what belongs to them, and how people and robots go through it.

use super::background::{Session, is_browser};
use super::networks::NOBODY;
use super::random::Random;
use super::{Event, Kind};
use std::net::IpAddr;
use std::sync::Arc;

const PAGES: usize = 150;
/// Style sheets, scripts, fonts and pictures of every page.
const SHARED: [&str; 9] = [
    "/static/site.css",
    "/static/print.css",
    "/static/site.js",
    "/static/menu.js",
    "/static/text.woff2",
    "/static/icons.woff2",
    "/static/logo.svg",
    "/static/header.jpg",
    "/favicon.ico",
];
const BROWSERS: [&str; 6] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:125.0) Gecko/20100101 Firefox/125.0",
];
const CRAWLERS: [&str; 3] = [
    "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example/about)",
    "ExampleSpider/1.4 (+https://spider.example/)",
    "Mozilla/5.0 (compatible; OtherBot/7.0; +https://other.example/bot)",
];
const READER: &str = "ExampleReader/3.2 (feed reader)";
const MONITOR: &str = "ExampleMonitor/1.0";

/// The site.
pub(super) struct Site {
    /// Each page with its pictures, the busiest first.
    pages: Vec<(Event, Vec<Event>)>,
    shared: Vec<Event>,
    search: Event,
    login: Event,
    password: Event,
    feed: Event,
    health: Event,
    browsers: Vec<Arc<str>>,
    crawlers: Vec<Arc<str>>,
    reader: Arc<str>,
    monitor: Arc<str>,
}

impl Site {
    pub(super) fn new(random: &mut Random) -> Self {
        let page = |number: usize| match number {
            0 => "/".to_owned(),
            n if n % 3 == 0 => format!("/news/{n}/"),
            n if n % 3 == 1 => format!("/products/{n}"),
            n => format!("/help/{n}.html"),
        };
        let mut with_pictures = |number: usize| {
            let pictures = 2 + random.below(6);
            let picture = |i| get(&format!("/pictures/{number}-{i}.jpg"), 30_000 + 900 * i);
            (get(&page(number), 15_000 + 40 * number as u64), (0..pictures).map(picture).collect())
        };
        let names = |agents: &[&str]| agents.iter().map(|agent| Arc::from(*agent)).collect();
        Self {
            pages: (0..PAGES).map(&mut with_pictures).collect(),
            shared: SHARED.iter().map(|path| get(path, 20_000)).collect(),
            search: Event { has_query: true, ..get("/search", 9_000) },
            login: get("/login", 4_000),
            password: Event { method: Arc::from("POST"), status: 302, ..get("/login", 300) },
            feed: get("/feed.xml", 12_000),
            health: get("/health", 20),
            browsers: names(&BROWSERS),
            crawlers: names(&CRAWLERS),
            reader: Arc::from(READER),
            monitor: Arc::from(MONITOR),
        }
    }

    /// A person: a page with all that belongs to it within a few seconds, then maybe others after some thought.
    pub(super) fn visit(&self, client: IpAddr, random: &mut Random) -> Session {
        let agent = random.choose(&self.browsers).cloned().unwrap_or_default();
        let mut way = Way { client, agent, rows: vec![] };
        let mut t = 0.0;
        let mut first = true;
        while first || random.chance(0.65) {
            let (page, pictures) = &self.pages[popular(random)];
            let parts = pictures.iter().chain(self.shared.iter().filter(|_| first));
            let loading = random.between(1.0, 3.0);
            match random.below(100) {
                0..6 => way.ask(t, &self.search),
                6..9 => {
                    way.ask(t, &self.login);
                    t += random.between(4.0, 20.0);
                    way.ask(t, &self.password);
                }
                _ => way.ask(t, page),
            }
            for part in parts {
                way.ask(t + 0.08 + loading * random.unit(), part);
            }
            let thought = random.unit();
            t += 3.0 + 90.0 * thought * thought * thought;
            first = false;
        }
        way.done()
    }

    /// A declared crawler that takes page after page.
    pub(super) fn crawl(&self, client: IpAddr, number: usize, random: &mut Random) -> Session {
        let agent = self.crawlers[number % self.crawlers.len()].clone();
        let mut way = Way { client, agent, rows: vec![] };
        let mut t = 0.0;
        for _ in 0..20 + random.below(40) {
            let page = &self.pages[random.index(self.pages.len())].0;
            let gone = random.chance(0.04);
            way.ask(t, &Event { status: if gone { 404 } else { 200 }, ..page.clone() });
            t += random.between(2.0, 8.0);
        }
        way.done()
    }

    /// A feed reader that looks for news.
    pub(super) fn read(&self, client: IpAddr) -> Session {
        let mut way = Way { client, agent: self.reader.clone(), rows: vec![] };
        way.ask(0.0, &self.feed);
        way.done()
    }

    /// A monitor that asks every ten seconds for five minutes.
    pub(super) fn monitor(&self, client: IpAddr) -> Session {
        let mut way = Way { client, agent: self.monitor.clone(), rows: vec![] };
        for check in 0..30 {
            way.ask(f64::from(check) * 10.0, &self.health);
        }
        way.done()
    }
}

/// A session that is being written.
struct Way {
    client: IpAddr,
    agent: Arc<str>,
    rows: Vec<Event>,
}

impl Way {
    fn ask(&mut self, t: f64, what: &Event) {
        let user_agent = self.agent.clone();
        let solves = is_browser(&user_agent);
        self.rows.push(Event { t, client: self.client, user_agent, solves, ..what.clone() });
    }

    fn done(mut self) -> Session {
        self.rows.sort_by(|a, b| a.t.total_cmp(&b.t));
        Session { client: self.client, rows: self.rows }
    }
}

/// A page's place: few pages are asked for by many.
fn popular(random: &mut Random) -> usize {
    let place = random.unit();
    (PAGES as f64 * place * place * place) as usize
}

/// A GET that nobody has sent yet.
fn get(path: &str, bytes: u64) -> Event {
    Event {
        t: 0.0,
        client: NOBODY,
        method: Arc::from("GET"),
        path: Arc::from(path),
        has_query: false,
        status: 200,
        bytes,
        user_agent: Arc::from(""),
        solves: false,
        kind: Kind::New,
    }
}
