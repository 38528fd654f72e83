//! Who attacks: addresses of a file, or a generated botnet.

use super::networks::{in_network, of_people, public};
use super::random::Random;
use std::fs::File;
use std::io::BufRead;
use std::net::IpAddr;
use std::path::Path;

/// Agents that simple bots pretend to be.
pub(super) const AGENTS: [&str; 2] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
];

/// The share of a spread botnet that sits in the networks of a generated site's people.
const AMONG_PEOPLE: f64 = 0.1;
/// How many addresses a generated botnet has.
const GENERATED: usize = 12_000;

/// Addresses that attacks come from.
#[derive(Clone, Debug)]
pub struct Attackers {
    pub(super) spread: Vec<IpAddr>,
    pub(super) hosting: Vec<IpAddr>,
}

impl Attackers {
    /// Two botnets: one spread over nearly as many /24s as it has addresses, and one of which half sits in hosting
    /// networks.
    pub fn generated(seed: u64) -> Self {
        Self {
            spread: residential(&mut Random::named(seed, "residential")),
            hosting: hosting(&mut Random::named(seed, "hosting")),
        }
    }

    /// The addresses of `path`, one a line (plain, gzip or zstd), for every attack.
    pub fn open(path: &Path) -> Result<Self, String> {
        let spread = addresses(path)?;
        Ok(Self { hosting: spread.clone(), spread })
    }

    /// The same, but with the addresses of `path` where an attack comes from hosting networks.
    pub fn with_hosting(self, path: &Path) -> Result<Self, String> {
        Ok(Self { hosting: addresses(path)?, ..self })
    }
}

fn addresses(path: &Path) -> Result<Vec<IpAddr>, String> {
    let fault = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let file = File::open(path).map_err(|e| fault(&e))?;
    let mut found: Vec<IpAddr> = vec![];
    for line in crate::simulate::log::decompressed(file).map_err(|e| fault(&e))?.lines() {
        let line = line.map_err(|e| fault(&e))?;
        let text = line.trim();
        if !text.is_empty() && !text.starts_with('#') {
            let fault = |_| format!("{}: \"{}\": expected an address", path.display(), text.escape_debug());
            found.push(text.parse().map_err(fault)?);
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn residential(random: &mut Random) -> Vec<IpAddr> {
    unique(random, |random, out| {
        let among_people = random.chance(AMONG_PEOPLE);
        let address = if among_people { in_network(of_people(random), random) } else { public(random) };
        out.push(address.into());
    })
}

/// Half of the addresses alone in their /24, half in /24s of four to sixteen.
fn hosting(random: &mut Random) -> Vec<IpAddr> {
    unique(random, |random, out| {
        let first = u32::from(public(random));
        let members = if random.chance(0.085) { 4 + random.below(13) } else { 1 };
        let member = |random: &mut Random| IpAddr::from(((first & !0xff) + 1 + random.below(254) as u32).to_be_bytes());
        out.extend((0..members).map(|_| member(random)));
    })
}

fn unique(random: &mut Random, draw: impl Fn(&mut Random, &mut Vec<IpAddr>)) -> Vec<IpAddr> {
    let mut found = Vec::with_capacity(GENERATED);
    while found.len() < GENERATED {
        draw(random, &mut found);
        if found.len() >= GENERATED {
            found.sort_unstable();
            found.dedup();
        }
    }
    found
}
