//! Layer 3, data plane: from a connection to a verdict, and from a verdict to a reply or the origin.
