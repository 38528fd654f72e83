//! What weir asks of AWS WAF, and how that can go wrong.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A set as it was at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Every entry, byte for byte as it was given.
    pub addresses: Vec<String>,
    /// Proves to an update that nothing happened since.
    pub token: String,
    /// What people wrote about the set, to be kept.
    pub description: Option<String>,
    /// Whether its family is IPv4.
    pub ipv4: bool,
}

/// Which set is meant.
#[derive(Clone, Copy, Debug)]
pub struct SetRef<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its id.
    pub id: &'a str,
}

/// How a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The token is not the set's any more: somebody else wrote.
    Locked,
    /// Too many calls.
    Throttled,
    /// There is no such set.
    Missing,
    /// weir may not do this.
    Denied,
    /// The set, or the account, is full.
    Limits,
    /// AWS does not take what was sent.
    Invalid,
    /// No answer, or a broken one: an update may have been applied, or may be yet.
    Unreachable,
    /// The records could not be written, so nothing was sent.
    Records,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Locked,
        Self::Throttled,
        Self::Missing,
        Self::Denied,
        Self::Limits,
        Self::Invalid,
        Self::Unreachable,
        Self::Records,
    ];

    /// The word for it in metrics and logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Throttled => "throttled",
            Self::Missing => "missing",
            Self::Denied => "denied",
            Self::Limits => "limits",
            Self::Invalid => "invalid",
            Self::Unreachable => "unreachable",
            Self::Records => "records",
        }
    }
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", .kind.code())]
pub struct ApiError {
    /// How.
    pub kind: Kind,
    /// In AWS's words.
    pub message: String,
}

impl ApiError {
    /// An error of this kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// The sets of one scope. Every call is one attempt: whoever calls paces and repeats.
#[async_trait]
pub trait Sets: Send + Sync {
    /// The ids of those of `names` that exist.
    async fn ids(&self, names: &[String]) -> Result<BTreeMap<String, String>, ApiError>;

    /// What a set holds.
    async fn get(&self, set: SetRef<'_>) -> Result<Content, ApiError>;

    /// Replaces all that the set holds, if `content.token` is still its token. Gives the next token.
    async fn update(&self, set: SetRef<'_>, content: &Content) -> Result<String, ApiError>;
}
