//! Which task of a fleet tells an alert, so that a flood does not bring one message a task.
//!
//! Time is cut into slots. Who tells an alert claims the slot it is in and the next; as long as it fires it claims the
//! one after. So another task, for which the alert fires too, finds every slot taken until the teller's alert is over.

use super::engine::Kind;
use std::collections::BTreeMap;

/// A slot's length in seconds.
pub const SLOT: u64 = 300;

/// Whether this task is the first to ask for something.
pub(super) type Claim<'a> = &'a dyn Fn(&str) -> bool;

/// Alerts that fire here, and until which slot this task has claimed each; none where another tells it.
#[derive(Debug, Default)]
pub(super) struct Turns {
    firing: BTreeMap<String, Option<u64>>,
}

impl Turns {
    /// Whether this task tells that; `unix` is the time in seconds.
    pub(super) fn tells(&mut self, alert: &str, kind: Kind, unix: u64, claim: Claim<'_>) -> bool {
        let name = key(alert, kind);
        match kind {
            Kind::Firing | Kind::NoData => {
                let claimed = take(&name, unix / SLOT, claim);
                self.firing.insert(name, claimed);
                claimed.is_some()
            }
            Kind::Repeated => matches!(self.firing.get(&name), Some(Some(_))),
            Kind::Cleared | Kind::DataBack => matches!(self.firing.remove(&name), Some(Some(_))),
        }
    }

    /// Claims on, for what this task tells; and the names of alerts that it tells from now on, as whoever did no
    /// longer does.
    pub(super) fn go_on(&mut self, unix: u64, claim: Claim<'_>) -> Vec<String> {
        let (slot, mut taken_over) = (unix / SLOT, Vec::new());
        for (name, claimed) in &mut self.firing {
            match claimed {
                Some(until) if *until > slot => {}
                Some(until) => {
                    // Nobody but this task can have it, or the store has forgotten all.
                    claim(&at(name, slot + 1));
                    *until = slot + 1;
                }
                None => {
                    *claimed = take(name, slot, claim);
                    if claimed.is_some() {
                        taken_over.push(name.strip_suffix(NO_DATA).unwrap_or(name).to_owned());
                    }
                }
            }
        }
        taken_over
    }

    /// Whether there is anything to claim.
    pub(super) fn is_empty(&self) -> bool {
        self.firing.is_empty()
    }
}

const NO_DATA: &str = "/no-data";

fn key(alert: &str, kind: Kind) -> String {
    let suffix = if matches!(kind, Kind::NoData | Kind::DataBack) { NO_DATA } else { "" };
    format!("{alert}{suffix}")
}

fn at(name: &str, slot: u64) -> String {
    format!("alert:{name}:{slot}")
}

fn take(name: &str, slot: u64, claim: Claim<'_>) -> Option<u64> {
    claim(&at(name, slot)).then(|| {
        claim(&at(name, slot + 1));
        slot + 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::HashMap;

    #[test]
    fn one_task_tells_and_another_takes_over_once_it_is_over_there() {
        let store: RefCell<HashMap<String, u8>> = RefCell::default();
        let claim = |task: u8| {
            let store = &store;
            move |what: &str| *store.borrow_mut().entry(what.to_owned()).or_insert(task) == task
        };
        let (first, second) = (claim(1), claim(2));
        let (mut a, mut b) = (Turns::default(), Turns::default());
        assert!(a.tells("x", Kind::Firing, 10, &first));
        // At the edge of a slot too.
        assert!(!b.tells("x", Kind::Firing, SLOT, &second));
        for unix in (SLOT..5 * SLOT).step_by(60) {
            assert_eq!((a.go_on(unix, &first), b.go_on(unix, &second)), (vec![], vec![]), "{unix}");
        }
        assert!(a.tells("x", Kind::Repeated, 5 * SLOT, &first) && !b.tells("x", Kind::Repeated, 5 * SLOT, &second));
        assert!(a.tells("x", Kind::Cleared, 5 * SLOT, &first));
        let took = (5 * SLOT..9 * SLOT).find(|unix| b.go_on(*unix, &second) == ["x"]).unwrap();
        assert!(took <= 7 * SLOT, "{took}");
        assert!(b.tells("x", Kind::Cleared, took + 1, &second) && b.is_empty());
        // What it never told it does not clear; and missing figures are a matter of their own.
        assert!(!b.tells("x", Kind::Cleared, took + 1, &second));
        assert!(b.tells("x", Kind::NoData, took + 1, &second) && b.tells("x", Kind::DataBack, took + 2, &second));
    }

    #[test]
    fn alone_all_is_told() {
        let mut turns = Turns::default();
        for kind in [Kind::Firing, Kind::Repeated, Kind::Cleared, Kind::NoData, Kind::DataBack] {
            assert!(turns.tells("x", kind, 7, &|_| true), "{kind:?}");
        }
    }
}
