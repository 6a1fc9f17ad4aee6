//! Adding a version: first its files, then the description that makes it one.

use bytes::Bytes;

use super::draft::Draft;
use super::error::{Cause, RegistryError};
use super::version::{File, Origin, Version, check_files};
use crate::format::FORMAT;
use crate::keys;
use crate::registry::Registry;
use crate::time::now;
use sandbar_model::{SIZE_LIMIT, Sha256};

/// How often another number is tried if other versions are added concurrently.
const ATTEMPTS: usize = 100;

/// The result of adding a draft.
#[derive(Debug)]
pub struct Added {
    /// The version that has its files.
    pub version: Version,
    /// Whether it is new. It is not if a version has these files already.
    pub new: bool,
}

impl Registry {
    /// Adds a version under the next number of its name. If a version has the same
    /// files already, that one is returned, unless `again`.
    ///
    /// # Errors
    /// If a file cannot be read or stored. What was stored by then is not part of
    /// anything, and [`Registry::gc`] removes it.
    pub fn add(&self, draft: Draft, again: bool) -> Result<Added, RegistryError> {
        let Draft { kind, name, model, operator, files, notes } = draft;
        let subject = format!("{kind} {name}");
        let refuse = |reason: String| self.refuse(&subject, Cause::Refused, reason);
        let mut version = Version {
            format: FORMAT,
            name,
            version: 0,
            model,
            operator,
            added: Origin { by: notes.by, at: now(), source: notes.source.unwrap_or_default() },
            metrics: notes.metrics,
            files: Vec::new(),
        };
        for (path, file) in &files {
            let wrong = |error: std::io::Error| refuse(format!("{}: {error}", file.display()));
            let bytes = Bytes::from(sandbar_files::read(file, SIZE_LIMIT).map_err(wrong)?);
            let sha256 = Sha256::of(&bytes);
            version.files.push(File { path: path.clone(), sha256, size: bytes.len() as u64 });
            // Even if it exists: it may be corrupt, or so old that it is about to be collected.
            let put = self.objects.put(&keys::blob(&sha256), bytes);
            put.map_err(|trouble| self.error(&subject, trouble))?;
        }
        check_files(kind, &version.files).map_err(refuse)?;
        let numbers = self.numbers(kind, &version.name)?;
        if !again {
            for known in numbers.iter().rev().filter(|it| !it.removed) {
                let known = self.version(kind, &version.name, known.number)?;
                if known.content() == version.content() {
                    return Ok(Added { version: known, new: false });
                }
            }
        }
        let mut number = numbers.last().map_or(0, |last| last.number);
        for _ in 0..ATTEMPTS {
            number =
                number.checked_add(1).ok_or_else(|| refuse("no version number is left".into()))?;
            version.version = number;
            let key = keys::version(kind, &version.name, number);
            if self.claim(&key, &subject, &version)? {
                return Ok(Added { version, new: true });
            }
        }
        let reason = "other versions are added concurrently; try again";
        Err(self.refuse(&subject, Cause::Conflict, reason))
    }
}
