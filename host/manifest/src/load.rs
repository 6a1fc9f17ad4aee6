//! From a file to a manifest that is known to be valid.

use std::path::Path;

use sandbar_config::Document;
use sandbar_files::limits;

use crate::manifest::{Manifest, ManifestError};
use crate::validate::{locate, validate};

impl Manifest {
    /// Reads and checks the manifest at `path`.
    ///
    /// # Errors
    /// If the file cannot be read, or as in [`Manifest::parse`].
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        let text = sandbar_files::read_text(path, limits::DOCUMENT)
            .map_err(|cause| ManifestError::Read { path: path.to_owned(), cause })?;
        Manifest::parse(&text, path)
    }

    /// Reads and checks a manifest. `path` is where it comes from, for errors and
    /// for the paths in it; the file need not exist.
    ///
    /// # Errors
    /// If the text is not TOML, has a key that is not known, lacks one that is
    /// needed, or a value is not allowed. What is wrong with values is reported
    /// together, once all keys are valid.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ManifestError> {
        let document = Document::new(path, text)?;
        let mut manifest: Manifest = document.read()?;
        manifest.path = path.to_owned();
        manifest.fill();
        validate(&manifest, &document)?;
        locate(&mut manifest.tests, &document);
        Ok(manifest)
    }
}
