//! The words that a config writes for settings which are no plain numbers or texts.

mod signals;

pub(super) use signals::*;

use super::settings::{
    Action, AddressFrom, Balance, FindingAction, Form, LimitKey, ListEntry, OriginAddress, OriginProtocol, PathPattern,
    Scope, WafScope, WafStep,
};
use std::fmt;

/// Words of `client.address_from`.
pub(super) const ADDRESS_SOURCES: &[(&str, AddressFrom)] = &[
    ("peer", AddressFrom::Peer),
    ("x-forwarded-for", AddressFrom::XForwardedFor),
    ("cloudfront-viewer-address", AddressFrom::CloudFrontViewerAddress),
    ("proxy-protocol", AddressFrom::ProxyProtocol),
];
/// Words of `origin.protocol`.
pub(super) const PROTOCOLS: &[(&str, OriginProtocol)] =
    &[("http1", OriginProtocol::Http1), ("h2c", OriginProtocol::H2c)];
/// Words of `origin.balance`.
pub(super) const BALANCES: &[(&str, Balance)] =
    &[("least-connections", Balance::LeastConnections), ("round-robin", Balance::RoundRobin)];
/// Words of `flood.challenge.form`.
pub(super) const CHALLENGE_FORMS: &[(&str, Form)] = &[("redirect", Form::Redirect), ("proof-of-work", Form::Work)];
/// Words of `limit.action`.
pub(super) const ACTIONS: &[(&str, Action)] =
    &[("refuse", Action::Refuse), ("observe", Action::Observe), ("close", Action::Close)];
/// Words of `limit.scope`.
pub(super) const SCOPES: &[(&str, Scope)] = &[("task", Scope::Task), ("fleet", Scope::Fleet)];
/// Words of `waf.scope`.
pub(super) const WAF_SCOPES: &[(&str, WafScope)] =
    &[("regional", WafScope::Regional), ("cloudfront", WafScope::CloudFront)];
/// Words of `waf.from_step`.
pub(super) const WAF_STEPS: &[(&str, WafStep)] =
    &[("refuse", WafStep::Refuse), ("close", WafStep::Close), ("ban", WafStep::Ban)];
/// Words of `guardduty.action`.
pub(super) const FINDING_ACTIONS: &[(&str, FindingAction)] =
    &[("ban", FindingAction::Ban), ("suspect", FindingAction::Suspect)];

fn word<T: PartialEq>(words: &[(&'static str, T)], of: &T) -> &'static str {
    words.iter().find(|(_, value)| value == of).map_or("", |(word, _)| word)
}

impl fmt::Display for AddressFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(ADDRESS_SOURCES, self))
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(CHALLENGE_FORMS, self))
    }
}

impl fmt::Display for OriginProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(PROTOCOLS, self))
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(BALANCES, self))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(ACTIONS, self))
    }
}

impl fmt::Display for LimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client => f.write_str("client"),
            Self::Prefix { .. } => f.write_str("prefix"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Route => f.write_str("route"),
        }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(path) => f.write_str(path),
            Self::Prefix(path) => write!(f, "{path}*"),
        }
    }
}

impl fmt::Display for OriginAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
            Self::Demo => f.write_str("demo"),
        }
    }
}

impl fmt::Display for ListEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(net) => net.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(SCOPES, self))
    }
}

impl fmt::Display for WafScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(WAF_SCOPES, self))
    }
}

impl fmt::Display for WafStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(WAF_STEPS, self))
    }
}

impl fmt::Display for FindingAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(FINDING_ACTIONS, self))
    }
}
