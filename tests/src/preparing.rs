//! `sandbar prepare`, counted, and disturbed before it begins or once it has succeeded.

use std::path::{Path, PathBuf};

use sandbar::confine::Child;
use sandbar::manifest::Manifest;
use sandbar::pipeline::Definition;
use sandbar::sandbox::Sandbox;
use tempfile::TempDir;

use crate::paths::sandbar;

/// A folder with a cache, and with what is done around each preparation.
pub struct Preparing {
    folder: TempDir,
}

impl Preparing {
    /// With an empty cache.
    ///
    /// # Panics
    /// Where there is no room for it.
    pub fn new() -> Self {
        let preparing = Preparing { folder: tempfile::tempdir().unwrap() };
        let sandbar = sandbar().get_program().to_owned();
        let script = format!(
            "cd {}\necho once >> count\nif [ -e before ]; then . ./before; fi\n\
             {} prepare || exit\nif [ -e after ]; then . ./after; fi\nexit 0\n",
            preparing.folder.path().display(),
            sandbar.display(),
        );
        std::fs::write(preparing.path("script"), script).unwrap();
        preparing
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of compiled components, and of what is remembered.
    pub fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    /// A sandbox as another process would have it.
    pub fn sandbox(&self) -> Sandbox {
        let arguments = vec![self.path("script").into_os_string()];
        let child = Child { program: "/bin/sh".into(), arguments };
        Sandbox::new(Some(self.cache())).unwrap().with_child(child)
    }

    /// A manifest's definition, with its registry's cache.
    pub fn definition(&self, manifest: &Path) -> Definition {
        Definition::new(Manifest::load(manifest).unwrap(), Some(self.cache()))
    }

    /// How often something was prepared.
    pub fn count(&self) -> usize {
        std::fs::read_to_string(self.path("count")).unwrap_or_default().lines().count()
    }

    /// Has shell commands done before each preparation from now on.
    pub fn before(&self, commands: &str) {
        std::fs::write(self.path("before"), commands).unwrap();
    }

    /// Has shell commands done when one has succeeded, before that is known.
    pub fn after(&self, commands: &str) {
        std::fs::write(self.path("after"), commands).unwrap();
    }

    /// Has nothing done any more.
    pub fn undisturbed(&self) {
        for name in ["before", "after"] {
            let _ = std::fs::remove_file(self.path(name));
        }
    }
}

impl Default for Preparing {
    fn default() -> Self {
        Preparing::new()
    }
}

/// Copies the files of a folder.
///
/// # Panics
/// Where that is not possible.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
