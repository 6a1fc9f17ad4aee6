//! Which files may be used, by their content, and which were.
//!
//! What one process has looked at is loaded by another, and the files may change in between: so
//! each is compared with its digest when it is read, before anything is made of it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sandbar_files::limits;

use crate::digest::Sha256;

/// Files, by their absolute paths, and the digest of each.
pub type FileDigests = BTreeMap<PathBuf, Sha256>;

/// The files that may be used, and those that were read so far. Cheap to clone; clones are one.
///
/// By default any file may be used, and none is noted.
#[derive(Debug, Clone, Default)]
pub struct ApprovedFiles(Option<Arc<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    known: FileDigests,
    /// Whether there are no others.
    closed: bool,
    read: Mutex<FileDigests>,
}

impl ApprovedFiles {
    /// Any file, but those of `known` with this content, and each with the same whenever it is
    /// read.
    pub fn expecting(known: FileDigests) -> Self {
        ApprovedFiles(Some(Arc::new(Inner { known, ..Inner::default() })))
    }

    /// The files of `known` alone, with this content.
    pub fn only(known: FileDigests) -> Self {
        ApprovedFiles(Some(Arc::new(Inner { known, closed: true, ..Inner::default() })))
    }

    /// Whether the file that was read at `path` may be used: call it before anything is made of
    /// its content, which has this digest.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, path: &Path, found: &Sha256) -> Result<(), String> {
        let Some(Inner { known, closed, read }) = self.0.as_deref() else { return Ok(()) };
        let path = absolute(path);
        match known.get(&path) {
            Some(expected) if expected != found => return Err(changed(expected, found)),
            None if *closed => {
                return Err("it was not there when this was prepared: try again".to_owned());
            }
            _ => {}
        }
        let before = read.lock().unwrap_or_else(PoisonError::into_inner).insert(path, *found);
        match before {
            Some(before) if before != *found => Err(changed(&before, found)),
            _ => Ok(()),
        }
    }

    /// The digest that the file at `path` must have, if that is known.
    pub fn expected(&self, path: &Path) -> Option<Sha256> {
        self.0.as_ref()?.known.get(&absolute(path)).copied()
    }

    /// Reads those of the known files that were not read yet, and compares their content.
    ///
    /// # Errors
    /// The first that cannot be read or has changed, and why.
    pub fn check_rest(&self) -> Result<(), (PathBuf, String)> {
        let read = self.read();
        let known = self.0.iter().flat_map(|inner| &inner.known);
        let rest = known.filter(|(path, _)| !read.contains_key(*path));
        for (path, expected) in rest {
            let open = sandbar_files::open(path);
            // One that is larger by now is another.
            let found = open.and_then(|it| Sha256::of_reader(&mut it.take(limits::MODEL)));
            match found {
                Ok(found) if found == *expected => {}
                Ok(found) => return Err((path.clone(), changed(expected, &found))),
                Err(error) => return Err((path.clone(), error.to_string())),
            }
        }
        Ok(())
    }

    /// What was read so far.
    pub fn read(&self) -> FileDigests {
        let read =
            |inner: &Arc<Inner>| inner.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.0.as_ref().map(read).unwrap_or_default()
    }
}

/// By this a file is known, whatever the working folder of the process that reads it.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn changed(expected: &Sha256, found: &Sha256) -> String {
    format!(
        "it was changed meanwhile: its sha256 is {found}, but it was {expected} when it was looked at; try again when nothing writes to it"
    )
}
