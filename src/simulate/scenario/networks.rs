//! Which addresses belong together: what clones of a client, and clients that have only a name, are called.

use super::random::{Random, hash};
use std::collections::HashMap;
use std::fs::File;
use std::io::BufRead;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// How often an address outside the original's /16 is looked for in a network that may have no other.
const TRIES: usize = 40;

/// How many /16s the people of generated backgrounds are in.
const PEOPLE: u64 = 12_000;
/// The client of what nobody has sent yet.
pub(super) const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The networks that autonomous systems announce; knows none where no table was given.
#[derive(Debug, Default)]
pub struct Networks {
    /// First and last address and the system's number, sorted.
    ranges: Vec<(u32, u32, u32)>,
    /// The ranges of a system, as places in `ranges`.
    of_system: HashMap<u32, Vec<usize>>,
}

impl Networks {
    /// Reads a table of lines `start,end,asn,…` (or parted by tabs; plain, gzip or zstd); lines of IPv6 are passed over.
    pub fn open(path: &Path) -> Result<Self, String> {
        let fault = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
        let file = File::open(path).map_err(|e| fault(&e))?;
        let lines = crate::simulate::log::decompressed(file).map_err(|e| fault(&e))?.lines();
        let mut ranges = vec![];
        for line in lines {
            ranges.extend(range(&line.map_err(|e| fault(&e))?));
        }
        if ranges.is_empty() {
            return Err(fault(&"no line reads start,end,asn with IPv4 addresses"));
        }
        Ok(Self::new(ranges))
    }

    fn new(mut ranges: Vec<(u32, u32, u32)>) -> Self {
        ranges.sort_unstable();
        let mut of_system: HashMap<u32, Vec<usize>> = HashMap::new();
        for (at, &(_, _, system)) in ranges.iter().enumerate() {
            of_system.entry(system).or_default().push(at);
        }
        Self { ranges, of_system }
    }

    /// Somebody else near `original`: of the same system, else of a /24 in the same /16.
    pub(super) fn near(&self, original: IpAddr, random: &mut Random) -> IpAddr {
        match original {
            IpAddr::V4(v4) => self.same_system(v4, random).unwrap_or_else(|| neighbour(v4, random)).into(),
            IpAddr::V6(v6) => near6(v6, random).into(),
        }
    }

    /// Somebody else far from `original`: of the same system but another /16, else of any other /16.
    pub(super) fn far(&self, original: IpAddr, random: &mut Random) -> IpAddr {
        match original {
            IpAddr::V4(v4) => self.same_system(v4, random).unwrap_or_else(|| public(random)).into(),
            IpAddr::V6(_) => public6(random).into(),
        }
    }

    /// An address of `original`'s system, of another /16 where it has one.
    fn same_system(&self, original: Ipv4Addr, random: &mut Random) -> Option<Ipv4Addr> {
        let number = u32::from(original);
        let at = self.ranges.partition_point(|&(start, _, _)| start <= number).checked_sub(1)?;
        let (_, end, system) = self.ranges[at];
        let ranges = self.of_system.get(&system).filter(|_| number <= end)?;
        let size = |at: &usize| u64::from(self.ranges[*at].1 - self.ranges[*at].0) + 1;
        let total = ranges.iter().map(size).sum();
        let mut found = number;
        for _ in 0..TRIES {
            let mut place = random.below(total);
            for at in ranges {
                if place < size(at) {
                    found = self.ranges[*at].0 + place as u32;
                    break;
                }
                place -= size(at);
            }
            if found >> 16 != number >> 16 {
                break;
            }
        }
        (found != number).then(|| Ipv4Addr::from(found))
    }
}

fn range(line: &str) -> Option<(u32, u32, u32)> {
    let mut fields = line.split([',', '\t']);
    let mut address = || fields.next()?.trim().parse::<Ipv4Addr>().ok().map(u32::from);
    let (start, end) = (address()?, address()?);
    let system = fields.next()?.trim().parse().ok()?;
    (start <= end).then_some((start, end, system))
}

/// The address that stands for a client of which a log has but a name.
pub(super) fn of_name(name: &str) -> IpAddr {
    public(&mut Random::new(hash(name.as_bytes()))).into()
}

/// An address that could be anybody's: of no range that is reserved.
pub(super) fn public(random: &mut Random) -> Ipv4Addr {
    loop {
        let [a, b, c, d] = (random.next() as u32).to_be_bytes();
        // First octets with reserved ranges inside are left out whole.
        if (1..224).contains(&a) && ![10, 100, 127, 169, 172, 192, 198, 203].contains(&a) {
            return Ipv4Addr::new(a, b, c, d.clamp(1, 254));
        }
    }
}

/// An IPv6 address that could be anybody's.
pub(super) fn public6(random: &mut Random) -> Ipv6Addr {
    let low = u128::from(random.next());
    let high = u128::from(random.next() >> 8 | 0x2a << 56);
    Ipv6Addr::from(high << 64 | low)
}

/// One of the networks that generated people are in: the same ones for every seed, few of them busy.
pub(super) fn of_people(random: &mut Random) -> u64 {
    let place = random.unit();
    (PEOPLE as f64 * place * place) as u64
}

/// Somebody's IPv4 address in a network of people: its first /24s are the busiest.
pub(super) fn in_network(network: u64, random: &mut Random) -> Ipv4Addr {
    let [a, b, ..] = public(&mut Random::new(network)).octets();
    let place = random.unit();
    Ipv4Addr::new(a, b, (256.0 * place * place) as u8, 1 + random.below(254) as u8)
}

/// Somebody's IPv6 address in a network of people, which is a /40.
pub(super) fn in_network6(network: u64, random: &mut Random) -> Ipv6Addr {
    let first = u128::from(public6(&mut Random::new(network))) & !(u128::MAX >> 40);
    let place = random.unit();
    let site = (256.0 * place * place) as u128;
    Ipv6Addr::from(first | site << 80 | u128::from(random.below(1 << 16)) << 64 | u128::from(random.next()))
}

/// Another /24 of the same /16.
fn neighbour(original: Ipv4Addr, random: &mut Random) -> Ipv4Addr {
    let [a, b, c, _] = original.octets();
    let c = c.wrapping_add(1 + random.below(255) as u8);
    Ipv4Addr::new(a, b, c, 1 + random.below(254) as u8)
}

/// Another /64 of the same /32.
fn near6(original: Ipv6Addr, random: &mut Random) -> Ipv6Addr {
    let network = u128::from(original) >> 96 << 96;
    Ipv6Addr::from(network | u128::from(random.next()) << 32 | u128::from(random.next() as u32))
}
