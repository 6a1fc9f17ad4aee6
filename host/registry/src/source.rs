//! Where a model or a component comes from: a path, the registry, or this program.

use std::fmt;
use std::path::PathBuf;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use sandbar_builtin::{SCHEME, of_path};

use crate::reference::Reference;

/// Where a model or a component is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactSource {
    /// At a path, relative to the manifest's folder.
    Path(PathBuf),
    /// In the registry.
    Registry(Reference),
    /// A component that comes with the command, by its name.
    Builtin(String),
}

impl From<PathBuf> for ArtifactSource {
    fn from(path: PathBuf) -> Self {
        match of_path(&path) {
            Some(name) => ArtifactSource::Builtin(name.to_owned()),
            None => ArtifactSource::Path(path),
        }
    }
}

impl fmt::Display for ArtifactSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArtifactSource::Path(path) => write!(f, "{}", path.display()),
            ArtifactSource::Registry(reference) => write!(f, "{reference}"),
            ArtifactSource::Builtin(name) => write!(f, "{SCHEME}{name}"),
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
            ArtifactSource::Builtin(_) => to.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for ArtifactSource {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let form = "a path, \"builtin:NAME\", or { registry = \"NAME@VERSION\" }";
        match toml::Value::deserialize(from)? {
            toml::Value::String(path) => Ok(PathBuf::from(path).into()),
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
