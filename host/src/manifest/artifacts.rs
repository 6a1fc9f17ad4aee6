//! Where models and components come from: a path, or the registry.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::references::StoreOptions;
use super::settings;
use super::units::text;
use super::{Manifest, Stage};
use crate::models::{Model, ModelError};
use crate::registry::supply::Supply;
use crate::registry::{Cause, Reference, RegistryError};

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

/// What the registry has supplied. Kept with the manifest, but not part of it.
#[derive(Clone, Default)]
pub(super) struct Shared(pub(super) Option<Arc<Supply>>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

impl PartialEq for Shared {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Manifest {
    /// The same manifest, with the registry's files cached below this folder.
    #[must_use]
    pub fn with_cache(mut self, cache: Option<PathBuf>) -> Self {
        self.supply = Shared(self.registry.as_ref().map(|registry| {
            let (options, missing) = settings::resolve(registry.options.settings(), self.folder());
            let missing = missing.into_iter().next();
            let refusal = missing.map(|(name, why)| format!("[registry] options.{name}: {why}"));
            Arc::new(Supply::new(&registry.location, options, self.folder(), cache, refusal))
        }));
        self
    }

    /// What the pipeline gets from its registry; `None` without a registry.
    pub fn supply(&self) -> Option<&Arc<Supply>> {
        self.supply.0.as_ref()
    }

    fn supply_for(&self, reference: &Reference) -> Result<&Supply, RegistryError> {
        self.supply().map(|supply| &**supply).ok_or_else(|| RegistryError {
            registry: "none".to_owned(),
            subject: reference.to_string(),
            reason: "the manifest has no [registry]; add one with its location".to_owned(),
            cause: Cause::Refused,
        })
    }

    /// Opens a model of `[models]`, by the pipeline's name for it. A model of the registry is
    /// the version that the reference resolves to now, with the registry's name and number.
    ///
    /// # Errors
    /// If there is none, it cannot be fetched, or its folder is invalid.
    pub fn open_model(&self, name: &str) -> Result<Model, ModelError> {
        match self.models.get(name) {
            Some(ArtifactSource::Registry(reference)) => {
                Ok(self.supply_for(reference)?.model(reference)?)
            }
            Some(ArtifactSource::Path(folder)) => Model::open(&self.resolve(folder)),
            // Stages name only existing models; that was checked when the file was read.
            None => Model::open(&self.resolve(Path::new(name))),
        }
    }

    /// The file of a stage's component, as this process can open it. A component of the registry
    /// is fetched.
    ///
    /// # Errors
    /// If it cannot be fetched.
    pub fn component(&self, stage: &Stage) -> Result<PathBuf, RegistryError> {
        match &stage.component {
            ArtifactSource::Path(path) => Ok(self.resolve(path)),
            ArtifactSource::Registry(reference) => self.supply_for(reference)?.component(reference),
        }
    }
}
