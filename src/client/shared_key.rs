//! Notices a setup in which all clients share one key, the load balancer's: one limit for everybody together.

use crate::base::clock::Time;
use crate::base::sync::{AtomicU32, AtomicU64, Ordering};
use crate::config::settings::AddressFrom;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// What one request showed. Leave out the load balancer's health checks, which carry no client.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Whose connection it came by.
    pub peer: IpAddr,
    /// Whether that is a trusted proxy.
    pub trusted: bool,
    /// Whether it carried what `address_from` reads.
    pub has_source: bool,
    /// Whether it carried any forwarding header: `X-Forwarded-For`, `Forwarded`, `Via`.
    pub forwarded: bool,
}

/// How all clients came to share a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A private peer forwards for others, and is not believed.
    Unbelieved,
    /// A trusted proxy does not say for whom it speaks.
    Unsaid,
}

/// A setup to be corrected; its `Display` says how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// How it came about.
    pub kind: Kind,
    /// Where the client's address is read.
    pub address_from: AddressFrom,
    /// One of the peers.
    pub peer: IpAddr,
    /// Requests looked at.
    pub requests: u32,
    /// Those that showed it.
    pub showing: u32,
}

/// How long evidence is gathered for one verdict.
pub const WINDOW: Duration = Duration::from_secs(10);
/// Fewer requests in a window prove nothing.
const MIN_REQUESTS: u32 = 50;
/// More than this many in a window are not looked at, so that a busy proxy does not fight over the counters.
const ENOUGH: u32 = 1000;
/// Of a hundred requests, how many must show it.
const NEARLY_ALL: u32 = 95;

/// The detector. Any thread observes, one control task asks for the verdict.
#[derive(Debug, Default)]
pub struct SharedKey {
    requests: AtomicU32,
    unbelieved: AtomicU32,
    unsaid: AtomicU32,
    /// The first peer that showed something in this window, in two halves. Peers that write at the same moment may
    /// mix their halves; that takes two IPv6 peers, and names a wrong one in a message.
    peer: [AtomicU64; 2],
    /// When the window began, in nanoseconds; 0 before the first verdict.
    since: AtomicU64,
}

impl SharedKey {
    /// Counts one request.
    #[inline]
    pub fn observe(&self, address_from: AddressFrom, seen: Seen) {
        // Relaxed, in all of this: rough counts that publish nothing.
        if self.requests.load(Ordering::Relaxed) >= ENOUGH {
            return;
        }
        if let Some(kind) = evidence(address_from, seen)
            && self.counter(kind).fetch_add(1, Ordering::Relaxed) == 0
        {
            let bits = match seen.peer {
                IpAddr::V4(v4) => u128::from(v4.to_ipv6_mapped()),
                IpAddr::V6(v6) => u128::from(v6),
            };
            // Relaxed: see `peer`.
            self.peer[0].store((bits >> 64) as u64, Ordering::Relaxed);
            self.peer[1].store(bits as u64, Ordering::Relaxed);
        }
        // Relaxed: as above. Last, so that evidence never outnumbers requests by more than the threads.
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// At the end of a window: whether nearly all of its requests showed the same fault. Call it every second or so.
    pub fn verdict(&self, address_from: AddressFrom, now: Time) -> Option<Warning> {
        // Relaxed, in all of this: one task asks; a request counted into the wrong window does no harm.
        let since = self.since.load(Ordering::Relaxed);
        if since != 0 && now.since(Time::from_nanos(since)) < WINDOW {
            return None;
        }
        self.since.store(now.nanos().max(1), Ordering::Relaxed);
        let halves = self.peer.each_ref().map(|half| half.load(Ordering::Relaxed));
        let peer = Ipv6Addr::from(u128::from(halves[0]) << 64 | u128::from(halves[1])).to_canonical();
        // Relaxed: as above.
        let counts = [&self.unbelieved, &self.unsaid].map(|counter| counter.swap(0, Ordering::Relaxed));
        let requests = self.requests.swap(0, Ordering::Relaxed);
        let warning = |(kind, showing)| Warning { kind, address_from, peer, requests, showing };
        [Kind::Unbelieved, Kind::Unsaid]
            .into_iter()
            .zip(counts)
            .find(|&(_, showing)| requests >= MIN_REQUESTS && showing * 100 >= requests * NEARLY_ALL)
            .map(warning)
    }

    fn counter(&self, kind: Kind) -> &AtomicU32 {
        match kind {
            Kind::Unbelieved => &self.unbelieved,
            Kind::Unsaid => &self.unsaid,
        }
    }
}

/// What a request shows, if anything.
#[inline]
fn evidence(address_from: AddressFrom, seen: Seen) -> Option<Kind> {
    let reads_peer = address_from == AddressFrom::Peer;
    if seen.trusted && !reads_peer {
        return (!seen.has_source).then_some(Kind::Unsaid);
    }
    (seen.forwarded && private_network(seen.peer).is_some()).then_some(Kind::Unbelieved)
}

/// The private network that an address is of, as it would be written into the config.
fn private_network(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(v4) => private_v4(v4),
        IpAddr::V6(v6) if v6.is_loopback() => Some("::1/128"),
        IpAddr::V6(v6) if v6.is_unique_local() => Some("fc00::/7"),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some("fe80::/10"),
        IpAddr::V6(_) => None,
    }
}

fn private_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [10, ..] => Some("10.0.0.0/8"),
        [127, ..] => Some("127.0.0.0/8"),
        [172, 16..=31, ..] => Some("172.16.0.0/12"),
        [192, 168, ..] => Some("192.168.0.0/16"),
        [100, 64..=127, ..] => Some("100.64.0.0/10"),
        [169, 254, ..] => Some("169.254.0.0/16"),
        _ => None,
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, address_from, peer, requests, showing } = self;
        write!(f, "all clients share one key and one limit: {showing} of {requests} requests came from ")?;
        let network = private_network(*peer).unwrap_or("its network");
        match (kind, address_from) {
            (Kind::Unbelieved, AddressFrom::Peer) => write!(
                f,
                "private addresses such as {peer} with forwarding headers, which address_from = \"peer\" does not \
                 read; behind a load balancer write [client] address_from = \"x-forwarded-for\" and \
                 trusted_proxies = [\"{network}\"]"
            ),
            (Kind::Unbelieved, _) => write!(
                f,
                "private addresses such as {peer} with forwarding headers, and {peer} is no trusted proxy; if it is \
                 your load balancer, add \"{network}\" to [client] trusted_proxies"
            ),
            (Kind::Unsaid, from) => write!(
                f,
                "trusted proxies such as {peer} without {}; let the proxy send it, or write [client] address_from = \
                 \"x-forwarded-for\" behind an ALB, \"proxy-protocol\" behind an NLB, \"peer\" where nothing stands \
                 before weir",
                match from {
                    AddressFrom::CloudFrontViewerAddress => "a CloudFront-Viewer-Address header",
                    AddressFrom::ProxyProtocol => "a client in the PROXY protocol",
                    AddressFrom::XForwardedFor | AddressFrom::Peer => "an X-Forwarded-For header",
                }
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AddressFrom::{CloudFrontViewerAddress, Peer, XForwardedFor};

    fn seen(peer: &str, trusted: bool, has_source: bool, forwarded: bool) -> Seen {
        Seen { peer: peer.parse().unwrap(), trusted, has_source, forwarded }
    }

    /// The verdict on a window with these requests.
    fn judge(from: AddressFrom, requests: &[(u32, Seen)]) -> Option<Warning> {
        let detector = SharedKey::default();
        for &(count, seen) in requests {
            (0..count).for_each(|_| detector.observe(from, seen));
        }
        detector.verdict(from, Time::from_nanos(1))
    }

    #[test]
    fn a_forwarding_private_peer_that_is_not_trusted_shows() {
        let alb = seen("10.0.1.7", false, true, true);
        let warning = judge(XForwardedFor, &[(100, alb)]).unwrap();
        assert_eq!((warning.kind, warning.requests, warning.showing), (Kind::Unbelieved, 100, 100));
        assert_eq!(
            warning.to_string(),
            "all clients share one key and one limit: 100 of 100 requests came from private addresses such as \
             10.0.1.7 with forwarding headers, and 10.0.1.7 is no trusted proxy; if it is your load balancer, add \
             \"10.0.0.0/8\" to [client] trusted_proxies"
        );
        let warning = judge(Peer, &[(100, seen("100.64.3.3", true, true, true))]).unwrap();
        assert!(warning.to_string().contains("address_from = \"x-forwarded-for\""), "{warning}");
        assert!(warning.to_string().contains("trusted_proxies = [\"100.64.0.0/10\"]"), "{warning}");
    }

    #[test]
    fn a_trusted_proxy_that_names_nobody_shows() {
        let silent = seen("fd00::7", true, false, false);
        let warning = judge(CloudFrontViewerAddress, &[(96, silent), (4, seen("fd00::7", true, true, true))]).unwrap();
        assert_eq!((warning.kind, warning.showing, warning.peer), (Kind::Unsaid, 96, silent.peer));
        assert!(warning.to_string().contains("fd00::7 without a CloudFront-Viewer-Address header"), "{warning}");
    }

    #[test]
    fn a_sound_setup_is_quiet() {
        assert_eq!(judge(XForwardedFor, &[(500, seen("10.0.1.7", true, true, true))]), None);
        assert_eq!(
            judge(Peer, &[(500, seen("203.0.113.5", false, true, true))]),
            None,
            "clients behind their own proxy"
        );
        assert_eq!(judge(Peer, &[(500, seen("127.0.0.1", false, true, false))]), None, "a local client");
        let mixed = [(50, seen("10.0.1.7", true, false, false)), (50, seen("10.0.1.7", true, true, true))];
        assert_eq!(judge(XForwardedFor, &mixed), None);
        assert_eq!(judge(XForwardedFor, &[(49, seen("10.0.1.7", false, true, true))]), None, "too few to tell");
        assert_eq!(judge(XForwardedFor, &[]), None);
    }

    #[test]
    fn windows_follow_each_other() {
        let (detector, alb) = (SharedKey::default(), seen("192.168.0.9", false, true, true));
        let start = Time::from_nanos(5_000_000_000);
        assert_eq!(detector.verdict(XForwardedFor, start), None);
        (0..5000).for_each(|_| detector.observe(XForwardedFor, alb));
        assert_eq!(detector.verdict(XForwardedFor, start + WINDOW / 2), None, "not over yet");
        let warning = detector.verdict(XForwardedFor, start + WINDOW).unwrap();
        assert_eq!(warning.requests, ENOUGH, "no more are looked at");
        assert_eq!(detector.verdict(XForwardedFor, start + WINDOW * 2), None, "a new window begins empty");
    }

    #[test]
    fn private_networks_are_known() {
        for private in
            ["10.1.1.1", "127.0.0.1", "172.31.0.1", "192.168.1.1", "100.127.0.1", "::1", "fc00::1", "fe80::1"]
        {
            let network: ipnet::IpNet = private_network(private.parse().unwrap()).unwrap().parse().unwrap();
            assert!(network.contains(&private.parse::<IpAddr>().unwrap()), "{private}");
        }
        for public in ["172.32.0.1", "192.0.2.1", "100.128.0.1", "2001:db8::1", "11.0.0.1"] {
            assert_eq!(private_network(public.parse().unwrap()), None, "{public}");
        }
        assert!(private_network("::ffff:10.0.0.1".parse().unwrap()).is_some());
    }
}
