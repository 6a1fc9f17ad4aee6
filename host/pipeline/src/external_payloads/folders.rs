//! References to files: read beneath the allowed folders and nowhere else.
//!
//! The system resolves a path inside of an open folder (cap-std), component by
//! component where it cannot do so at once: what a symbolic link or `..` would lead out
//! is refused while it is being opened, not before, so no race gets past it.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};

use super::target::Refusal;

/// Bytes that are read between two looks at the clock.
const PIECE: u64 = 1 << 20;

/// A folder whose files may be referred to.
#[derive(Debug)]
pub(super) struct Folder {
    /// As the manifest has it, from the root.
    path: PathBuf,
    /// Without symbolic links.
    real: PathBuf,
}

impl Folder {
    /// A folder that exists now.
    pub(super) fn find(path: &Path) -> Result<Self, String> {
        let error = |cause: std::io::Error| format!("{}: {cause}", path.display());
        let real = path.canonicalize().map_err(error)?;
        if !real.is_dir() {
            return Err(format!("{}: not a folder", path.display()));
        }
        Ok(Folder { path: std::path::absolute(path).map_err(error)?, real })
    }

    /// `path` relative to this folder; `None` for an absolute one that
    /// lies elsewhere.
    fn inside<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        if path.is_relative() {
            return Some(path);
        }
        path.strip_prefix(&self.path).or_else(|_| path.strip_prefix(&self.real)).ok()
    }

    fn read(&self, path: &Path, limit: u64, end: Instant) -> Result<Vec<u8>, Refusal> {
        let refusal = |error: std::io::Error| refusal(&error);
        // Opened anew each time: a folder that was replaced or mounted again is found.
        let folder = Dir::open_ambient_dir(&self.path, ambient_authority()).map_err(|error| {
            Refusal::unavailable(format!("the folder {}: {error}", self.path.display()))
        })?;
        // Asked before it is opened, since opening a device may do something; and asked
        // again of what was opened.
        check(&folder.metadata(path).map_err(refusal)?, limit)?;
        let mut options = OpenOptions::new();
        // Opening a pipe without a writer would block.
        options.read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32);
        let file = folder.open_with(path, &options).map_err(refusal)?;
        let about = file.metadata().map_err(refusal)?;
        check(&about, limit)?;
        let mut bytes = Vec::with_capacity(about.len() as usize);
        loop {
            // It may grow while it is read: one byte more than allowed is enough to notice.
            let most = PIECE.min(limit + 1 - bytes.len() as u64);
            let read = (&file).take(most).read_to_end(&mut bytes).map_err(refusal)?;
            if bytes.len() as u64 > limit {
                return Err(Refusal::too_large(bytes.len() as u64, limit));
            }
            if read == 0 {
                return Ok(bytes);
            }
            if Instant::now() > end {
                return Err(Refusal::unavailable("timeout: the file was not read in time".into()));
            }
        }
    }
}

/// Reads the file that `path` names in the first of the folders that has it.
pub(super) fn read(
    folders: &[Folder],
    path: &Path,
    limit: u64,
    end: Instant,
) -> Result<Vec<u8>, Refusal> {
    let mut missing = None;
    for folder in folders {
        let Some(path) = folder.inside(path) else { continue };
        match folder.read(path, limit, end) {
            Err(refusal) if refusal.is_missing() => missing = Some(refusal),
            result => return result,
        }
    }
    Err(missing.unwrap_or_else(|| {
        Refusal::invalid(if folders.is_empty() {
            "the reference is a path, but [references] allow names no folder".into()
        } else {
            "the path lies in none of the folders that [references] allow names".into()
        })
    }))
}

fn check(about: &cap_std::fs::Metadata, limit: u64) -> Result<(), Refusal> {
    if !about.is_file() {
        return Err(Refusal::invalid("not a regular file".into()));
    }
    if about.len() > limit {
        return Err(Refusal::too_large(about.len(), limit));
    }
    Ok(())
}

fn refusal(error: &std::io::Error) -> Refusal {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Refusal::missing("no such file".into()),
        // Without an error number of the system it is cap-std that refuses.
        ErrorKind::PermissionDenied if error.raw_os_error().is_none() => {
            Refusal::invalid("the path leads out of the allowed folder".into())
        }
        ErrorKind::InvalidInput | ErrorKind::InvalidFilename => {
            Refusal::invalid(format!("the path cannot be opened: {error}"))
        }
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            Refusal::invalid("the path has a symbolic link loop".into())
        }
        _ => Refusal::unavailable(format!("the file cannot be read: {error}")),
    }
}
