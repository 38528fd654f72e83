//! What Aviatrix gateways say of clients: their syslog is heard, and a report may lead to a ban.
//!
//! `header`, `report`, `json` and `frames` read what comes, and are pure; `seen` remembers whose requests there were,
//! `desk` joins both and acts, `listen` holds the sockets.

pub mod frames;
mod header;
mod json;
pub mod report;
