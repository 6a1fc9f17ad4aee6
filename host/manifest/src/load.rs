//! From a file to a manifest that is known to be valid.

use std::path::Path;

use sandbar_config::Document;
use sandbar_files::limits;

use crate::manifest::{Manifest, ManifestError};
use crate::native::Trust;
use crate::validate::{locate, validate};

impl Manifest {
    /// Reads and checks the manifest at `path`.
    ///
    /// # Errors
    /// If the file cannot be read, or as in [`Manifest::parse`].
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        Manifest::load_trusting(path, Trust::Data)
    }

    /// As [`Manifest::load`], of a manifest that may bring what `trust` says.
    ///
    /// # Errors
    /// As [`Manifest::load`].
    pub fn load_trusting(path: &Path, trust: Trust) -> Result<Self, ManifestError> {
        let text = sandbar_files::read_text(path, limits::DOCUMENT)
            .map_err(|cause| ManifestError::Read { path: path.to_owned(), cause })?;
        Manifest::parse_trusting(&text, path, trust)
    }

    /// Reads and checks a manifest. `path` is where it comes from, for errors and
    /// for the paths in it; the file need not exist.
    ///
    /// # Errors
    /// If the text is not TOML, has a key that is not known, lacks one that is
    /// needed, or a value is not allowed; among those are properties that load code, see
    /// [`Trust`]. What is wrong with values is reported
    /// together, once all keys are valid.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ManifestError> {
        Manifest::parse_trusting(text, path, Trust::Data)
    }

    /// As [`Manifest::parse`], of a manifest that may bring what `trust` says.
    ///
    /// # Errors
    /// As [`Manifest::parse`].
    pub fn parse_trusting(text: &str, path: &Path, trust: Trust) -> Result<Self, ManifestError> {
        let document = Document::new(path, text)?;
        let mut manifest: Manifest = document.read()?;
        manifest.path = path.to_owned();
        manifest.fill();
        validate(&manifest, &document, trust)?;
        locate(&mut manifest.tests, &document);
        Ok(manifest)
    }
}
