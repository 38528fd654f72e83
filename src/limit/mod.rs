//! Layer 2: how much each client may do.
