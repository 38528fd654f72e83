//! The challenge.

/// What a client's cookie says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// There is none.
    #[default]
    None,
    /// There is one that weir did not make for this client, or made too long ago.
    Forged,
    /// The client passed a challenge.
    Valid {
        /// Tells the browsers behind one address apart.
        id: u32,
        /// 1: keeps cookies; 2: has worked.
        strength: u8,
    },
}
