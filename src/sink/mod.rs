//! Layer 3, control plane: where events and figures go.
