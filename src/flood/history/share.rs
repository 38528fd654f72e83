//! Credit that is told to other tasks, and heard of theirs. It is worth here what it was worth there, and no more: the
//! steps at which it was earned come with it.

use super::History;
use super::entry::{Entry, KEEP};
use crate::base::clock::Time;
use crate::client::key::ClientKey;
use crossbeam_queue::ArrayQueue;
use std::sync::OnceLock;

/// Clients that wait to be told: what a fleet tells in a minute.
const WAITING: usize = 10_000;

/// A client with credit. Times are steps of five minutes since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credit {
    /// Who.
    pub client: ClientKey,
    /// The first good response.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// When credit was earned.
    pub credited: u64,
}

/// Who earned credit since it was asked last; nobody waits where nobody asks.
#[derive(Default)]
pub(super) struct Exports(OnceLock<ArrayQueue<Credit>>);

impl History {
    /// A client has earned credit.
    pub(super) fn tell(&self, client: ClientKey, entry: &Entry) {
        if let (Some(queue), Some(credited)) = (self.exports.0.get(), entry.credited) {
            // The oldest goes: it will be back at another task soon, or is gone.
            queue.force_push(Credit { client, first: entry.first, last: entry.last, credited });
        }
    }

    /// From now on who earns credit can be asked for.
    pub fn export(&self) {
        self.exports.0.get_or_init(|| ArrayQueue::new(WAITING));
    }

    /// Who earned credit since this was asked last, at most `most`.
    pub fn credits(&self, most: usize) -> Vec<Credit> {
        let queue = self.exports.0.get();
        queue.map(|queue| std::iter::from_fn(|| queue.pop()).take(most).collect()).unwrap_or_default()
    }

    /// Takes another task's word for a client; false where it makes no sense, is over, or finds no room.
    pub fn merge(&self, credit: &Credit, now: Time) -> bool {
        let now = self.advance(now);
        let Credit { client, first, last, credited } = *credit;
        // A step ahead: clocks differ.
        let sound = first <= credited && credited <= last && last <= now + 1 && last + KEEP > now;
        if !sound {
            return false;
        }
        let (last, first) = (last.min(now), first.max(now.saturating_sub(KEEP)).min(now));
        let credited = credited.clamp(first, last);
        let [own, near, far] = self.locate(client).0;
        // Its networks were seen at the latest when it was: more is not said of them.
        for (level, spot) in self.levels[1..].iter().zip([near, far]) {
            level.merge(spot, first, last, None, now);
        }
        self.levels[0].merge(own, first, last, Some(credited), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flood::history::{DAY, STEP, Sizes, Standing};
    use crate::limit::seeds::Seeds;
    use proptest::prelude::*;

    const START: u64 = 5_700_000;

    fn history(seed: u64) -> History {
        let sizes = Sizes { clients: 64, net24: 64, net16: 64 };
        let history = History::new(sizes, Seeds::fixed(seed), 0);
        history.export();
        history
    }

    fn at(step: u64) -> Time {
        Time::from_nanos(step * STEP * 1_000_000_000)
    }

    fn client(n: u8) -> ClientKey {
        ClientKey::new([192, 0, 2, n].into(), 64)
    }

    /// Good responses that earn credit at `step + 2`.
    fn earn(history: &History, n: u8, step: u64) {
        [0, 1, 2].iter().for_each(|more| history.good(client(n), at(step + more)));
    }

    #[test]
    fn credit_is_told_once_and_worth_the_same_elsewhere() {
        let (here, there) = (history(1), history(2));
        earn(&here, 7, START);
        let told = here.credits(10);
        assert_eq!(told, [Credit { client: client(7), first: START, last: START + 2, credited: START + 2 }]);
        here.good(client(7), at(START + 3));
        assert_eq!(here.credits(10), []);
        assert!(there.merge(&told[0], at(START + 3)));
        for step in START + 3..START + 3 * DAY {
            let known = |history: &History| history.known(history.locate(client(7)), at(step));
            assert_eq!(known(&there), known(&here), "{step}");
            let near = |history: &History| history.known(history.locate(client(8)), at(step));
            assert_eq!(near(&there), near(&here), "{step}: its neighbour");
        }
        assert_eq!(there.credits(10), [], "what was heard is not told on");
    }

    #[test]
    fn credit_that_is_over_or_nonsense_is_not_taken() {
        let here = history(1);
        let credit = Credit { client: client(7), first: START - 9, last: START - 1, credited: START - 5 };
        let over = Credit { first: START - KEEP - 9, credited: START - KEEP, last: START - KEEP, ..credit };
        let future = Credit { last: START + 2, ..credit };
        let turned = Credit { first: START - 3, ..credit };
        for bad in [over, future, turned, Credit { first: 0, credited: 0, last: 0, ..credit }] {
            assert!(!here.merge(&bad, at(START)), "{bad:?}");
        }
        assert_eq!(here.known(here.locate(client(7)), at(START)).standing, Standing::Unknown);
        assert!(here.merge(&credit, at(START)));
    }

    proptest! {
        #[test]
        fn no_word_makes_more_of_a_client_than_it_says(first: u32, last: u32, credited: u32, near in 0u64..20_000) {
            let here = history(1);
            let step = |n: u32| if n.is_multiple_of(3) { u64::from(n) } else { START - 10_000 + u64::from(n) % 20_000 };
            let credit = Credit { client: client(7), first: step(first), last: step(last), credited: step(credited) };
            let now = START - 10_000 + near;
            here.merge(&credit, at(now));
            let known = here.known(here.locate(client(7)), at(now));
            if known.standing == Standing::Credited {
                prop_assert!(credit.credited < now && credit.first <= credit.credited);
            }
        }
    }
}
