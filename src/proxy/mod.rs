//! Layer 3, data plane: from a connection to a verdict, and from a verdict to a reply or the origin.

mod body;
mod challenge;
mod connection;
mod context;
mod crowd;
mod edge;
mod facts;
mod forward;
pub mod gate;
mod http2;
mod listener;
pub mod memory;
mod offences;
mod pace;
mod port;
mod record;
mod reply;
mod reply_cache;
mod service;
mod stream;
mod tls;
mod transport;
mod worker;

pub use edge::Edge;
pub use listener::{Bound, bind};
pub use reply::Replies;
pub use tls::CertificateStore;
pub use worker::{Workers, start};
