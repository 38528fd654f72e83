//! Layer 3, control plane: what operators see and do.
