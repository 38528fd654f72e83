//! Crowds: many more people than usual, each as they are.

use super::background::{Background, Session};
use super::random::Random;
use super::{CAPACITY, Event, LENGTH, ONSET};
use std::sync::Arc;

/// The page that everybody wants to see.
const HOT_PAGE: &str = "/news/hot-story/";

/// How many times the capacity the people who want a hot page ask for.
const HOT: f64 = 8.0;

/// More sessions than usual.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    /// How many times as many sessions start; without meaning for a hot page.
    pub(super) times: f64,
    /// Whether they come from networks that the history has not seen.
    pub(super) far: bool,
    /// Whether all are browsers that begin with the same page, and far more than can be served.
    pub(super) hot: bool,
    /// Until when they come.
    pub(super) end: f64,
    /// Seconds until there are so many; 0: at once.
    pub(super) swell: f64,
}

impl Crowd {
    /// `times` as many sessions, from the networks of those that there are.
    pub(super) fn new(times: f64) -> Self {
        Self { times, far: false, hot: false, end: ONSET + LENGTH, swell: 0.0 }
    }

    /// So many people who want one page that the origin can serve few.
    pub(super) fn hot() -> Self {
        Self { far: true, hot: true, ..Self::new(1.0) }
    }

    /// Adds the sessions that come in addition to the background's.
    pub(super) fn run(&self, background: &Background, window: f64, random: &mut Random, out: &mut Vec<Event>) {
        let pool: Vec<&Session> = background.sessions.iter().filter(|s| !self.hot || s.is_visit()).collect();
        let seconds = self.end - ONSET - self.swell / 2.0;
        let starts = if self.hot { hot_starts(&pool) } else { (self.times - 1.0) * background.starts() };
        let count = (starts * seconds) as usize;
        for _ in 0..count {
            let Some(session) = random.choose(&pool) else { return };
            let start = self.moment(random);
            let networks = &background.networks;
            let client = match self.far {
                true => networks.far(session.client, random),
                false => networks.near(session.client, random),
            };
            let from = out.len();
            background.run(session, client, start, window, random, out);
            if self.hot
                && let Some(first) = out[from..].iter_mut().find(|e| &*e.method == "GET")
            {
                (first.path, first.has_query) = (Arc::from(HOT_PAGE), false);
            }
        }
    }

    fn moment(&self, random: &mut Random) -> f64 {
        loop {
            let t = random.between(ONSET, self.end);
            if self.swell == 0.0 || random.unit() < (t - ONSET) / self.swell {
                return t;
            }
        }
    }
}

/// Sessions a second that ask for [`HOT`] times the capacity while the crowd lasts.
fn hot_starts(pool: &[&Session]) -> f64 {
    let rows = |s: &&Session| s.rows.iter().take_while(|row| row.t < LENGTH).count();
    let mean = pool.iter().map(rows).sum::<usize>() as f64 / pool.len().max(1) as f64;
    HOT * CAPACITY / mean.max(1.0)
}
