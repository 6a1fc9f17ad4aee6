//! A manifest, and where the models and components come from that it names.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use sandbar_manifest::{Manifest, Stage};
use sandbar_model::{ApprovedFiles, FileDigests, Model, ModelError};
use sandbar_registry::leases::Lease;
use sandbar_registry::pins::Pins;
use sandbar_registry::resolver::ArtifactResolver;
use sandbar_registry::{ArtifactKind, ArtifactSource, Cause, Reference, RegistryError};
use sandbar_sandbox::{Sandbox, cache};
use sandbar_schemas::Schemas;
use thiserror::Error;

use crate::schemas;

/// A manifest, and its registry if it has one. Cheap to clone but for the manifest.
#[derive(Clone)]
pub struct Definition {
    /// What the pipeline is.
    pub manifest: Manifest,
    supply: Option<Arc<ArtifactResolver>>,
    /// The names and numbers that models have from a registry which is not asked.
    known_as: BTreeMap<String, (String, u32)>,
    /// The files that may be used.
    approved: ApprovedFiles,
    /// The schemas of `[schemas]`, or why they cannot be had.
    schemas: Result<Option<Arc<Schemas>>, String>,
}

/// Where a model or component is, which a registry has supplied if it is from there.
pub(crate) struct Place {
    /// The folder of a model, the file of a component.
    pub(crate) path: PathBuf,
    /// The name and number in the registry.
    pub(crate) known_as: Option<(String, u32)>,
    /// Its files in the registry.
    pub(crate) files: FileDigests,
}

/// Why a model of a manifest cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The registry does not supply it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Its folder is not in order.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl From<Manifest> for Definition {
    /// What a registry supplies is put below the default cache folder.
    fn from(manifest: Manifest) -> Self {
        Definition::new(manifest, cache::default_folder())
    }
}

impl Definition {
    /// A manifest whose registry's files are put below the folder `cache`; without one, nothing
    /// is got from a registry.
    pub fn new(manifest: Manifest, cache: Option<PathBuf>) -> Self {
        let supply = manifest.registry.as_ref().map(|registry| {
            let (options, missing) = manifest.registry_options();
            let missing = missing.into_iter().next();
            let refusal = missing.map(|(name, why)| format!("[registry] options.{name}: {why}"));
            let folder = manifest.folder();
            Arc::new(ArtifactResolver::new(&registry.location, options, folder, cache, refusal))
        });
        Definition {
            schemas: schemas::of(&manifest),
            manifest,
            supply,
            known_as: BTreeMap::new(),
            approved: ApprovedFiles::default(),
        }
    }

    /// A manifest that names files alone, with the names and numbers that a registry has for its
    /// models, the files that may be used, and the schemas that are known.
    pub(crate) fn of_files(
        manifest: Manifest,
        known_as: BTreeMap<String, (String, u32)>,
        approved: ApprovedFiles,
        schemas: Option<Arc<Schemas>>,
    ) -> Self {
        Definition { manifest, supply: None, known_as, approved, schemas: Ok(schemas) }
    }

    /// The same, with the cache folder of a sandbox.
    pub fn cached_as(manifest: Manifest, sandbox: &Sandbox) -> Self {
        Definition::new(manifest, sandbox.cache_folder())
    }

    /// Another manifest, with the same registry. What is known of the schemas is kept if they are
    /// got as before.
    #[must_use]
    pub fn with(&self, manifest: Manifest) -> Self {
        let before = (&self.manifest.schemas, self.manifest.folder());
        let schemas = match before == (&manifest.schemas, manifest.folder()) {
            true => self.schemas.clone(),
            false => schemas::of(&manifest),
        };
        Definition { manifest, schemas, ..self.clone() }
    }

    /// The schemas that operators may ask for, if there are any.
    ///
    /// # Errors
    /// If a file of `[schemas]` cannot be read.
    pub fn schemas(&self) -> Result<Option<&Arc<Schemas>>, &str> {
        self.schemas.as_ref().map(Option::as_ref).map_err(String::as_str)
    }

    /// What the pipeline gets from its registry; `None` if it has none.
    pub fn supply(&self) -> Option<&Arc<ArtifactResolver>> {
        self.supply.as_ref()
    }

    fn supply_for(&self, reference: &Reference) -> Result<&ArtifactResolver, RegistryError> {
        self.supply.as_deref().ok_or_else(|| RegistryError {
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
    /// If there is none, it cannot be fetched, or its folder is not in order.
    pub fn open_model(&self, name: &str) -> Result<Model, OpenError> {
        match self.manifest.models.get(name) {
            Some(ArtifactSource::Registry(reference)) => {
                Ok(self.supply_for(reference)?.model(reference)?)
            }
            Some(ArtifactSource::Path(folder)) => {
                let folder = self.manifest.resolve(folder);
                let mut model = Model::open_approved(&folder, &self.approved)?;
                if let Some((name, version)) = self.known_as.get(name) {
                    model.name.clone_from(name);
                    model.version = *version;
                }
                Ok(model)
            }
            // No model is; that was checked when the file was read.
            Some(source @ ArtifactSource::Builtin(_)) => {
                Ok(Model::open(source.to_string().as_ref())?)
            }
            // Stages name only existing models; that was checked when the file was read.
            None => Ok(Model::open(&self.manifest.resolve(name.as_ref()))?),
        }
    }

    /// The files that may be used.
    pub(crate) fn approved(&self) -> &ApprovedFiles {
        &self.approved
    }

    /// The folder of a model of `[models]`. A model of the registry is fetched.
    ///
    /// # Errors
    /// If it cannot be fetched.
    pub(crate) fn locate_model(&self, name: &str) -> Result<Place, RegistryError> {
        match self.manifest.models.get(name) {
            Some(ArtifactSource::Registry(reference)) => {
                let got = self.supply_for(reference)?.get(ArtifactKind::Model, reference)?;
                let files = got.files();
                let known_as = Some((got.version.name, got.version.version));
                Ok(Place { path: got.folder, known_as, files })
            }
            Some(ArtifactSource::Path(folder)) => Ok(Place::local(self.manifest.resolve(folder))),
            Some(source @ ArtifactSource::Builtin(_)) => {
                Ok(Place::local(source.to_string().into()))
            }
            None => Ok(Place::local(self.manifest.resolve(name.as_ref()))),
        }
    }

    /// The same of a stage's component.
    ///
    /// # Errors
    /// If it cannot be fetched.
    pub(crate) fn locate_component(&self, stage: &Stage) -> Result<Place, RegistryError> {
        match &stage.component {
            ArtifactSource::Path(path) => Ok(Place::local(self.manifest.resolve(path))),
            ArtifactSource::Registry(reference) => {
                let got = self.supply_for(reference)?.get(ArtifactKind::Operator, reference)?;
                let (path, files) = (got.component(), got.files());
                Ok(Place { path, known_as: None, files })
            }
            source @ ArtifactSource::Builtin(_) => Ok(Place::local(source.to_string().into())),
        }
    }

    /// The file of a stage's component, as this process can open it. A component of the registry
    /// is fetched.
    ///
    /// # Errors
    /// If it cannot be fetched.
    pub fn component(&self, stage: &Stage) -> Result<PathBuf, RegistryError> {
        self.locate_component(stage).map(|place| place.path)
    }

    /// Which of its models and components are of the registry, by their digests, once all
    /// were supplied.
    pub fn pins(&self) -> Pins {
        let Some(supply) = &self.supply else { return Pins::default() };
        let stages = self.manifest.stages.iter().map(|stage| (&stage.name, &stage.component));
        Pins::of(supply, self.manifest.models.iter(), stages)
    }

    /// Tells garbage collection, while the pipeline runs, what it uses.
    pub(crate) fn lease(&self) -> Option<Lease> {
        self.supply.as_ref().and_then(|supply| supply.lease(&self.manifest.name))
    }
}

impl Place {
    fn local(path: PathBuf) -> Self {
        Place { path, known_as: None, files: FileDigests::new() }
    }
}
