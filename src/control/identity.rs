//! Who this weir is: the name by which its fleet and its logs know it.

use serde::{Deserialize, Serialize};

/// One running weir.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Unique among all that run at once: the id of the ECS task, or host and process, and a random end.
    pub task: String,
    /// The ECS cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The ECS task family with its revision, as `family:revision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The availability zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}
