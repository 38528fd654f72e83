//! Which findings were dealt with: SQS may bring a message twice, and out of order.

use std::collections::{HashMap, VecDeque};

/// How many are remembered.
pub(super) const CAPACITY: usize = 10_000;

/// Findings by their ids, and the newest update of each.
#[derive(Debug, Default)]
pub(super) struct Seen {
    updates: HashMap<String, String>,
    order: VecDeque<String>,
}

impl Seen {
    /// Whether this update of the finding is newer than what was dealt with. Times of RFC 3339 in UTC sort as text.
    pub(super) fn is_news(&self, id: &str, updated_at: &str) -> bool {
        self.updates.get(id).is_none_or(|known| known.as_str() < updated_at)
    }

    /// It was dealt with.
    pub(super) fn note(&mut self, id: &str, updated_at: &str) {
        if self.updates.insert(id.to_owned(), updated_at.to_owned()).is_some() {
            return;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.updates.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_update_is_news_and_an_older_one_is_not() {
        let mut seen = Seen::default();
        assert!(seen.is_news("a", "2024-02-29T12:00:00.000Z"));
        seen.note("a", "2024-02-29T12:00:00.000Z");
        for (at, news) in [("12:00:00.000Z", false), ("11:59:59.999Z", false), ("12:00:00.001Z", true)] {
            assert_eq!(seen.is_news("a", &format!("2024-02-29T{at}")), news, "{at}");
        }
        assert!(seen.is_news("b", "2024-02-29T12:00:00.000Z"));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut seen = Seen::default();
        for n in 0..CAPACITY + 5 {
            seen.note(&n.to_string(), "x");
            seen.note("0", "y");
        }
        assert!(seen.updates.len() <= CAPACITY && seen.order.len() <= CAPACITY);
        assert!(seen.is_news("1", "x") && !seen.is_news("10", "x"));
    }
}
