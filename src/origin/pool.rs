//! The pool: what the request's path asks for an endpoint, and what the control plane tells about them.

use super::endpoint::{Endpoint, Group, HealthChange, IN_SERVICE};
use super::list::{List, Members};
use super::pick::{Pick, Tried};
use crate::base::clock::Time;
use crate::config::settings::{self, OriginAddress};
use arc_swap::ArcSwap;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The name that [`Pool::set_resolved`] knows the built-in demo service by, with port 0.
pub const DEMO_NAME: &str = "demo";

/// The most addresses of one name that are used.
pub const MAX_ADDRESSES: usize = 256;

/// All endpoints of the origin.
#[derive(Debug)]
pub struct Pool {
    list: ArcSwap<List>,
    /// The addresses last found for each name. Held while the list is rebuilt, so that writers take turns; readers
    /// never take it.
    resolved: Mutex<BTreeMap<OriginAddress, Vec<SocketAddr>>>,
}

/// What a resolution changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// The same addresses as before.
    Same,
    /// Other addresses.
    Changed,
    /// There was no address, so the last ones stay.
    Kept,
}

/// An endpoint to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where to connect.
    pub addr: SocketAddr,
    /// The configured name, where the address came from one.
    pub host: Option<Arc<str>>,
}

/// What an operator sees of an endpoint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EndpointStatus {
    /// Where weir connects.
    pub address: SocketAddr,
    /// The configured name, where the address came from one.
    pub name: Option<String>,
    /// Its group.
    pub group: Group,
    /// What active checks say; true where there are none.
    pub healthy: bool,
    /// Seconds until an ejected endpoint gets its trial: 0 when that is due, null when it is in service.
    pub ejected_for: Option<f64>,
    /// Requests there now.
    pub in_flight: u32,
    /// Requests sent there so far.
    pub requests: u64,
    /// How many of them failed: no connection, no answer, a broken answer.
    pub failures: u64,
}

impl Pool {
    /// A pool of what needs no resolving; names and the demo service join with [`Pool::set_resolved`].
    pub fn new(origin: &settings::Origin) -> Self {
        let settings = Arc::new(origin.clone());
        let empty = List { settings: settings.clone(), primary: Members::default(), fallback: Members::default() };
        let resolved = BTreeMap::new();
        Self { list: ArcSwap::from_pointee(build(settings, &resolved, &empty)), resolved: Mutex::new(resolved) }
    }

    /// Takes other settings. Endpoints that stay keep their state, names that stay keep their addresses. Tell the
    /// addresses of new names first, lest there be a moment without endpoints.
    pub fn reconfigure(&self, origin: &settings::Origin) {
        let mut resolved = self.lock();
        resolved.retain(|name, _| origin.addresses.contains(name) || origin.fallback.contains(name));
        self.rebuild(Arc::new(origin.clone()), &resolved);
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<settings::Origin> {
        self.list.load().settings.clone()
    }

    /// An endpoint for a request, none of those in `tried`. `None` when there is nothing left that is worth trying.
    pub fn pick(&self, tried: &Tried, now: Time) -> Option<Pick> {
        let list = self.list.load_full();
        let chosen = list.choose(tried, now)?;
        Some(Pick::new(list, chosen))
    }

    /// Tells the addresses of a name; of the demo service with [`DEMO_NAME`] and port 0. A name that is not configured
    /// yet is remembered until the next [`Pool::reconfigure`]. No address at all keeps the last ones: a resolver's
    /// fault must not take away an origin that works.
    pub fn set_resolved(&self, host: &str, port: u16, addrs: &[SocketAddr]) -> Resolved {
        if addrs.is_empty() {
            return Resolved::Kept;
        }
        let name = if host == DEMO_NAME && port == 0 {
            OriginAddress::Demo
        } else {
            OriginAddress::Name { host: host.to_owned(), port }
        };
        // Sorted: resolvers rotate their answers, which changes nothing.
        let mut addrs = addrs.to_vec();
        addrs.sort_unstable();
        addrs.dedup();
        addrs.truncate(MAX_ADDRESSES);
        let mut resolved = self.lock();
        if resolved.get(&name) == Some(&addrs) {
            return Resolved::Same;
        }
        resolved.insert(name, addrs);
        self.rebuild(self.settings(), &resolved);
        Resolved::Changed
    }

    /// Takes in the result of an active check; ignored where checks are off.
    pub fn mark_health(&self, addr: SocketAddr, good: bool) -> HealthChange {
        // Not while settings change: a late result must not stick where checks have just been turned off.
        let _writer = self.lock();
        let list = self.list.load();
        if !list.settings.health.enabled {
            return HealthChange::None;
        }
        let endpoint = list.all().find(|(_, e)| e.addr == addr);
        endpoint.map_or(HealthChange::None, |(_, e)| e.checked(good, &list.settings.health))
    }

    /// The configured names, each once, to be resolved.
    pub fn names(&self) -> Vec<(String, u16)> {
        names(&self.settings())
    }

    /// The endpoints of both groups, to be checked.
    pub fn endpoints(&self) -> Vec<Target> {
        self.list.load().all().map(|(_, e)| Target { addr: e.addr, host: e.host.clone() }).collect()
    }

    /// Every endpoint as an operator sees it.
    pub fn snapshot(&self, now: Time) -> Vec<EndpointStatus> {
        let status = |(group, e): (Group, &Arc<Endpoint>)| EndpointStatus {
            address: e.addr,
            name: e.host.as_deref().map(str::to_owned),
            group,
            healthy: e.is_healthy(),
            ejected_for: match e.ejected_until() {
                IN_SERVICE => None,
                until => Some(Time::from_nanos(until).since(now).as_secs_f64()),
            },
            in_flight: e.in_flight(),
            requests: e.requests(),
            failures: e.failures(),
        };
        self.list.load().all().map(status).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<OriginAddress, Vec<SocketAddr>>> {
        // The map is whole after every statement, so a panic elsewhere leaves nothing to repair.
        self.resolved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called with `resolved` locked.
    fn rebuild(&self, settings: Arc<settings::Origin>, resolved: &BTreeMap<OriginAddress, Vec<SocketAddr>>) {
        let list = build(settings, resolved, &self.list.load());
        for (_, endpoint) in list.all() {
            // What is no longer judged must not stay judged for ever.
            if !list.settings.health.enabled {
                endpoint.forget_health();
            }
            if list.settings.eject.after == 0 {
                endpoint.forget_ejection();
            }
        }
        self.list.store(Arc::new(list));
    }
}

impl List {
    fn all(&self) -> impl Iterator<Item = (Group, &Arc<Endpoint>)> {
        let of = |group| self.members(group).endpoints.iter().map(move |e| (group, e));
        of(Group::Primary).chain(of(Group::Fallback))
    }
}

/// The names in `origin`, each once, to be resolved.
pub fn names(origin: &settings::Origin) -> Vec<(String, u16)> {
    let mut names: Vec<_> = origin
        .addresses
        .iter()
        .chain(&origin.fallback)
        .filter_map(|address| match address {
            OriginAddress::Name { host, port } => Some((host.clone(), *port)),
            OriginAddress::Socket(_) | OriginAddress::Demo => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A list for `settings`, with the endpoints of `old` where they stay. An address counts once, where it comes first:
/// named twice it is still one machine.
fn build(settings: Arc<settings::Origin>, resolved: &BTreeMap<OriginAddress, Vec<SocketAddr>>, old: &List) -> List {
    let mut known: BTreeMap<SocketAddr, Option<Arc<Endpoint>>> =
        old.all().map(|(_, e)| (e.addr, Some(e.clone()))).collect();
    let mut group = |addresses: &[OriginAddress]| {
        let mut endpoints = Vec::new();
        for address in addresses {
            let (host, addrs) = match address {
                OriginAddress::Socket(addr) => (None, std::slice::from_ref(addr)),
                OriginAddress::Name { host, .. } => (Some(host.as_str()), found(resolved, address)),
                OriginAddress::Demo => (None, found(resolved, address)),
            };
            for &addr in addrs {
                let endpoint = match known.insert(addr, None) {
                    Some(None) => continue,
                    Some(Some(old)) if old.host.as_deref() == host => old,
                    _ => Arc::new(Endpoint::new(addr, host.map(Arc::from))),
                };
                endpoints.push(endpoint);
            }
        }
        Members::new(endpoints)
    };
    let primary = group(&settings.addresses);
    let fallback = group(&settings.fallback);
    List { settings, primary, fallback }
}

fn found<'a>(resolved: &'a BTreeMap<OriginAddress, Vec<SocketAddr>>, name: &OriginAddress) -> &'a [SocketAddr] {
    resolved.get(name).map_or(&[], Vec::as_slice)
}
