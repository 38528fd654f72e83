//! Ranks: who goes first when the origin can't serve all.

use super::history::Standing;
use crate::base::units::Share;

/// A client's rank; the lower, the earlier it is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Rank {
    /// Good answers at several times, long before.
    Credited = 0,
    /// A good answer before.
    Seen = 1,
    /// Passed a challenge.
    Proven = 2,
    /// Its /24 (IPv6: /56) was seen.
    Net24 = 3,
    /// Its /16 (IPv6: /48) was seen.
    Net16 = 4,
    /// Nothing is known of it.
    Unknown = 5,
}

impl Rank {
    /// How many there are.
    pub const COUNT: usize = 6;
    /// All, from the first.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Credited, Self::Seen, Self::Proven, Self::Net24, Self::Net16, Self::Unknown];

    /// What of the line before the origin is kept for lower ranks.
    pub const fn reserve(self) -> Share {
        Share([0, 1_000, 2_500, 3_500, 5_000, 6_500][self as usize])
    }

    /// What it means, for people.
    pub const fn meaning(self) -> &'static str {
        [
            "good answers at several times, long before",
            "a good answer before",
            "passed a challenge",
            "its /24 (IPv6: /56) was seen",
            "its /16 (IPv6: /48) was seen",
            "nothing is known of it",
        ][self as usize]
    }

    /// One word for people and logs.
    pub const fn name(self) -> &'static str {
        ["credited", "seen", "proven", "net24", "net16", "unknown"][self as usize]
    }
}

impl From<Standing> for Rank {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Credited => Self::Credited,
            Standing::Seen => Self::Seen,
            Standing::Net24 => Self::Net24,
            Standing::Net16 => Self::Net16,
            Standing::Unknown => Self::Unknown,
        }
    }
}
