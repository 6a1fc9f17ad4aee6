//! Compiled components on disk, so that a start does not compile what an earlier
//! one did.
//!
//! A compiled component is native code that runs with the rights of this process. It is
//! used only if a process of this user put it there for this very component
//! ([`Store`]), and it is never accepted from anywhere else.

use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use wasmtime::Engine;
use wasmtime::component::Component;

use sandbar_files::{Store, limits};
use sandbar_model::Sha256;

/// A folder of compiled components, by digest of the component and by the
/// version and settings of the compiler.
#[derive(Debug, Clone)]
pub struct Cache {
    store: Arc<Store>,
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
    pub fn open(folder: PathBuf, engine: &Engine) -> Option<Self> {
        let store = match Store::open(&folder) {
            Ok(store) => store,
            Err(reason) => {
                tracing::warn!(path = %folder.display(), error = %reason, "compiled components are not cached, every start compiles them");
                return None;
            }
        };
        let mut hasher = std::hash::DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Some(Cache { store: Arc::new(store), compiler: hasher.finish() })
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.store.path().to_path_buf()
    }

    /// Whether there is an entry for the component with this digest.
    pub fn holds(&self, digest: &Sha256) -> bool {
        self.store.holds(&self.name(digest))
    }

    fn name(&self, digest: &Sha256) -> String {
        format!("{digest}-{:016x}.cwasm", self.compiler)
    }

    /// The component whose file has this digest, if a process of this user has put its
    /// compiled form there. `engine` is that of [`Cache::open`], or one with its settings.
    pub fn get(&self, engine: &Engine, digest: &Sha256) -> Option<Component> {
        let name = self.name(digest);
        #[cfg(target_os = "linux")]
        if let Some(component) = self.map(engine, &name) {
            return Some(component);
        }
        let compiled = self.store.get(&name, limits::COMPILED)?;
        // SAFETY: `put` is called with what wasmtime's compiler made, and the store gives
        // back only what this user's processes put under this name, from memory that
        // nobody else can write.
        match unsafe { Component::deserialize(engine, &compiled) } {
            Ok(component) => Some(component),
            Err(reason) => {
                tracing::warn!(path = %self.store.path().join(name).display(), error = %reason, "cached component unusable, compiling it again");
                None
            }
        }
    }

    /// The same without another copy: the engine maps what the store has copied. Where that
    /// cannot be, there is always the other way.
    #[cfg(target_os = "linux")]
    fn map(&self, engine: &Engine, name: &str) -> Option<Component> {
        use std::os::fd::AsRawFd;

        let file = self.store.get_sealed(name, limits::COMPILED)?;
        // The engine has no function that takes an open file of a component.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        // SAFETY: as in `get`, and nobody can change the file: it is sealed.
        unsafe { Component::deserialize_file(engine, path) }.ok()
    }

    /// Keeps the compiled form of the component with this digest. It must come from the
    /// compiler of wasmtime with the engine's settings, in this process or in one that it
    /// started for that and trusts as itself: it will be run as native code. A failure only
    /// means that the next start compiles again; an event says so, and the result is `false`.
    pub fn put(&self, digest: &Sha256, compiled: &[u8]) -> bool {
        let name = self.name(digest);
        let kept = self.store.put(&name, compiled);
        if let Err(reason) = &kept {
            tracing::warn!(path = %self.store.path().join(name).display(), error = %reason, "cannot cache a compiled component, the next start compiles it again");
        }
        kept.is_ok()
    }

    /// Keeps something small beside them under `key`, any text, for [`Cache::recall`]. A
    /// failure means that it is not recalled; an event says so.
    pub fn remember(&self, key: &str, value: &[u8]) {
        if let Err(reason) = self.store.remember(&self.note(key), value) {
            tracing::warn!(path = %self.store.path().display(), error = %reason, "cannot cache what was prepared, the next start prepares it again");
        }
    }

    /// What a process of this user last had remembered under `key`, with the same version
    /// and settings of the compiler.
    pub fn recall(&self, key: &str) -> Option<Vec<u8>> {
        self.store.recall(&self.note(key))
    }

    fn note(&self, key: &str) -> String {
        format!("{:016x} {key}", self.compiler)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    /// An empty component, told from others by a section that says nothing.
    fn component(content: u8) -> Vec<u8> {
        let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
        wasm.extend([0, 3, 1, b'x', content]);
        wasm
    }

    #[test]
    fn only_what_was_compiled_here_for_this_component_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::default();
        let cache = Cache::open(folder.path().join("cache"), &engine).unwrap();
        let (one, other) = (component(1), component(2));
        // As a component is loaded: from the cache, or else compiled and put there.
        let origin = |wasm: &[u8]| {
            let digest = Sha256::of(wasm);
            if cache.get(&engine, &digest).is_some() {
                return Origin::Cache;
            }
            cache.put(&digest, &engine.precompile_component(wasm).unwrap());
            Origin::Compiler
        };
        let path = |wasm: &[u8]| cache.folder().join(cache.name(&Sha256::of(wasm)));

        assert_eq!(origin(&one), Origin::Compiler);
        assert_eq!(origin(&one), Origin::Cache);
        assert!(cache.get(&engine, &Sha256::of(&other)).is_none());

        // The compiled form of another component: valid code, but not this one's.
        assert_eq!(origin(&other), Origin::Compiler);
        std::fs::copy(path(&other), path(&one)).unwrap();
        assert_eq!(origin(&one), Origin::Compiler);
        assert_eq!(origin(&one), Origin::Cache);

        // What wasmtime itself would take, put there by who does not have the key.
        let compiled = engine.precompile_component(&one).unwrap();
        std::fs::write(path(&one), &compiled).unwrap();
        assert_eq!(origin(&one), Origin::Compiler);

        // And what this user put there, but is no code.
        cache.put(&Sha256::of(&one), b"no code");
        assert_eq!(origin(&one), Origin::Compiler);
        assert_eq!(origin(&one), Origin::Cache);
    }

    #[test]
    fn notes_are_kept_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::default();
        let cache = Cache::open(folder.path().join("cache"), &engine).unwrap();
        let long = "key/../".repeat(1000);
        assert_eq!(cache.recall(&long), None);
        cache.remember(&long, b"value");
        assert_eq!(cache.recall(&long).as_deref(), Some(&b"value"[..]));
        cache.remember("large", &vec![0; (limits::NOTE + 1) as usize]);
        assert_eq!(cache.recall("large"), None);
        // What was found with another compiler says nothing.
        let other = Cache { compiler: cache.compiler ^ 1, ..cache.clone() };
        assert_eq!(other.recall(&long), None);
    }
}
