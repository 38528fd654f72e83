//! What every sink of the ingress log is to the drain, which hands each story to all of them.

use crate::config::settings::Settings;
use crate::event::story::Story;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A sink of stories. None may wait: what finds no room is counted as lost, and a sink that hangs costs nothing.
pub trait Outlet: Send + Sync {
    /// Takes a story, if it is one for this sink.
    fn take(&self, story: &Story<'_>);

    /// A round of the drain is over.
    fn flush(&self) {}

    /// Other settings are in force.
    fn reload(&self, settings: &Settings) {
        let _ = settings;
    }

    /// How it goes.
    fn status(&self) -> OutletStatus;

    /// Sends what is left and ends; false if that was not done `within` that time.
    fn stop(&self, within: Duration) -> bool {
        let _ = within;
        true
    }
}

/// How a sink goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutletStatus {
    /// Which: `file`, `cloudwatch-logs`, `syslog` or `netflow`.
    pub name: String,
    /// Where to, as `udp://192.0.2.1:514`.
    pub to: String,
    /// Records that were sent.
    pub sent: u64,
    /// Records that were lost.
    pub lost: u64,
    /// Bytes that wait.
    pub waiting_bytes: u64,
    /// What went wrong last, while it does.
    pub failing: Option<String>,
    /// For how long nothing could be sent, while it can't.
    pub failing_for_s: Option<f64>,
}
