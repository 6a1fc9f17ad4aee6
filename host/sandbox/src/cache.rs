//! Compiled components on disk, so that a start does not compile what an earlier
//! one did.
//!
//! A compiled component is native code that runs with the rights of this process.
//! It is loaded only from a folder that belongs to this user and that nobody else
//! can write to, and it is never accepted from anywhere else.

use std::hash::{Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use wasmtime::Engine;
use wasmtime::component::Component;

use sandbar_model::Sha256;

/// A folder of compiled components, by digest of the component and by the
/// version and settings of the compiler.
#[derive(Clone)]
pub struct Cache {
    folder: Arc<Path>,
    compiler: u64,
}

/// Where the compiled form of a component comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// It was compiled before.
    Cache,
    /// It was compiled now.
    Compiler,
}

/// The default folder: `sandbar/components` in the
/// user's cache folder. `None` if the environment names neither.
pub fn default_folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let base = match set("XDG_CACHE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(set("HOME")?).join(".cache"),
    };
    Some(base.join("sandbar").join("components"))
}

impl Cache {
    /// The cache in `folder`, which is created if needed. If the folder cannot be
    /// trusted or written, the event says why and there is no cache.
    pub(super) fn open(folder: PathBuf, engine: &Engine) -> Option<Self> {
        if let Err(reason) = prepare(&folder) {
            tracing::warn!(path = %folder.display(), error = %reason, "compiled components are not cached, every start compiles them");
            return None;
        }
        let mut hasher = std::hash::DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Some(Cache { folder: folder.into(), compiler: hasher.finish() })
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.folder.to_path_buf()
    }

    /// Whether the compiled form of a component is in the folder, by its digest.
    pub(super) fn holds(&self, digest: &Sha256) -> bool {
        self.path(digest).exists()
    }

    fn path(&self, digest: &Sha256) -> PathBuf {
        self.folder.join(format!("{digest}-{:016x}.cwasm", self.compiler))
    }

    /// The compiled form of a component, if it is in the folder.
    pub(super) fn get(&self, engine: &Engine, digest: &Sha256) -> Option<Component> {
        let path = self.path(digest);
        if !path.exists() {
            return None;
        }
        // SAFETY: the file was written by `put`: `prepare` made sure that the folder belongs to
        // this user and that only this user can write to it, and files appear in it whole, by a
        // rename.
        match unsafe { Component::deserialize_file(engine, &path) } {
            Ok(component) => Some(component),
            Err(reason) => {
                tracing::warn!(path = %path.display(), error = %reason, "cached component unusable, compiling it again");
                None
            }
        }
    }

    /// Puts the compiled form of a component there.
    pub(super) fn put(&self, digest: &Sha256, compiled: &[u8]) {
        let path = self.path(digest);
        if let Err(reason) = write_whole(&path, compiled) {
            tracing::warn!(path = %path.display(), error = %reason, "cannot cache a compiled component, the next start compiles it again");
        }
    }
}

/// Makes the folder, and says why it must not be used.
pub fn prepare(folder: &Path) -> Result<(), String> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| format!("cannot create the folder: {error}"))?;
    let about = std::fs::metadata(folder).map_err(|error| error.to_string())?;
    if about.uid() != rustix::process::geteuid().as_raw() {
        return Err("the folder belongs to another user".into());
    }
    if about.mode() & 0o022 != 0 {
        return Err("others can write to the folder: chmod go-w it".into());
    }
    Ok(())
}

/// Writes a file so that others see the whole of it or none.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let part = path.with_extension(format!(
        "{}-{:?}.part",
        std::process::id(),
        std::thread::current().id()
    ));
    let write = || {
        let mut file = std::fs::File::create(&part)?;
        file.write_all(bytes)?;
        // Not before it is on the disk: a torn file would be native code too.
        file.sync_all()?;
        std::fs::rename(&part, path)
    };
    write().inspect_err(|_| drop(std::fs::remove_file(&part)))
}
