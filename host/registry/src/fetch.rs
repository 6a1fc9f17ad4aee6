//! The files of a version in the local cache: all of them, verified, or none.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::error::{Cause, RegistryError};
use super::version::{ArtifactKind, Version};
use crate::keys;
use crate::registry::Registry;
use sandbar_files::{exact, own};
use sandbar_model::Sha256;

/// An older fetch is considered dead.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);
/// Distinguishes the fetches of one process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The folder for registries' files, below the cache folder.
pub(super) fn folder(cache: &Path) -> PathBuf {
    cache.join("registry")
}

/// The folder of a cached version.
pub(super) fn place(cache: &Path, version: &Version) -> PathBuf {
    folder(cache).join("files").join(version.content().to_string())
}

impl Registry {
    /// The folder with the files of a version, below the cache folder. Missing files are
    /// fetched; existing ones are compared with their digests.
    ///
    /// # Errors
    /// If a file is missing, does not match the version's digest, or cannot be
    /// written. Nothing is left in the cache then.
    pub fn fetch(&self, version: &Version, cache: &Path) -> Result<PathBuf, RegistryError> {
        let subject = version.id();
        let refuse = |reason: String| self.refuse(&subject, Cause::Refused, reason);
        let place = place(cache, version);
        match verify(version, &place) {
            Ok(()) => return Ok(place),
            Err(reason) if place.exists() => {
                tracing::warn!(version = %subject, error = %reason, "cached version is invalid, fetching it again");
                fs::remove_dir_all(&place)
                    .map_err(|error| refuse(format!("{}: {error}", place.display())))?;
            }
            Err(_) => {}
        }
        let files = folder(cache).join("files");
        own(cache).and_then(|_| own(&files)).map_err(|reason| {
            refuse(format!(
                "the cache {}: {reason}; name another folder with --cache",
                cache.display()
            ))
        })?;
        clear(&files);
        let part = files.join(format!(
            ".part-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        ));
        let fetched = self.fetch_all(version, &subject, &part).and_then(|()| {
            match fs::rename(&part, &place) {
                Ok(()) => Ok(()),
                // Fetched concurrently by another process; use its files if they are valid.
                Err(error) => verify(version, &place)
                    .map_err(|_| refuse(format!("{}: {error}", place.display()))),
            }
        });
        if part.exists() {
            let _ = fs::remove_dir_all(&part);
        }
        fetched.map(|()| place)
    }

    fn fetch_all(
        &self,
        version: &Version,
        subject: &str,
        part: &Path,
    ) -> Result<(), RegistryError> {
        for file in &version.files {
            let path = part.join(&file.path);
            let local = |error: io::Error| {
                self.refuse(subject, Cause::Refused, format!("{}: {error}", path.display()))
            };
            let corrupt = |found: String| {
                let reason =
                    format!("its file {} is corrupt: {found}; add the version again", file.path);
                self.refuse(subject, Cause::Corrupt, reason)
            };
            let folder = path.parent().unwrap_or(part);
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(local)?;
            let mut to = OpenOptions::new();
            let to = to.write(true).create_new(true).mode(0o600);
            #[allow(clippy::disallowed_methods, reason = "made here, in a folder made here")]
            let mut to = to.open(&path).map_err(local)?;
            let key = keys::blob(&file.sha256);
            let found = self.objects.download(&key, file.size, &mut to);
            if !found.map_err(|trouble| self.error(subject, trouble))? {
                return Err(self.absent(version, subject, &file.path));
            }
            to.flush().and_then(|()| to.sync_all()).map_err(local)?;
            drop(to);
            compare(part, file).map_err(corrupt)?;
        }
        Ok(())
    }

    fn absent(&self, version: &Version, subject: &str, path: &str) -> RegistryError {
        let kind =
            if version.model.is_some() { ArtifactKind::Model } else { ArtifactKind::Operator };
        // If it was removed on purpose, the error says so.
        if let Err(removed) = self.still_there(kind, &version.name, version.version) {
            return removed;
        }
        let reason = format!("its file {path} is missing; add the version again");
        self.refuse(subject, Cause::Missing, reason)
    }

    /// Compares all files of a version in the registry with their digests.
    ///
    /// # Errors
    /// The first that is missing or wrong.
    pub fn verify(&self, version: &Version) -> Result<(), RegistryError> {
        let subject = version.id();
        for file in &version.files {
            let mut bytes = Vec::new();
            let found = self.objects.download(&keys::blob(&file.sha256), file.size, &mut bytes);
            if !found.map_err(|trouble| self.error(&subject, trouble))? {
                return Err(self.absent(version, &subject, &file.path));
            }
            if Sha256::of(&bytes) != file.sha256 {
                let reason = format!("its file {} does not match its digest", file.path);
                return Err(self.refuse(&subject, Cause::Corrupt, reason));
            }
        }
        Ok(())
    }
}

/// Whether a folder has the files of a version.
pub(super) fn verify(version: &Version, place: &Path) -> Result<(), String> {
    let wrong = |path: &str, reason: String| format!("{path}: {reason}");
    if !place.exists() {
        return Err("not in the cache".into());
    }
    own(place)?;
    version
        .files
        .iter()
        .try_for_each(|file| compare(place, file).map_err(|reason| wrong(&file.path, reason)))
}

fn compare(folder: &Path, file: &super::version::File) -> Result<(), String> {
    let open = sandbar_files::open_own(folder, Path::new(&file.path));
    let open = open.map_err(|error| error.to_string())?;
    let size = open.metadata().map_err(|error| error.to_string())?.len();
    if size != file.size {
        return Err(format!("expected {} bytes, got {size}", file.size));
    }
    let found =
        Sha256::of_reader(&mut exact(open, file.size)).map_err(|error| error.to_string())?;
    if found != file.sha256 {
        return Err(format!("expected sha256 {}, got {found}", file.sha256));
    }
    Ok(())
}

/// Removes the leftovers of killed processes.
fn clear(files: &Path) {
    let Ok(entries) = fs::read_dir(files) else { return };
    for entry in entries.flatten() {
        let is_part = entry.file_name().to_string_lossy().starts_with(".part-");
        let modified = entry.metadata().and_then(|about| about.modified());
        let age = modified.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        if is_part && age.is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
