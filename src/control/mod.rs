//! Layer 3, control plane: everything slow, off the request's path.

pub mod drain;
pub mod health;
pub mod recent;
pub mod resolve;
pub mod status;
