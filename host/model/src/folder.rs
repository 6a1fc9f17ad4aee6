//! The folder of a model: its files are read within their limits, are in it and nowhere else, and
//! are those that were approved.

use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;

use super::approved::ApprovedFiles;
use super::digest::Sha256;
use super::error::ModelError;

/// The description in a model folder.
pub const DESCRIPTION: &str = "model.toml";

/// A model's folder, and which files in it may be used.
#[derive(Debug, Clone, Default)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) approved: ApprovedFiles,
    /// What to do about a file that is not there.
    pub(super) absent: String,
}

impl PartialEq for Folder {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Folder {
    /// The content of a file, and its digest.
    pub(super) fn read(
        &self,
        name: &str,
        limit: u64,
        size: Option<u64>,
    ) -> Result<(Vec<u8>, Sha256), ModelError> {
        let (path, length) = self.locate(name)?;
        self.same(name, "size", &length, size.as_ref())?;
        let bytes = sandbar_files::read(&path, limit).map_err(|error| match error.kind() {
            ErrorKind::FileTooLarge => format!("larger than the limit of {limit} bytes"),
            _ => error.to_string(),
        });
        let bytes = bytes.map_err(|reason| ModelError::File { path, reason })?;
        // It may be another by now.
        self.same(name, "size", &(bytes.len() as u64), size.as_ref())?;
        let digest = Sha256::of(&bytes);
        // By the name that people gave it; what a link leads to is in the same folder.
        let path = self.path.join(name);
        let same = self.approved.check(&path, &digest);
        same.map_err(|reason| ModelError::File { path, reason })?;
        Ok((bytes, digest))
    }

    /// The real path and size of a file in the folder. A symbolic link must not point out
    /// of it.
    pub(super) fn locate(&self, name: &str) -> Result<(PathBuf, u64), ModelError> {
        let path = self.path.join(name);
        let error = |reason: String| ModelError::File { path: path.clone(), reason };
        let absent = |cause: std::io::Error| {
            error(format!("{cause}; {DESCRIPTION} refers to this file: {}", self.absent))
        };
        let real = path.canonicalize().map_err(absent)?;
        let folder = self.path.canonicalize().map_err(absent)?;
        if !real.starts_with(folder) {
            return Err(error(
                "the link points outside the model folder; put the file itself there".into(),
            ));
        }
        let about = std::fs::metadata(&real).map_err(absent)?;
        if !about.is_file() {
            return Err(error("not a regular file; a model is a single file".into()));
        }
        Ok((real, about.len()))
    }

    /// Compares what was found of `file` with what the description expects, if anything.
    pub(super) fn same<T: PartialEq + fmt::Display>(
        &self,
        file: &str,
        what: &'static str,
        found: &T,
        expected: Option<&T>,
    ) -> Result<(), ModelError> {
        match expected {
            Some(expected) if found != expected => Err(ModelError::Mismatch {
                path: self.path.join(DESCRIPTION),
                file: file.to_owned(),
                what,
                found: found.to_string(),
                expected: expected.to_string(),
            }),
            _ => Ok(()),
        }
    }
}
