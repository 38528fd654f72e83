//! Who and what came most often, in bounded memory.

use std::collections::HashMap;

/// What is counted of one thing.
pub trait Weighed: Default {
    /// How much it matters that it is kept.
    fn weight(&self) -> u64;
}

impl Weighed for u64 {
    fn weight(&self) -> u64 {
        *self
    }
}

/// Counts by name. Where there are too many names, those that weigh least are forgotten, and counted.
#[derive(Debug)]
pub struct Tally<V> {
    most: usize,
    kept: HashMap<String, V>,
    /// Names that were forgotten; one that came again counts again.
    pub cut: u64,
    /// Their weight.
    pub cut_weight: u64,
}

impl<V: Weighed> Tally<V> {
    /// One that keeps at least `most` names, and at most twice as many: all that come evenly and have clearly more than
    /// one in `most` of the weight.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), kept: HashMap::new(), cut: 0, cut_weight: 0 }
    }

    /// What is counted of `name`.
    pub fn at(&mut self, name: &str) -> &mut V {
        if !self.kept.contains_key(name) {
            if self.kept.len() >= 2 * self.most {
                self.prune();
            }
            self.kept.insert(name.to_owned(), V::default());
        }
        self.kept.get_mut(name).expect("it was put in above")
    }

    /// All that is kept, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.kept.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The `count` names with the most of `what`, most first; those that have none are left out.
    pub fn top(&self, count: usize, what: impl Fn(&V) -> u64) -> Vec<(&str, &V)> {
        let mut all: Vec<_> = self.iter().filter(|(_, value)| what(value) > 0).collect();
        all.sort_by(|a, b| what(b.1).cmp(&what(a.1)).then_with(|| a.0.cmp(b.0)));
        all.truncate(count);
        all
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    fn prune(&mut self) {
        let mut weights: Vec<u64> = self.kept.values().map(Weighed::weight).collect();
        let at = weights.len() - self.most;
        let least = *weights.select_nth_unstable(at).1;
        // Of those that weigh as much as the least that stays, some must go too.
        let mut room = self.most - weights.iter().filter(|w| **w > least).count();
        let (cut, cut_weight) = (&mut self.cut, &mut self.cut_weight);
        self.kept.retain(|_, value| {
            let weight = value.weight();
            let stays = weight > least || weight == least && room > 0;
            if weight == least && stays {
                room -= 1;
            }
            if !stays {
                *cut += 1;
                *cut_weight += weight;
            }
            stays
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_stay_and_nothing_is_lost_unsaid() {
        let mut tally = Tally::<u64>::new(100);
        for n in 0..100_000u64 {
            *tally.at(&format!("stranger {n}")) += 1;
            if n % 2 == 0 {
                *tally.at(&format!("regular {}", n / 2 % 10)) += 1;
            }
        }
        assert!(tally.len() <= 200);
        let top = tally.top(10, |n| *n);
        assert!(top.iter().all(|(name, count)| name.starts_with("regular") && **count == 5_000), "{top:?}");
        let kept: u64 = tally.iter().map(|(_, n)| *n).sum();
        assert_eq!((kept + tally.cut_weight, tally.cut + tally.len() as u64), (150_000, 100_010));
    }
}
