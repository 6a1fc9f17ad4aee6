//! Folders that nobody else can write to.

use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, Stat};

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);
/// Writable by the group or by all.
const OTHERS: u32 = 0o022;
/// In such a folder only who owns an entry can rename or remove it.
const STICKY: u32 = 0o1000;

/// Makes the folder if needed, and opens it.
///
/// # Errors
/// Why it must not be used: it belongs to somebody else, or others can write to it.
pub fn own(path: &Path) -> Result<OwnedFd, String> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| format!("cannot create the folder: {error}"))?;
    let folder = rustix::fs::openat(CWD, path, OFlags::RDONLY | FOLDER, Mode::empty())
        .map_err(|error| format!("cannot open the folder: {error}"))?;
    let about = about(&folder)?;
    if about.st_uid != rustix::process::geteuid().as_raw() {
        return Err("the folder belongs to another user".into());
    }
    if about.st_mode & OTHERS != 0 {
        return Err("others can write to the folder: chmod go-w it".into());
    }
    Ok(folder)
}

/// The same, and every folder above it is this user's or root's, and others cannot put
/// something else in place of what is below it: sshd asks this of what it trusts
/// (`StrictModes`), except that here others may write to a parent with the sticky bit, as
/// `/tmp` is. The parents are those of the open folder, whatever links led to it.
///
/// # Errors
/// As [`own`], and the parent that cannot be trusted.
pub fn strict(path: &Path) -> Result<OwnedFd, String> {
    let folder = own(path)?;
    let user = rustix::process::geteuid().as_raw();
    let mut child = about(&folder)?;
    let mut at: Option<OwnedFd> = None;
    let mut name = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    loop {
        let parent = match &at {
            Some(at) => rustix::fs::openat(at, "..", OFlags::PATH | FOLDER, Mode::empty()),
            None => rustix::fs::openat(&folder, "..", OFlags::PATH | FOLDER, Mode::empty()),
        };
        let parent = parent.map_err(|error| format!("cannot look at its parents: {error}"))?;
        let about = about(&parent)?;
        // The root is its own parent.
        if (about.st_dev, about.st_ino) == (child.st_dev, child.st_ino) {
            return Ok(folder);
        }
        // For the message only: what is looked at is the open folder's.
        name = name.parent().map_or_else(PathBuf::new, Path::to_owned);
        let shown = name.display();
        if about.st_uid != user && about.st_uid != 0 {
            return Err(format!(
                "its parent {shown} belongs to user {}, who can put another folder there; name a folder of your own",
                about.st_uid
            ));
        }
        if about.st_mode & OTHERS != 0 && about.st_mode & STICKY == 0 {
            return Err(format!(
                "others can write to its parent {shown} (mode {:04o}), and put another folder there: chmod go-w it, or chmod +t it",
                about.st_mode & 0o7777
            ));
        }
        child = about;
        at = Some(parent);
    }
}

fn about(folder: &OwnedFd) -> Result<Stat, String> {
    rustix::fs::fstat(folder).map_err(|error| format!("cannot look at the folder: {error}"))
}
