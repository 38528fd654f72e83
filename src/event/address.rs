//! Clients' addresses as a sink writes them: whole, as their network, or as a keyed hash.

use super::entry::Entry;
use super::news::BanNews;
use crate::config::settings::{Addresses, Log};
use ring::hmac::{HMAC_SHA256, Key, sign};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Leading bits of a truncated address: IPv4 and IPv6.
const KEPT: (u8, u8) = (24, 48);

/// A client's address, or what stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// The address; of a truncated one, the first of its network.
    Address(IpAddr),
    /// Its keyed hash.
    Hashed(u128),
}

impl Name {
    /// The address; none of a hashed one.
    pub const fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::Hashed(_) => None,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Hashed(hash) => write!(f, "h:{hash:032x}"),
        }
    }
}

impl FromStr for Name {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("h:").filter(|d| d.len() == 32 && d.bytes().all(|b| b.is_ascii_hexdigit()));
        if let Some(hash) = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok()) {
            return Ok(Self::Hashed(hash));
        }
        text.parse().map(Self::Address).map_err(|_| "expected an address, or h: and 32 hex digits".to_owned())
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How one sink writes addresses.
#[derive(Clone, Debug)]
pub struct Writing(Way);

#[derive(Clone, Debug)]
enum Way {
    Whole,
    Truncated,
    Hashed(Key),
}

impl Writing {
    /// As a sink's own key says; hashed with the key of `[log]`, that all sinks share.
    pub fn new(addresses: Addresses, log: &Log) -> Self {
        Self(match (addresses, &log.address_key) {
            (Addresses::Whole, _) => Way::Whole,
            (Addresses::Hashed, Some(secret)) => Way::Hashed(Key::new(HMAC_SHA256, secret.bytes())),
            // No config that was checked asks for hashes without a key.
            (Addresses::Truncated | Addresses::Hashed, _) => Way::Truncated,
        })
    }

    /// `address` as this sink writes it.
    pub fn name(&self, address: IpAddr) -> Name {
        match &self.0 {
            Way::Whole => Name::Address(address),
            Way::Truncated => Name::Address(truncated(address)),
            Way::Hashed(key) => Name::Hashed(hash(key, address.to_string().as_bytes())),
        }
    }

    /// `entry` as this sink writes it. Without the whole address the port goes too: it says nothing but who it was.
    pub fn entry<'a, 'b>(&self, entry: &'b Entry<'a>) -> Cow<'b, Entry<'a>> {
        let Some(address) = entry.client.address().filter(|_| !matches!(self.0, Way::Whole)) else {
            return Cow::Borrowed(entry);
        };
        let mut told = entry.clone();
        (told.client, told.client_port) = (self.name(address), 0);
        if entry.peer == entry.client {
            told.peer = told.client;
        }
        Cow::Owned(told)
    }

    /// A ban's network as this sink writes it. One address is written as a client's is; what is no wider than a
    /// truncated address, as the network of that or as a hash; what is wider as it is.
    pub fn network(&self, news: &BanNews) -> String {
        let network = news.network;
        let kept = if network.addr().is_ipv4() { KEPT.0 } else { KEPT.1 };
        match &self.0 {
            _ if network.prefix_len() <= kept => network.to_string(),
            Way::Whole => network.to_string(),
            Way::Truncated => format!("{}/{kept}", truncated(network.addr())),
            Way::Hashed(_) if network.prefix_len() == network.max_prefix_len() => self.name(network.addr()).to_string(),
            Way::Hashed(key) => Name::Hashed(hash(key, network.to_string().as_bytes())).to_string(),
        }
    }
}

fn truncated(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX << (32 - KEPT.0)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & u128::MAX << (128 - KEPT.1)).into()),
    }
}

fn hash(key: &Key, text: &[u8]) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&sign(key, text).as_ref()[..16]);
    u128::from_be_bytes(half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;
    use crate::config::settings::{Secret, SecretPlace};
    use crate::event::record::Record;

    /// HMAC-SHA-256 with 32 bytes of 7.
    fn hashing() -> Writing {
        Writing(Way::Hashed(Key::new(HMAC_SHA256, Secret::new(SecretPlace::File("key".into()), [7; 32]).bytes())))
    }

    fn all(address: &str) -> [String; 3] {
        let address = address.parse().unwrap();
        [Writing(Way::Whole), Writing(Way::Truncated), hashing()].map(|way| way.name(address).to_string())
    }

    #[test]
    fn an_address_is_whole_or_its_network_or_a_hash_that_stays() {
        let [whole, network, hashed] = all("192.0.2.77");
        assert_eq!((whole.as_str(), network.as_str()), ("192.0.2.77", "192.0.2.0"));
        // printf 192.0.2.77 | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…
        assert_eq!(hashed, "h:835c8f2793ec32b8d2019b94e4a3e2d3");
        let [_, network, other] = all("2001:db8:1:2:3:4:5:6");
        assert_eq!(network, "2001:db8:1::");
        assert_ne!(hashed, other);
        for text in [whole, network, hashed] {
            assert_eq!(text.parse::<Name>().unwrap().to_string(), text);
        }
        for text in ["", "h:", "h:12", "h:+0000000000000000000000000000000", "192.0.2.0/24"] {
            assert!(text.parse::<Name>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_client_without_a_proxy_is_not_told_as_the_peer() {
        let mut record = Record::blank(Time::from_nanos(0));
        (record.client, record.client_port) = ([192, 0, 2, 77].into(), 40_000);
        record.peer = record.client;
        for proxied in [false, true] {
            if proxied {
                record.peer = [10, 0, 0, 1].into();
            }
            let entry = Entry::new(&record, &[]);
            let told = hashing().entry(&entry).into_owned();
            assert_eq!((told.client.address(), told.client_port), (None, 0));
            assert_eq!(told.peer == entry.peer, proxied);
            assert_eq!(*Writing(Way::Whole).entry(&entry), entry);
        }
    }

    #[test]
    fn a_network_tells_no_more_than_an_address_would() {
        let mut news = BanNews::fixture();
        for (network, truncated, same) in [
            ("192.0.2.77/32", "192.0.2.0/24", false),
            ("192.0.2.64/26", "192.0.2.0/24", false),
            ("2001:db8::/32", "2001:db8::/32", true),
            ("2001:db8:1:2::/64", "2001:db8:1::/48", false),
        ] {
            news.network = network.parse().unwrap();
            assert_eq!(Writing(Way::Whole).network(&news), network);
            assert_eq!(Writing(Way::Truncated).network(&news), truncated);
            assert_eq!(hashing().network(&news) == network, same);
        }
        news.network = "192.0.2.77/32".parse().unwrap();
        assert_eq!(hashing().network(&news), all("192.0.2.77")[2]);
    }
}
