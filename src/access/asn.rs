//! Whose network an address is in: an autonomous system, by a database in MaxMind's format.

use super::mmdb;
use maxminddb::{Reader, geoip2};
use std::fmt;
use std::net::IpAddr;
use std::path::Path;

/// A database of autonomous systems.
pub struct AsnDatabase(Reader<Vec<u8>>);

/// An autonomous system.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Its number.
    pub number: u32,
    /// Who runs it.
    pub name: String,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{} {}", self.number, self.name)
    }
}

impl AsnDatabase {
    /// Reads and verifies the database at `path`.
    ///
    /// # Errors
    /// Where it can't be read, is broken, or is about something else.
    pub fn open(path: &Path) -> Result<Self, String> {
        mmdb::open(path, &["ASN", "ISP"], "one of ASNs such as GeoLite2-ASN").map(Self)
    }

    /// The owner of an address' network, where the database knows it.
    pub fn find(&self, address: IpAddr) -> Option<Owner> {
        let record: geoip2::Asn<'_> = self.0.lookup(address.to_canonical()).ok()?.decode().ok()??;
        let name = record.autonomous_system_organization.unwrap_or_default().to_owned();
        Some(Owner { number: record.autonomous_system_number?, name })
    }
}

impl fmt::Debug for AsnDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsnDatabase").field("type", &self.0.metadata().database_type).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::mmdb::shared;

    #[test]
    fn owners_are_found() {
        let Some(path) = shared("GeoLite2-ASN-Test.mmdb") else { return };
        let database = AsnDatabase::open(&path).unwrap();
        let all = database.0.networks(Default::default()).unwrap().map(|found| found.unwrap().network().unwrap().ip());
        let mut v4 = 0;
        for address in all {
            let found = database.find(address).unwrap();
            assert!(found.number > 0 && found.to_string().starts_with("AS"));
            if let IpAddr::V4(address) = address {
                assert_eq!(database.find(address.to_ipv6_mapped().into()), Some(found));
                v4 += 1;
            }
        }
        assert!(v4 > 10, "{v4}");
        assert_eq!(database.find("192.0.2.1".parse().unwrap()), None);
    }

    #[test]
    fn a_broken_or_foreign_file_is_refused_with_its_name() {
        for name in [
            "GeoLite2-City-Test.mmdb",
            "GeoIP2-City-Test-Broken-Double-Format.mmdb",
            "MaxMind-DB-test-broken-pointers-24.mmdb",
            "MaxMind-DB-test-broken-search-tree-24.mmdb",
            "ORIGIN.txt",
        ] {
            let Some(path) = shared(name) else { continue };
            let why = AsnDatabase::open(&path).unwrap_err();
            assert!(why.contains(name), "{why}");
        }
        assert!(AsnDatabase::open(Path::new("no/such.mmdb")).unwrap_err().contains("can't be read"));
    }

    #[test]
    fn no_damage_to_a_good_file_gets_past_or_panics() {
        let Some(path) = shared("GeoLite2-ASN-Test.mmdb") else { return };
        let good = std::fs::read(path).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("asn.mmdb");
        for n in 0..300usize {
            let mut bytes = good.clone();
            let at = n.wrapping_mul(7_919) % bytes.len();
            bytes[at] ^= 0x55;
            if n % 3 == 0 {
                bytes.truncate(at);
            }
            std::fs::write(&file, &bytes).unwrap();
            if let Ok(database) = AsnDatabase::open(&file) {
                for last in 0..64u8 {
                    let _ = database.find(IpAddr::from([last.wrapping_mul(37), last, 1, 1]));
                }
            }
        }
    }
}
