//! Layer 2: who the client is.

pub mod address;
pub mod cloudfront;
pub mod forwarded;
pub mod key;
pub mod proxy_protocol;
pub mod shared_key;
