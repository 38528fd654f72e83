//! Layer 3: the built-in demo service, an origin with a capacity it really has.
