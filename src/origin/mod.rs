//! Layer 2: the endpoints of the service behind weir: which there are, which are healthy, which comes next.
