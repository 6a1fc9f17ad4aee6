//! What is to be prepared: a pipeline whose files are all on this machine.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sandbar_manifest::{Admin, Grant, Properties};
use sandbar_model::{ApprovedFiles, DESCRIPTION, FileDigests, Sha256, absolute};
use sandbar_registry::ArtifactSource;
use sandbar_sandbox::Sandbox;
use sandbar_schemas::Schemas;

use super::error::PreparationError;
use super::form::Request;
use crate::definition::Definition;

/// A pipeline that is to be prepared, with files in place of what a registry has: an alias means
/// one version for the child and for the process that serves.
pub(crate) struct Subject {
    /// The whole of it, for the process that serves.
    pub(super) definition: Definition,
    known_as: BTreeMap<String, (String, u32)>,
    /// The folders of the models.
    folders: BTreeMap<String, PathBuf>,
    /// The files of the registry.
    pub(super) expected: FileDigests,
    /// The part of the manifest that a child needs.
    manifest: String,
}

impl Subject {
    /// # Errors
    /// If a registry does not supply what the pipeline names, or a schema's file cannot be read.
    pub(crate) fn of(definition: &Definition) -> Result<Self, PreparationError> {
        if let Err(reason) = definition.schemas() {
            return Err(PreparationError::Refused(reason.to_owned()));
        }
        let mut manifest = definition.manifest.clone();
        let mut known_as = BTreeMap::new();
        let mut folders = BTreeMap::new();
        let mut expected = FileDigests::new();
        for (name, source) in &mut manifest.models {
            let place = definition.locate_model(name).map_err(|error| PreparationError::Model {
                name: name.clone(),
                error: Box::new(error),
            })?;
            known_as.extend(place.known_as.map(|known| (name.clone(), known)));
            folders.insert(name.clone(), absolute(&place.path));
            expected.extend(place.files);
            *source = in_place(source, place.path);
        }
        for (stage, to) in definition.manifest.stages.iter().zip(&mut manifest.stages) {
            let place = definition.locate_component(stage).map_err(|error| {
                PreparationError::Component { stage: stage.name.clone(), error: Box::new(error) }
            })?;
            expected.extend(place.files);
            to.component = in_place(&to.component, place.path);
        }
        let definition = definition.with(manifest);
        let manifest = for_a_child(&definition);
        Ok(Subject { definition, known_as, folders, expected, manifest })
    }

    /// The pipeline, of files that are `approved`.
    pub(crate) fn approved(&self, approved: ApprovedFiles) -> Definition {
        let manifest = self.definition.manifest.clone();
        let schemas = self.definition.schemas().ok().flatten().cloned();
        Definition::of_files(manifest, self.known_as.clone(), approved, schemas)
    }

    /// The folder of a model.
    pub(crate) fn folder(&self, model: &str) -> Option<&Path> {
        self.folders.get(model).map(PathBuf::as_path)
    }

    /// What tells it from all that could be prepared with another result, but for the content of
    /// files: the manifest, and this program. The compiler, whose settings are the processor's
    /// too, is told from others by the cache.
    pub(super) fn key(&self) -> Option<String> {
        // The file that runs, also when its path leads to another by now.
        let program = match cfg!(target_os = "linux") {
            true => PathBuf::from("/proc/self/exe"),
            false => std::env::current_exe().ok()?,
        };
        let about = std::fs::metadata(program).ok()?;
        let program = [
            about.dev(),
            about.ino(),
            about.size(),
            about.mtime() as u64,
            about.mtime_nsec() as u64,
        ];
        let version = env!("CARGO_PKG_VERSION");
        let schemas = self.schemas().map(|schemas| schemas.files());
        let parts = (version, program, self.definition.manifest.path(), &self.known_as, schemas);
        let parts = serde_json::to_string(&parts).ok()?;
        let digest = Sha256::of(format!("{parts}\n{}", self.manifest).as_bytes());
        Some(format!("prepared {digest}"))
    }

    /// The schemas, if an operator may ask for them, or predictions are written by one of them.
    fn schemas(&self) -> Option<&Arc<Schemas>> {
        let manifest = &self.definition.manifest;
        let granted = manifest.stages.iter().any(|it| it.grants.contains(&Grant::Schemas));
        (granted || manifest.sink_files().next().is_some()).then_some(())?;
        self.definition.schemas().ok().flatten()
    }

    /// What a child is asked, but for a batch.
    pub(super) fn request(&self, sandbox: &Sandbox) -> Request {
        let limits = &self.definition.manifest.limits;
        let mut readable = Vec::from_iter(sandbox.cache_folder());
        for folder in self.folders.values() {
            // The description may be a link out of the folder, as no other file of it may.
            readable.extend(folder.join(DESCRIPTION).canonicalize());
            readable.push(folder.clone());
        }
        let stages = self.definition.manifest.stages.iter();
        let files = stages.filter_map(|stage| self.definition.component(stage).ok());
        readable.extend(files.map(|file| absolute(&file)));
        let path = self.definition.manifest.path().to_owned();
        let mut request = Request::new(self.manifest.clone(), path);
        request.known_as = self.known_as.clone();
        request.expected = self.expected.clone();
        request.cache = sandbox.cache_folder();
        request.readable = readable;
        request.schemas = self.schemas().map(|schemas| schemas.snapshot());
        request.memory = limits.load_memory().as_u64();
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let cores = u32::try_from(cores).unwrap_or(u32::MAX);
        request.cpu = limits.load_deadline().saturating_mul(cores);
        request
    }
}

/// What the manifest says where that is a path or of this program, else where the registry's files are.
fn in_place(source: &ArtifactSource, path: PathBuf) -> ArtifactSource {
    match source {
        ArtifactSource::Path(path) => ArtifactSource::Path(path.clone()),
        ArtifactSource::Registry(_) => ArtifactSource::Path(absolute(&path)),
        ArtifactSource::Builtin(_) => source.clone(),
    }
}

/// A manifest of files as a child needs it: with absolute paths, without secrets.
fn for_a_child(definition: &Definition) -> String {
    let mut manifest = definition.manifest.clone();
    (manifest.registry, manifest.fleet, manifest.references) = (None, None, None);
    // It is connected to nothing.
    for properties in [
        &mut manifest.kafka.properties,
        &mut manifest.source.properties,
        &mut manifest.sink.properties,
    ] {
        *properties = Properties::default();
    }
    manifest.admin = Admin::default();
    if let Some(schemas) = &mut manifest.schemas {
        (schemas.user, schemas.password, schemas.token, schemas.ca) = (None, None, None, None);
    }
    let resolve = |path: &Path| absolute(&definition.manifest.resolve(path));
    let sources = manifest.models.values_mut();
    for source in sources.chain(manifest.stages.iter_mut().map(|stage| &mut stage.component)) {
        if let ArtifactSource::Path(path) = source {
            *path = resolve(path);
        }
    }
    manifest.print()
}
