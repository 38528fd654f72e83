//! Layer 3, control plane: everything slow, off the request's path.
