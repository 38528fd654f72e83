//! Who sends most, with what is known of each: its rank, its network's owner, why it was refused.
//!
//! All look-ups are made here, for the few that are shown; none on the path of a request.

use super::Looks;
use super::view::FloodReport;
use crate::access::asn::Owner;
use crate::client::key::ClientKey;
use crate::flood::offenders::{Most, Offender};
use crate::flood::rank::Rank;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;

/// How many of a list are shown.
const SHOWN: usize = 20;

/// Somebody in a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OffenderView {
    /// The client or network.
    pub who: String,
    /// Requests, refusals, errors or bytes a second.
    pub rate: f64,
    /// With requests: its share of all, 0 to 1.
    pub share: Option<f64>,
    /// A client's rank; empty for a network.
    pub rank: Cow<'static, str>,
    /// The owner of its network, where a database says.
    pub owner: String,
    /// Its country's two letters, where a database says.
    #[serde(default)]
    pub country: String,
    /// Why it was refused most lately, and how often among the latest refusals; empty where it was not.
    pub reason: String,
}

/// An owner of networks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OwnerView {
    /// Number and name.
    pub owner: String,
    /// Requests a second, by a sample.
    pub rate: f64,
    /// Its share of all, 0 to 1.
    pub share: f64,
    /// Different clients in the sample.
    pub clients: u64,
}

/// The lists of a report; the rest of it is empty.
pub(super) fn lists(looks: &Looks<'_>) -> FloodReport {
    let reasons = looks.recent.reasons(|address| key(looks, address));
    let clients = |what| list(looks, what, &|client| client_view(looks, &reasons, client));
    let networks = |what, bits: (u8, u8)| list(looks, what, &|network| network_view(looks, network, bits));
    FloodReport {
        by_requests: clients(Most::Requests),
        by_refused: clients(Most::Refused),
        by_errors: clients(Most::Errors),
        by_bytes: clients(Most::Bytes),
        by_net24: networks(Most::Net24, (24, 56)),
        by_net16: networks(Most::Net16, (16, 48)),
        by_owner: owners(looks),
        ..FloodReport::default()
    }
}

fn key(looks: &Looks<'_>, address: IpAddr) -> ClientKey {
    ClientKey::new(address, looks.policy.settings.client.ipv6_prefix)
}

fn list(looks: &Looks<'_>, what: Most, view: &dyn Fn(&Offender) -> OffenderView) -> Vec<OffenderView> {
    let offered = looks.state.flood.view().evidence.offered;
    let of_requests = matches!(what, Most::Requests | Most::Net24 | Most::Net16);
    let most = looks.state.flood.offenders.most(what, SHOWN, looks.now);
    let shown = most.iter().filter(|o| o.rate >= 0.05).map(|offender| OffenderView {
        rate: tenths(offender.rate),
        share: (of_requests && offered > 0.0).then(|| (offender.rate / offered).min(1.0)),
        ..view(offender)
    });
    shown.collect()
}

fn tenths(rate: f64) -> f64 {
    (rate * 10.0).round() / 10.0
}

fn client_view(looks: &Looks<'_>, reasons: &HashMap<ClientKey, (String, u64)>, offender: &Offender) -> OffenderView {
    let history = &looks.state.flood.history;
    let before = looks.state.flood.view().onset.unwrap_or(looks.now);
    let known = history.known(history.locate(offender.client), before);
    let times = |(reason, n): &(String, u64)| format!("{reason} {n}×");
    let prefix = looks.policy.settings.client.ipv6_prefix;
    OffenderView {
        who: named(offender.client, (32, prefix)),
        rank: Rank::from(known.standing).name().into(),
        owner: owner(looks, offender.client),
        country: country(looks, offender.client),
        reason: reasons.get(&offender.client).map(times).unwrap_or_default(),
        ..OffenderView::default()
    }
}

fn network_view(looks: &Looks<'_>, offender: &Offender, bits: (u8, u8)) -> OffenderView {
    OffenderView {
        who: named(offender.client, bits),
        owner: owner(looks, offender.client),
        country: country(looks, offender.client),
        ..OffenderView::default()
    }
}

/// A client or network as people write it.
pub(super) fn named(client: ClientKey, (ipv4, ipv6): (u8, u8)) -> String {
    match client.ipv4() {
        Some(address) if ipv4 == 32 => address.to_string(),
        Some(address) => format!("{address}/{ipv4}"),
        None if ipv6 == 128 => client.to_string(),
        None => format!("{client}/{ipv6}"),
    }
}

pub(super) fn owner(looks: &Looks<'_>, client: ClientKey) -> String {
    looks.asn.and_then(|asn| asn.find(client.address())).map_or(String::new(), |owner| owner.to_string())
}

fn country(looks: &Looks<'_>, client: ClientKey) -> String {
    looks.country.and_then(|countries| countries.find(client.address())).unwrap_or_default()
}

/// Owners by their share of the sample.
fn owners(looks: &Looks<'_>) -> Vec<OwnerView> {
    let Some(asn) = looks.asn else { return Vec::new() };
    let mut clients = HashMap::<ClientKey, u64>::new();
    for client in looks.state.flood.offenders.sample() {
        *clients.entry(client).or_default() += 1;
    }
    let all: u64 = clients.values().sum();
    let mut owners = HashMap::<Owner, (u64, u64)>::new();
    for (client, times) in clients {
        if let Some(owner) = asn.find(client.address()) {
            let sums = owners.entry(owner).or_default();
            (sums.0, sums.1) = (sums.0 + times, sums.1 + 1);
        }
    }
    let offered = looks.state.flood.view().evidence.offered;
    let mut shown: Vec<_> = owners
        .into_iter()
        .map(|(owner, (times, clients))| {
            let share = times as f64 / all as f64;
            OwnerView { owner: owner.to_string(), rate: tenths(share * offered), share, clients }
        })
        .collect();
    shown.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.owner.cmp(&b.owner)));
    shown.truncate(SHOWN);
    shown
}
