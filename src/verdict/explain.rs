//! What would become of a client right now, without charging it: for `weir why`.
