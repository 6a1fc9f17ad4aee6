//! Model folders: a model's file beside `model.toml`, which says what it is and
//! what its digest must be.

mod digest;

use std::fmt;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use digest::Digest;

use crate::manifest::document::{Document, Place};
use crate::manifest::name_problem;

/// The file that makes a folder a model folder.
const DESCRIPTION: &str = "model.toml";
/// Bytes of a model's file that are accepted: what is read into memory at once.
pub const SIZE_LIMIT: u64 = 1 << 30;

/// What sort of file a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A model that H2O exported for scoring elsewhere, a zip file.
    H2oMojo,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::H2oMojo => "h2o-mojo",
        })
    }
}

/// A model folder, as its `model.toml` has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Model {
    /// The model's name: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Its version, from 1.
    pub version: u32,
    /// What sort of file it is.
    pub kind: Kind,
    /// The file's name, in this folder.
    pub file: String,
    /// The file's digest.
    pub sha256: Digest,
    /// The file's size in bytes.
    pub size: u64,
    /// The licence of the model, an SPDX expression where there is one.
    pub licence: String,
    /// What the model predicts, from what.
    pub description: String,
    /// How the model came to be; for people.
    #[serde(default)]
    pub provenance: toml::Table,
    /// The folder.
    #[serde(skip)]
    folder: PathBuf,
}

/// Why a folder or its file is not a model that can be used.
#[derive(Debug, Error)]
pub enum ModelError {
    /// The description cannot be read.
    #[error("{path}: {cause}; a model is a folder with a {DESCRIPTION} in it", path = path.display())]
    Description {
        /// The path of `model.toml`.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The description says something that is not allowed; a line for each problem.
    #[error("{0}")]
    Invalid(#[from] crate::manifest::Problems),
    /// The model's file is not there, or is not a file in the folder.
    #[error("{path}: {reason}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// The file is not the one that the description is of.
    #[error("{path}: the {what} of {file} is {found}, but {DESCRIPTION} says {expected}; the file was changed or its download broke off: get it again, or correct {DESCRIPTION}", path = path.display())]
    Mismatch {
        /// The path of `model.toml`.
        path: PathBuf,
        /// The model's file.
        file: String,
        /// `size` or `sha256`.
        what: &'static str,
        /// What the file has.
        found: String,
        /// What it should have.
        expected: String,
    },
}

impl Model {
    /// Opens a model folder: reads and checks `model.toml`, and that its file is
    /// there with the right size. The digest is checked when it is read.
    ///
    /// # Errors
    /// Where something of that is missing or wrong.
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        let path = folder.join(DESCRIPTION);
        let text = std::fs::read_to_string(&path)
            .map_err(|cause| ModelError::Description { path: path.clone(), cause })?;
        let document = Document::new(&path, &text)?;
        let mut model: Model = document.read()?;
        model.validate(&document)?;
        model.folder = folder.to_owned();
        let size = model.locate()?.1;
        model.same("size", size, model.size)?;
        Ok(model)
    }

    fn validate(&self, document: &Document<'_>) -> Result<(), ModelError> {
        let mut problems = Vec::new();
        let mut report = |key: &str, message: String| {
            problems.push(document.problem(&Place::of(key), message));
        };
        if let Some(problem) = name_problem(&self.name) {
            report("name", problem);
        }
        if self.version == 0 {
            report("version", "versions count from 1".to_owned());
        }
        if !is_plain(&self.file) {
            let message = format!(
                "'{}' is not the name of a file in the folder itself; put the file there",
                self.file
            );
            report("file", message);
        }
        if self.size == 0 || self.size > SIZE_LIMIT {
            report("size", format!("{} bytes; a model has 1 to {SIZE_LIMIT}", self.size));
        }
        if problems.is_empty() { Ok(()) } else { Err(document.problems(problems).into()) }
    }

    /// The model's name and version, as in `flights-gbm@1`.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// The model's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads the model's file and checks its size and digest.
    ///
    /// # Errors
    /// Where it cannot be read, or is not the file that `model.toml` is of.
    pub fn read(&self) -> Result<Arc<[u8]>, ModelError> {
        let (path, size) = self.locate()?;
        self.same("size", size, self.size)?;
        let mut bytes = Vec::with_capacity(self.size as usize);
        // It may have grown since: one byte more is enough to notice.
        let read = std::fs::File::open(&path)
            .and_then(|file| file.take(self.size + 1).read_to_end(&mut bytes));
        read.map_err(|error| ModelError::File { path, reason: error.to_string() })?;
        self.same("size", bytes.len() as u64, self.size)?;
        self.same("sha256", Digest::of(&bytes), self.sha256)?;
        Ok(bytes.into())
    }

    /// The file's real path and size. A symbolic link may not lead out of the folder.
    fn locate(&self) -> Result<(PathBuf, u64), ModelError> {
        let path = self.folder.join(&self.file);
        let error = |reason: String| ModelError::File { path: path.clone(), reason };
        let absent = |cause: std::io::Error| {
            error(format!(
                "{cause}; {DESCRIPTION} names this file: put it there, or correct 'file'"
            ))
        };
        let real = path.canonicalize().map_err(absent)?;
        let folder = self.folder.canonicalize().map_err(absent)?;
        if !real.starts_with(folder) {
            return Err(error(
                "this leads out of the model's folder; put the file itself there".into(),
            ));
        }
        let about = std::fs::metadata(&real).map_err(absent)?;
        if !about.is_file() {
            return Err(error("this is not a file; a model is a single one".into()));
        }
        Ok((real, about.len()))
    }

    fn same<T: PartialEq + fmt::Display>(
        &self,
        what: &'static str,
        found: T,
        expected: T,
    ) -> Result<(), ModelError> {
        if found == expected {
            return Ok(());
        }
        Err(ModelError::Mismatch {
            path: self.folder.join(DESCRIPTION),
            file: self.file.clone(),
            what,
            found: found.to_string(),
            expected: expected.to_string(),
        })
    }
}

/// Whether a name stays in its folder, on every system.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name)
        && !name.contains(['/', '\\', ':', '\0'])
}

#[cfg(test)]
mod tests;
