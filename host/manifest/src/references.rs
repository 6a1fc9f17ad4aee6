//! `[references]`: external payloads, which records name instead of carrying them.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use sandbar_config::settings::{self, Setting, Settings};
use sandbar_config::units::{duration, optional_text, size};

/// `[references]`: where the runner gets external payloads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct References {
    /// Folders, relative to the manifest's, and URL prefixes that references may point to;
    /// at least one.
    pub allow: Vec<String>,
    /// The header whose value is the reference, in the records that have it. Default:
    /// none; the value of every record is one.
    #[serde(default, deserialize_with = "optional_text")]
    pub header: Option<String>,
    /// The largest payload in bytes. Default 32 MiB; at most 1 GiB.
    #[serde(with = "size", default = "max_size")]
    pub max_size: ByteSize,
    /// Time for one reference, all attempts together. Default 5 s; at most a day.
    #[serde(with = "duration", default = "timeout")]
    pub timeout: Duration,
    /// Concurrent fetches of one worker. Default 8.
    #[serde(default = "concurrency")]
    pub concurrency: NonZeroUsize,
    /// Options by URL prefix: of an object store, or the headers of requests. None by
    /// default.
    #[serde(default)]
    pub stores: BTreeMap<String, StoreOptions>,
}

fn max_size() -> ByteSize {
    ByteSize::mib(32)
}

fn timeout() -> Duration {
    Duration::from_secs(5)
}

fn concurrency() -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(7)
}

/// Options of one store by name. Neither its `Debug` form nor what it serialises to
/// shows a value: any of them may be a secret. A reference to a secret may be shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StoreOptions(Settings);

impl StoreOptions {
    /// The options by name.
    pub fn settings(&self) -> &Settings {
        &self.0
    }

    fn shown(&self) -> impl Iterator<Item = (&String, Setting)> {
        self.0.iter().map(|(key, setting)| (key, setting.shown(true)))
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shown()).finish()
    }
}

impl Serialize for StoreOptions {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.shown())
    }
}

impl<'de> Deserialize<'de> for StoreOptions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        settings::deserialize(from).map(StoreOptions)
    }
}
