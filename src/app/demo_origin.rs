//! The demo service as an origin: started when a config first asks for it, once in a process.

use crate::config::settings::{Origin, OriginAddress};
use crate::demo::{self, Capacity};
use crate::origin::{DEMO_NAME, Pool};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

/// Where the demo service listens, once it does.
#[derive(Default)]
pub(super) struct DemoOrigin(Mutex<Option<SocketAddr>>);

impl DemoOrigin {
    /// Lets the pool find the demo service, where the settings name it.
    pub(super) fn join(&self, settings: &Origin, pool: &Pool) -> anyhow::Result<()> {
        if !settings.addresses.iter().chain(&settings.fallback).any(|a| *a == OriginAddress::Demo) {
            return Ok(());
        }
        let mut started = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = match *started {
            Some(address) => address,
            None => *started.insert(demo::start(Capacity::default())?.addr),
        };
        pool.set_resolved(DEMO_NAME, 0, &[address]);
        Ok(())
    }
}
