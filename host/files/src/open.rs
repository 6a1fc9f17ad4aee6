//! Opening and reading what others may have put there.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};

/// Opening never waits (a pipe without a writer), never makes a terminal that of this
/// process, and is not passed on to children.
pub(crate) const QUIET: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// Opens a regular file. Symbolic links are followed: what people name may be one, as are
/// the files of Kubernetes' volumes.
///
/// # Errors
/// Those of the system, and if it is anything else: a folder, a device, a pipe, a socket.
pub fn open(path: &Path) -> io::Result<File> {
    // Asked before it is opened, since opening a device may do something; and asked again of
    // what was opened, which may be something else by now.
    regular(&rustix::fs::statat(CWD, path, AtFlags::empty())?)?;
    let file = rustix::fs::openat(CWD, path, QUIET, Mode::empty())?;
    regular(&rustix::fs::fstat(&file)?)?;
    Ok(file.into())
}

/// Opens a regular file beneath `folder` that only this user can have written, with no
/// symbolic link on the way: for folders that the runner itself has filled. Whether the
/// folder is to be trusted is asked before ([`own`](crate::own)).
///
/// # Errors
/// As [`open`], if `path` leads out of the folder or over a link, and if the file is
/// somebody else's or others can write it.
pub fn open_own(folder: &Path, path: &Path) -> io::Result<File> {
    let refuse = |reason: String| io::Error::new(ErrorKind::PermissionDenied, reason);
    let mut names = path.components().peekable();
    let mut at = rustix::fs::openat(CWD, folder, QUIET | OFlags::DIRECTORY, Mode::empty())?;
    while let Some(name) = names.next() {
        let Component::Normal(name) = name else {
            return Err(refuse("the path leads out of its folder".into()));
        };
        let kind = if names.peek().is_some() { OFlags::DIRECTORY } else { OFlags::empty() };
        at = rustix::fs::openat(&at, name, QUIET | OFlags::NOFOLLOW | kind, Mode::empty())
            .map_err(|error| link(error.into()))?;
        let about = rustix::fs::fstat(&at)?;
        if about.st_uid != rustix::process::geteuid().as_raw() {
            return Err(refuse(format!("it belongs to user {}", about.st_uid)));
        }
        if about.st_mode & 0o022 != 0 {
            let mode = about.st_mode & 0o7777;
            return Err(refuse(format!("others can write it: mode {mode:04o}")));
        }
    }
    regular(&rustix::fs::fstat(&at)?)?;
    Ok(at.into())
}

/// Opens a file to read and write it, made if needed, in a folder that may be from outside:
/// what is downloaded, before it has its name. A symbolic link there would have it written
/// elsewhere, and is refused.
///
/// # Errors
/// Those of the system, and if it is no regular file.
pub fn open_part(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW;
    let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(CWD, path, flags, Mode::from_raw_mode(0o666))
        .map_err(|error| link(error.into()))?;
    regular(&rustix::fs::fstat(&file)?)?;
    Ok(file.into())
}

/// Opens what may be a stream as well: a regular file, a pipe or a terminal, waited for. For
/// what a person gives on the command line (`run --file`), where `/dev/stdin` and
/// `<(command)` are meant; the reader takes it line by line, and the person can end it.
///
/// # Errors
/// Those of the system, and for folders, block devices, sockets, and character devices that
/// are no terminal (`/dev/zero` has no end).
pub fn open_input(path: &Path) -> io::Result<File> {
    let check = |about: &Stat| match FileType::from_raw_mode(about.st_mode) {
        FileType::RegularFile | FileType::Fifo => Ok(()),
        // Whether it is a terminal is asked of what was opened.
        FileType::CharacterDevice => Ok(()),
        other => Err(refused(other)),
    };
    check(&rustix::fs::statat(CWD, path, AtFlags::empty())?)?;
    // Waits for the writer of a pipe, as `cat` does.
    let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file: File = rustix::fs::openat(CWD, path, flags, Mode::empty())?.into();
    let about = rustix::fs::fstat(&file)?;
    check(&about)?;
    let device = FileType::from_raw_mode(about.st_mode) == FileType::CharacterDevice;
    if device && !io::IsTerminal::is_terminal(&file) && !is_null(&about) {
        return Err(refused(FileType::CharacterDevice));
    }
    Ok(file)
}

/// Whether it is `/dev/null`, which ends at once: what is on standard input of a service.
fn is_null(about: &Stat) -> bool {
    rustix::fs::stat("/dev/null").is_ok_and(|null| null.st_rdev == about.st_rdev)
}

/// All of a regular file, if that is at most `most` bytes.
///
/// # Errors
/// As [`open`], and if it is larger, or becomes so while it is read.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    bounded(open(path)?, most)
}

/// The same as text.
///
/// # Errors
/// As [`read`], and if it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    text(read(path, most)?)
}

pub(crate) fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        io::Error::new(
            ErrorKind::InvalidData,
            format!("not UTF-8: byte {at} belongs to no character"),
        )
    })
}

/// A reader of exactly `size` bytes of `file`: if there are fewer, or more by now, reading
/// its end fails.
pub fn exact(file: File, size: u64) -> impl Read {
    Exact { file, left: size }
}

struct Exact {
    file: File,
    left: u64,
}

impl Read for Exact {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            return match self.file.read(&mut [0])? {
                0 => Ok(0),
                _ => {
                    Err(io::Error::new(ErrorKind::InvalidData, "it has grown since it was opened"))
                }
            };
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        match self.file.read(&mut buffer[..most])? {
            0 => Err(io::Error::new(ErrorKind::UnexpectedEof, "it is shorter than expected")),
            read => {
                self.left -= read as u64;
                Ok(read)
            }
        }
    }
}

/// All that an open file has, if that is at most `most` bytes.
pub(crate) fn bounded(file: File, most: u64) -> io::Result<Vec<u8>> {
    let size = file.metadata()?.len();
    if size > most {
        return Err(too_large(most));
    }
    let mut bytes = Vec::new();
    // The size is a hint: files of /proc say 0, and one may grow. One byte more than allowed
    // is enough to notice.
    bytes
        .try_reserve_exact(size as usize + 1)
        .map_err(|_| io::Error::from(ErrorKind::OutOfMemory))?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| {
        match error.kind() {
            // As some files of /proc do which wait for news.
            ErrorKind::WouldBlock => {
                io::Error::new(ErrorKind::InvalidInput, "it gives nothing now: not a file at rest")
            }
            _ => error,
        }
    })?;
    if bytes.len() as u64 > most {
        return Err(too_large(most));
    }
    Ok(bytes)
}

pub(crate) fn regular(about: &Stat) -> io::Result<()> {
    match FileType::from_raw_mode(about.st_mode) {
        FileType::RegularFile => Ok(()),
        other => Err(refused(other)),
    }
}

fn refused(kind: FileType) -> io::Error {
    let what = match kind {
        FileType::Directory => "a folder",
        FileType::Fifo => "a named pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Symlink => "a symbolic link",
        _ => "something else",
    };
    let kind = match kind {
        FileType::Directory => ErrorKind::IsADirectory,
        _ => ErrorKind::InvalidInput,
    };
    io::Error::new(kind, format!("{what}, not a regular file; name a file here"))
}

/// With `O_NOFOLLOW` a link is "too many levels of symbolic links".
fn link(error: io::Error) -> io::Error {
    match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::LOOP) => refused(FileType::Symlink),
        _ => error,
    }
}

fn too_large(most: u64) -> io::Error {
    io::Error::new(
        ErrorKind::FileTooLarge,
        format!("more than {most} bytes; at most that many are read"),
    )
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
