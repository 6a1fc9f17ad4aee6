//! Files with secrets.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use rustix::fs::StatVfsMountFlags;

use crate::limits;
use crate::open::{bounded, open, text};

/// Opens a file with a secret.
///
/// What others can write is refused: they would choose the password, the key, whom to trust.
/// What others can read is used with a warning, if it belongs to this user, who can change
/// that: ssh refuses it, but a service that does not start again after an update helps
/// nobody. Whose file it is does not matter, as with ssh, and on what is mounted read-only
/// nothing is warned of: Kubernetes and Docker mount secrets so, as root's and with 0644, and
/// whoever mounts them decides.
///
/// # Errors
/// As [`open`], and if others can write it.
pub fn open_secret(path: &Path) -> io::Result<File> {
    let file = open(path)?;
    let about = rustix::fs::fstat(&file)?;
    let others = about.st_mode & 0o077;
    let fixed = rustix::fs::fstatvfs(&file)
        .is_ok_and(|about| about.f_flag.contains(StatVfsMountFlags::RDONLY));
    if others & 0o022 != 0 && !fixed {
        return Err(io::Error::new(
            ErrorKind::PermissionDenied,
            format!("others can write it (mode {:04o}); chmod 0600 it", about.st_mode & 0o7777),
        ));
    }
    let own = about.st_uid == rustix::process::geteuid().as_raw();
    if others & 0o044 != 0 && own && !fixed {
        tracing::warn!(path = %path.display(), error = format!("mode {:04o}", about.st_mode & 0o7777), "others can read a secret, chmod 0600 its file");
    }
    Ok(file)
}

/// The text of a file with a secret.
///
/// # Errors
/// As [`open_secret`] and [`read_text`](crate::read_text).
pub fn read_secret(path: &Path) -> io::Result<String> {
    text(bounded(open_secret(path)?, limits::SECRET)?)
}
