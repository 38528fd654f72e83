//! weir, an edge filter for services on AWS.
//!
//! The life of a request:
//!
//! ```text
//! listener ─► gate: request head ─► facts ─► client key ─► decide(&Policy, &State, &Facts, now) ─► Verdict
//!                                                           ├─ refuse ─► prebuilt reply, same connection
//!                                                           └─ admit ──► Pingora session ─► origin
//!                              every Verdict and response ─► event queue ─► control plane
//! ```
//!
//! Layers, lowest first: `base`; `config`, `event`; the pure core `client`, `access`, `limit`, `origin`, `ban`,
//! `flood`, `verdict`; the data plane `proxy` beside the control plane `control`, `sink`, `admin`, `simulate`, `report`,
//! `demo`; `app` and `cli` on top. A module uses lower layers only; `verdict` alone joins its siblings; the two planes
//! never meet but in data. `tests/tidy.rs` holds this.

pub mod access;
pub mod admin;
pub mod app;
pub mod ban;
pub mod base;
pub mod cli;
pub mod client;
pub mod config;
pub mod control;
pub mod demo;
pub mod event;
pub mod flood;
pub mod limit;
pub mod origin;
pub mod proxy;
pub mod report;
pub mod simulate;
pub mod sink;
pub mod verdict;
