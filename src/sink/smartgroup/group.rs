//! What a SmartGroup holds, and what it shall hold: a list of expressions, any of which an address may meet.

use ipnet::IpNet;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// An address that is nobody's (RFC 5737). weir puts it into the groups that it makes, so that it knows them again, and
/// so that none is ever empty.
const MARK: &str = "192.0.2.1/32";

/// What becomes of a group.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    /// All its expressions.
    pub(super) any: Vec<Value>,
    /// Whether they differ from those it has.
    pub(super) differs: bool,
    /// Networks in it that weir put there.
    pub(super) ours: BTreeSet<IpNet>,
    /// Expressions in it that are others'.
    pub(super) foreign: usize,
}

/// The expressions of a new group.
pub(super) fn fresh(wants: &[IpNet]) -> Change {
    change(&[expression(MARK)], wants, &BTreeSet::new())
}

/// What becomes of a group that holds `any` and shall hold `wants`. `ours` is what weir knows to have put there; in a
/// group that weir made, every network is its own.
pub(super) fn change(any: &[Value], wants: &[IpNet], ours: &BTreeSet<IpNet>) -> Change {
    let made_by_weir = any.iter().any(|e| cidr(e) == MARK.parse().ok());
    let is_ours = |net: &IpNet| made_by_weir || ours.contains(net);
    let (mine, kept): (Vec<&Value>, Vec<&Value>) = any.iter().partition(|e| cidr(e).is_some_and(|net| is_ours(&net)));
    let foreign: BTreeSet<IpNet> = kept.iter().filter_map(|e| cidr(e)).collect();
    let mark: Option<IpNet> = MARK.parse().ok().filter(|_| made_by_weir);
    let wanted: BTreeSet<IpNet> = wants.iter().copied().filter(|net| !foreign.contains(net)).collect();
    let shall: BTreeSet<IpNet> = mark.into_iter().chain(wanted.iter().copied()).collect();
    let have: Vec<IpNet> = mine.iter().filter_map(|e| cidr(e)).collect();
    // What is in it twice, or not as weir writes it, is written anew.
    let same = have.len() == shall.len() && have.iter().all(|net| shall.contains(net));
    let mut all: Vec<Value> = kept.into_iter().cloned().collect();
    let foreign = all.len();
    all.extend(shall.iter().map(|net| expression(&net.to_string())));
    if all.is_empty() {
        // Whether a group may be empty is not documented.
        all.push(expression(MARK));
        return Change { differs: !same, any: all, ours: wanted, foreign };
    }
    Change { any: all, differs: !same, ours: wanted, foreign }
}

fn expression(net: &str) -> Value {
    json!({"all": {"cidr": net}})
}

/// The network of an expression that consists of one alone, in the canonical form.
pub(super) fn cidr(expression: &Value) -> Option<IpNet> {
    let whole = expression.as_object().filter(|o| o.len() == 1)?;
    let all = whole.get("all")?.as_object().filter(|o| o.len() == 1)?;
    let text = all.get("cidr")?.as_str()?;
    let net = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    Some(net.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|t| t.parse().unwrap()).collect()
    }

    fn shown(change: &Change) -> Vec<String> {
        change.any.iter().map(|e| cidr(e).map_or("other".into(), |net| net.to_string())).collect()
    }

    #[test]
    fn a_group_of_weirs_own_is_filled_and_emptied() {
        let first = fresh(&nets(&["198.51.100.7/32", "2001:db8::/64"]));
        assert_eq!(shown(&first), [MARK, "198.51.100.7/32", "2001:db8::/64"]);
        let again = change(&first.any, &nets(&["2001:db8::/64", "198.51.100.7/32"]), &BTreeSet::new());
        assert!(!again.differs && again.ours.len() == 2);
        let empty = change(&first.any, &[], &BTreeSet::new());
        assert_eq!((shown(&empty), empty.differs, empty.foreign), (vec![MARK.to_owned()], true, 0));
        let mut touched = first.any.clone();
        touched.push(json!({"all": {"type": "vm", "tags.role": "x"}}));
        touched.push(json!({"all": {"cidr": "203.0.113.9"}}));
        let mended = change(&touched, &nets(&["198.51.100.7/32"]), &BTreeSet::new());
        assert_eq!((shown(&mended), mended.foreign), (vec!["other".into(), MARK.into(), "198.51.100.7/32".into()], 1));
    }

    #[test]
    fn what_others_put_into_their_group_stays() {
        let theirs = [json!({"all": {"cidr": "203.0.113.0/24"}}), json!({"all": {"fqdn": "x.example"}}), json!(7)];
        let none = BTreeSet::new();
        let added = change(&theirs, &nets(&["198.51.100.7/32", "203.0.113.0/24"]), &none);
        assert_eq!(shown(&added), ["203.0.113.0/24", "other", "other", "198.51.100.7/32"]);
        assert_eq!((added.ours.len(), added.foreign), (1, 3));
        let gone = change(&added.any, &[], &added.ours);
        assert_eq!((gone.any.as_slice(), gone.differs), (theirs.as_slice(), true));
        assert!(!change(&theirs, &[], &none).differs);
        let last = change(
            &[json!({"all": {"cidr": "198.51.100.7/32"}})],
            &[],
            &nets(&["198.51.100.7/32"]).into_iter().collect(),
        );
        assert_eq!((shown(&last), last.differs), (vec![MARK.to_owned()], true), "never empty");
    }

    #[test]
    fn only_a_network_alone_is_one() {
        let wide = cidr(&json!({"all": {"cidr": "198.51.100.7/24"}})).unwrap();
        assert_eq!(wide.to_string(), "198.51.100.0/24");
        for other in [
            json!({"all": {"cidr": "x"}}),
            json!({"all": {"cidr": "192.0.2.1", "type": "vm"}}),
            json!({"all": [], "b": 1}),
            json!(null),
        ] {
            assert_eq!(cidr(&other), None);
        }
    }
}
