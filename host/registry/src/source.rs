//! Where a model or a component comes from: a path, or the registry.

use std::fmt;
use std::path::PathBuf;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::reference::Reference;

/// Where a model or a component is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactSource {
    /// At a path, relative to the manifest's folder.
    Path(PathBuf),
    /// In the registry.
    Registry(Reference),
}

impl From<PathBuf> for ArtifactSource {
    fn from(path: PathBuf) -> Self {
        ArtifactSource::Path(path)
    }
}

impl fmt::Display for ArtifactSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArtifactSource::Path(path) => write!(f, "{}", path.display()),
            ArtifactSource::Registry(reference) => write!(f, "{reference}"),
        }
    }
}

#[derive(Serialize)]
struct InRegistry<'a> {
    registry: &'a Reference,
}

impl Serialize for ArtifactSource {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            ArtifactSource::Path(path) => path.serialize(to),
            ArtifactSource::Registry(reference) => InRegistry { registry: reference }.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for ArtifactSource {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let form = "a path, or { registry = \"NAME@VERSION\" }";
        match toml::Value::deserialize(from)? {
            toml::Value::String(path) => Ok(ArtifactSource::Path(path.into())),
            toml::Value::Table(table) => match (table.len(), table.get("registry")) {
                (1, Some(toml::Value::String(reference))) => {
                    reference.parse().map(ArtifactSource::Registry).map_err(D::Error::custom)
                }
                _ => Err(D::Error::custom(format!("unknown table; write {form}"))),
            },
            value => {
                Err(D::Error::custom(format!("unexpected type {}; write {form}", value.type_str())))
            }
        }
    }
}
