//! Which country a network is in, by a database in MaxMind's format: for the eyes of operators only.

use super::mmdb;
use maxminddb::{Reader, geoip2};
use std::fmt;
use std::net::IpAddr;
use std::path::Path;

/// A database of countries.
pub struct CountryDatabase(Reader<Vec<u8>>);

impl CountryDatabase {
    /// Reads and verifies the database at `path`; one of cities names countries too.
    ///
    /// # Errors
    /// Where it can't be read, is broken, or is about something else.
    pub fn open(path: &Path) -> Result<Self, String> {
        mmdb::open(path, &["COUNTRY", "CITY"], "one of countries such as GeoLite2-Country").map(Self)
    }

    /// The country's two letters (ISO 3166-1), where the database knows it.
    pub fn find(&self, address: IpAddr) -> Option<String> {
        let record: geoip2::Country<'_> = self.0.lookup(address.to_canonical()).ok()?.decode().ok()??;
        record.country.iso_code.map(str::to_owned)
    }
}

impl fmt::Debug for CountryDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountryDatabase").field("type", &self.0.metadata().database_type).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::mmdb::shared;

    #[test]
    fn countries_are_found() {
        for name in ["GeoLite2-Country-Test.mmdb", "GeoLite2-City-Test.mmdb"] {
            let Some(path) = shared(name) else { return };
            let database = CountryDatabase::open(&path).unwrap();
            let all = database.0.networks(Default::default()).unwrap().map(|n| n.unwrap().network().unwrap().ip());
            let found = all.filter_map(|address| database.find(address)).inspect(|c| assert_eq!(c.len(), 2, "{c}"));
            assert!(found.count() > 100);
            assert_eq!(database.find("192.0.2.1".parse().unwrap()), None);
        }
    }

    #[test]
    fn a_foreign_file_is_refused_with_its_name() {
        let Some(path) = shared("GeoLite2-ASN-Test.mmdb") else { return };
        let why = CountryDatabase::open(&path).unwrap_err();
        assert!(why.contains("GeoLite2-ASN-Test.mmdb") && why.contains("countries"), "{why}");
    }
}
