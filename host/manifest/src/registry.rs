//! `[registry]`: where models and components come from that name a version of it.

use serde::{Deserialize, Serialize};

use crate::references::StoreOptions;
use sandbar_config::units::text;

/// `[registry]`: the registry whose versions models and components name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RegistrySection {
    /// A folder, relative to the manifest's, or a URL such as `s3://bucket/prefix`.
    #[serde(deserialize_with = "text")]
    pub location: String,
    /// Options of an object store. None by default.
    #[serde(default)]
    pub options: StoreOptions,
}
