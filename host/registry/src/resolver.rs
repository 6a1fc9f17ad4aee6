//! The artifact resolver of a pipeline, which also works while the registry is unreachable.
//!
//! Every resolved version is cached with its files: the version, and what the alias
//! pointed to. If the registry is unreachable, the pipeline starts with those.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::aliases::AliasChange;
use super::error::{Cause, RegistryError};
use super::leases::{Lease, Used};
use super::location::Location;
use super::pins::Pin;
use super::reference::{Reference, Target};
use super::version::{ArtifactKind, Version};
use crate::fetch;
use crate::registry::Registry;
use crate::time::time;
use sandbar_files::Store;
use sandbar_model::{FileDigests, Model};

/// Fetches versions from one registry into the cache of this machine. The registry is opened
/// on first use.
pub struct ArtifactResolver {
    location: String,
    options: BTreeMap<String, String>,
    base: PathBuf,
    cache: Option<PathBuf>,
    /// Why the registry cannot be used at all.
    refusal: Option<String>,
    registry: Mutex<Option<Arc<Registry>>>,
    /// What the registry has answered, in the cache; `None` within: that cannot be trusted.
    answers: OnceLock<Option<Arc<Store>>>,
    used: Mutex<BTreeSet<Used>>,
    /// The versions fetched so far, by folder and by name and number.
    got: Mutex<Vec<(ArtifactKind, ResolvedArtifact)>>,
}

/// A version whose files are on this machine.
#[derive(Debug, Clone)]
pub struct ResolvedArtifact {
    /// The version.
    pub version: Version,
    /// The folder with its files, which must not be changed.
    pub folder: PathBuf,
}

impl ResolvedArtifact {
    /// Its files and their digests.
    pub fn files(&self) -> FileDigests {
        let path = |path: &str| sandbar_model::absolute(&self.folder.join(path));
        self.version.files.iter().map(|file| (path(&file.path), file.sha256)).collect()
    }

    /// The file of the component, if it is one's version.
    pub fn component(&self) -> PathBuf {
        // A version of an operator has one file; that was checked when it was read.
        let file = self.version.files.first().map(|file| &file.path);
        self.folder.join(file.map_or("", String::as_str))
    }
}

impl ArtifactResolver {
    /// For the registry at `location`, as in [`Registry::open`], and the cache
    /// folder. With a `refusal` nothing is fetched, and that is the reason.
    pub fn new(
        location: &str,
        options: BTreeMap<String, String>,
        base: &Path,
        cache: Option<PathBuf>,
        refusal: Option<String>,
    ) -> Self {
        ArtifactResolver {
            location: location.to_owned(),
            options,
            base: base.to_owned(),
            cache,
            refusal,
            registry: Mutex::default(),
            answers: OnceLock::new(),
            used: Mutex::default(),
            got: Mutex::default(),
        }
    }

    /// The registry, opened on first use, and again if that failed.
    ///
    /// # Errors
    /// As [`Registry::open`].
    pub fn registry(&self) -> Result<Arc<Registry>, RegistryError> {
        if let Some(reason) = &self.refusal {
            return Err(self.refuse(String::new(), Cause::Refused, reason.clone()));
        }
        let mut open = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(registry) = &*open {
            return Ok(registry.clone());
        }
        let registry = Arc::new(Registry::open(&self.location, &self.options, &self.base)?);
        *open = Some(registry.clone());
        Ok(registry)
    }

    fn refuse(&self, subject: String, cause: Cause, reason: String) -> RegistryError {
        RegistryError { registry: self.location.clone(), subject, reason, cause }
    }

    /// The model that a reference resolves to now, ready to be loaded. It has the registry's
    /// name and number, not those of its `model.toml`.
    ///
    /// # Errors
    /// As [`ArtifactResolver::get`], and if the folder is not a model folder.
    pub fn model(&self, reference: &Reference) -> Result<Model, RegistryError> {
        let supplied = self.get(ArtifactKind::Model, reference)?;
        let mut model = Model::open(&supplied.folder).map_err(|error| {
            self.refuse(supplied.version.id(), Cause::Corrupt, error.to_string())
        })?;
        model.name.clone_from(&supplied.version.name);
        model.version = supplied.version.version;
        Ok(model)
    }

    /// The file of the component that a reference resolves to now.
    ///
    /// # Errors
    /// As [`ArtifactResolver::get`].
    pub fn component(&self, reference: &Reference) -> Result<PathBuf, RegistryError> {
        Ok(self.get(ArtifactKind::Operator, reference)?.component())
    }

    /// The version that a reference resolves to now, with its files. If the registry is
    /// unreachable, it is the cached one, if its files are on this machine.
    ///
    /// # Errors
    /// If it is not available, or there is no cache folder.
    pub fn get(
        &self,
        kind: ArtifactKind,
        reference: &Reference,
    ) -> Result<ResolvedArtifact, RegistryError> {
        let Some(cache) = &self.cache else {
            let reason = "no cache folder for it; name one with --cache";
            return Err(self.refuse(reference.to_string(), Cause::Refused, reason.to_owned()));
        };
        let store = self.answers.get_or_init(|| {
            let open = Store::open(cache).map(Arc::new);
            open.inspect_err(|error| cannot_remember(cache, error)).ok()
        });
        let known = RememberedVersions::of(store.clone(), &self.location, &self.base);
        let supplied = match self.ask(kind, reference, &known) {
            Ok(version) => {
                let folder = self.registry()?.fetch(&version, cache);
                folder.map(|folder| ResolvedArtifact { version, folder })
            }
            Err(error) => Err(error),
        };
        let supplied = match supplied {
            Err(error) if error.cause == Cause::Unreachable => {
                let Some(supplied) = known.recall(kind, reference, cache) else {
                    return Err(error);
                };
                tracing::warn!(
                    reference = %reference, version = %supplied.version.id(), %error,
                    "registry unreachable, using the cached version"
                );
                supplied
            }
            other => other?,
        };
        let used = Used { kind, name: reference.name.clone(), version: supplied.version.version };
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(used);
        self.note(kind, &supplied);
        Ok(supplied)
    }

    fn note(&self, kind: ArtifactKind, supplied: &ResolvedArtifact) {
        let mut got = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        got.retain(|(of, it)| *of != kind || it.version.id() != supplied.version.id());
        got.push((kind, supplied.clone()));
    }

    /// The last fetched version that `matches`.
    pub(super) fn got(
        &self,
        kind: ArtifactKind,
        matches: impl Fn(&ResolvedArtifact) -> bool,
    ) -> Option<ResolvedArtifact> {
        let got = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        got.iter().rev().find(|(of, it)| *of == kind && matches(it)).map(|(_, it)| it.clone())
    }

    /// Fetches exactly what is pinned: the version, and the files with its digest.
    ///
    /// # Errors
    /// As [`ArtifactResolver::get`], and if the registry has other files under that number.
    pub fn pinned(&self, kind: ArtifactKind, pin: &Pin) -> Result<ResolvedArtifact, RegistryError> {
        let supplied = self.get(kind, &pin.version)?;
        if supplied.version.content() == pin.sha256 {
            return Ok(supplied);
        }
        let reason = format!(
            "its files (sha256 {}) differ from the requested ones ({}); let all \
             machines use the same registry",
            supplied.version.content(),
            pin.sha256
        );
        Err(self.refuse(pin.version.to_string(), Cause::Corrupt, reason))
    }

    fn ask(
        &self,
        kind: ArtifactKind,
        reference: &Reference,
        known: &RememberedVersions,
    ) -> Result<Version, RegistryError> {
        let registry = self.registry()?;
        let name = &reference.name;
        let version = match &reference.target {
            Target::Version(_) => registry.resolve(kind, reference)?,
            Target::Alias(alias) => {
                let change = registry.alias(kind, name, alias)?;
                let change = change.ok_or_else(|| registry.no_alias(kind, name, alias))?;
                known.remember(&known.alias(kind, name, alias), &change);
                tracing::info!(
                    %reference, version = format!("{name}@{}", change.version),
                    by = change.by, at = time(change.at),
                    "alias resolved, this version is used"
                );
                let target = Target::Version(change.version);
                registry.resolve(kind, &Reference { name: name.clone(), target })?
            }
        };
        known.remember(&known.version(kind, name, version.version), &version);
        Ok(version)
    }

    /// The versions fetched so far.
    pub fn used(&self) -> BTreeSet<Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes a lease on the versions fetched so far, while the pipeline runs. `None`
    /// if there are none, or the registry is unreachable.
    pub fn lease(&self, pipeline: &str) -> Option<Lease> {
        let used = self.used();
        let registry = self.registry().ok().filter(|_| !used.is_empty())?;
        Some(Lease::hold(registry, pipeline, used))
    }
}

/// The answers of a registry, remembered where only this user can put them.
struct RememberedVersions {
    store: Option<Arc<Store>>,
    /// The registry.
    place: String,
}

impl RememberedVersions {
    fn of(store: Option<Arc<Store>>, location: &str, base: &Path) -> Self {
        let place = Location::parse(location, &absolute(base));
        let place = place.map_or_else(|_| location.to_owned(), |place| place.to_string());
        let place = absolute(Path::new(&place)).to_string_lossy().into_owned();
        RememberedVersions { store, place }
    }

    fn version(&self, kind: ArtifactKind, name: &str, number: u32) -> String {
        format!("registry {} {} {name} version {number}", self.place, kind.folder())
    }

    fn alias(&self, kind: ArtifactKind, name: &str, alias: &str) -> String {
        format!("registry {} {} {name} alias {alias}", self.place, kind.folder())
    }

    /// A failure only means that the next start may need the registry.
    fn remember<T: Serialize>(&self, key: &str, value: &T) {
        let Some(store) = &self.store else { return };
        let kept = serde_json::to_vec(value).map_err(io::Error::from);
        if let Err(error) = kept.and_then(|value| store.remember(key, &value)) {
            cannot_remember(store.path(), &error);
        }
    }

    fn recall(
        &self,
        kind: ArtifactKind,
        reference: &Reference,
        cache: &Path,
    ) -> Option<ResolvedArtifact> {
        let name = &reference.name;
        let number = match &reference.target {
            Target::Version(number) => *number,
            Target::Alias(alias) => {
                self.read::<AliasChange>(&self.alias(kind, name, alias))?.version
            }
        };
        let version: Version = self.read(&self.version(kind, name, number))?;
        version.check(kind, name, number).ok()?;
        let folder = fetch::place(cache, &version);
        fetch::verify(&version, &folder).ok()?;
        Some(ResolvedArtifact { version, folder })
    }

    fn read<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_slice(&self.store.as_ref()?.recall(key)?).ok()
    }
}

fn cannot_remember(path: &Path, error: &dyn Display) {
    tracing::warn!(path = %path.display(), %error, "cannot cache the registry's answer, the next start may need the registry");
}

/// The absolute path, without `..`, whether it exists or not.
fn absolute(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    whole
}
