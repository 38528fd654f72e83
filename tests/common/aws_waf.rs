//! Sets in a real moto server, made and looked at by a hand that is not weir's.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::emulator::Emulator;
use std::collections::BTreeSet;

/// One IP set.
pub struct IpSet<'a> {
    moto: &'a Emulator,
    name: String,
    id: String,
}

impl<'a> IpSet<'a> {
    /// Makes an empty one.
    pub fn create(moto: &'a Emulator, name: &str, ipv4: bool) -> Self {
        let family = if ipv4 { "IPV4" } else { "IPV6" };
        let body = serde_json::json!({
            "Name": name, "Scope": "REGIONAL", "IPAddressVersion": family, "Addresses": [], "Description": "by Terraform",
        });
        let answer = moto.call("wafv2", "AWSWAF_20190729.CreateIPSet", &body);
        let id = answer["Summary"]["Id"].as_str().unwrap().to_owned();
        Self { moto, name: name.to_owned(), id }
    }

    fn get(&self) -> serde_json::Value {
        let body = serde_json::json!({"Name": self.name, "Scope": "REGIONAL", "Id": self.id});
        self.moto.call("wafv2", "AWSWAF_20190729.GetIPSet", &body)
    }

    /// What it holds.
    pub fn entries(&self) -> BTreeSet<String> {
        let answer = self.get();
        let all = answer["IPSet"]["Addresses"].as_array().unwrap();
        all.iter().map(|entry| entry.as_str().unwrap().to_owned()).collect()
    }

    /// What people wrote about it.
    pub fn description(&self) -> String {
        self.get()["IPSet"]["Description"].as_str().unwrap_or_default().to_owned()
    }

    /// Adds an entry, as another writer does.
    pub fn add(&self, entry: &str) {
        let answer = self.get();
        let mut all: Vec<serde_json::Value> = answer["IPSet"]["Addresses"].as_array().unwrap().clone();
        all.push(entry.into());
        let body = serde_json::json!({
            "Name": self.name, "Scope": "REGIONAL", "Id": self.id, "Addresses": all,
            "LockToken": answer["LockToken"], "Description": answer["IPSet"]["Description"],
        });
        self.moto.call("wafv2", "AWSWAF_20190729.UpdateIPSet", &body);
    }
}
