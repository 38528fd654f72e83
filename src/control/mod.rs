//! Layer 3, control plane: everything slow, off the request's path.

pub mod health;
pub mod resolve;
pub mod drain;
pub mod recent;
pub mod status;
