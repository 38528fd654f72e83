//! Layer 4: the commands.
