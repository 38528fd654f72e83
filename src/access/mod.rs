//! Layer 2: what is let in or kept out before any counting.
