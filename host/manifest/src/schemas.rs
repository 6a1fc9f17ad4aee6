//! `[schemas]`: where operators get the schemas of records from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

use sandbar_config::units::{duration, optional_text, size};

use crate::admin::Secret;

/// `[schemas]`: a schema registry, and files. Stages whose `grants` have "schemas" may ask for
/// these schemas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SchemasSection {
    /// The servers of a registry with Confluent's API, tried in this order. Default: there is no
    /// registry.
    #[serde(default)]
    pub urls: Vec<String>,
    /// The subjects that operators may ask for by name. None by default.
    #[serde(default)]
    pub subjects: BTreeSet<String>,
    /// The user for basic authentication; needs `password`. None by default.
    #[serde(default, deserialize_with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The user's password, by reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// A bearer token, by reference. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// A file, relative to the manifest's folder, with certificates in PEM that may sign those
    /// of the servers, besides the system's. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Time for one schema with all that it refers to, all attempts together. Default 5 s; at
    /// most a day.
    #[serde(with = "duration", default = "timeout")]
    pub timeout: Duration,
    /// Bytes of a schema at most, with all that it refers to. Default 4 MiB; at most 64 MiB.
    #[serde(with = "size", default = "max_size")]
    pub max_size: ByteSize,
    /// Files with schemas by the names that operators ask for them by: `.avsc`, `.proto` and
    /// `.json`, relative to the manifest's folder. None by default.
    #[serde(default)]
    pub files: BTreeMap<String, PathBuf>,
}

/// The most that `max-size` may be.
pub(crate) const MOST: ByteSize = ByteSize::mib(64);

fn timeout() -> Duration {
    Duration::from_secs(5)
}

fn max_size() -> ByteSize {
    ByteSize::mib(4)
}
