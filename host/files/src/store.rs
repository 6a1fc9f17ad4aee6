//! A folder of entries that only this user can have made.
//!
//! Each entry is a file: its content, then a MAC (BLAKE3 with a key) over the entry's name and
//! content, with a key that only this user can read: 32 random bytes in the same folder. So
//! an entry is what a process of this user put there under that name, whoever could write
//! to the file or the folder at some time: a copy of another entry, or one with a byte
//! changed, is none.
//!
//! The folder is opened once, and everything in it by its descriptor. The MAC is computed
//! over the bytes that are then used, which are in memory of this process: a file may be
//! changed by whoever opened it when its mode was another. Without the key, or with one that
//! others may have read, there is a new one, and all that was made with the old is made anew.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use blake3::{Hash, Hasher};
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::folder::strict;
use crate::limits;
use crate::open::{QUIET, bounded, regular};

/// The name of the key in the folder.
const KEY: &str = ".key";
/// The end of the name of what is being written.
const PART: &str = ".part";
const KEY_SIZE: usize = blake3::KEY_LEN;
const MAC_SIZE: usize = blake3::OUT_LEN;
/// What the MAC is over, so that a later form is not taken for this one.
const FORM: &[u8] = b"sandbar store 2";
/// Bytes that are read, authenticated and copied at a time: they stay in the processor's cache.
const PIECE: usize = 256 << 10;
/// Older files that are being written belong to a process that was killed.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);
/// How often another process is waited for that makes the key, and how long.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(10);

type Key = [u8; KEY_SIZE];

/// A folder of authenticated entries.
#[derive(Debug)]
pub struct Store {
    folder: OwnedFd,
    path: PathBuf,
}

impl Store {
    /// The store in the folder `path`, which is made if needed.
    ///
    /// # Errors
    /// Why the folder must not be used: see [`strict`].
    pub fn open(path: &Path) -> Result<Self, String> {
        let folder = strict(path)?;
        let store = Store { folder, path: path.to_owned() };
        store.key().map_err(|error| format!("cannot make a key there: {error}"))?;
        store.sweep();
        Ok(store)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is an entry of that name, which may be none that is used.
    pub fn holds(&self, name: &str) -> bool {
        rustix::fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// The content of the entry `name`, if a process of this user put it there. What is not
    /// so is removed, and an event says why.
    pub fn get(&self, name: &str, most: u64) -> Option<Vec<u8>> {
        self.copy(name, most, |size| {
            let mut bytes = Vec::new();
            bytes.try_reserve_exact(size).map_err(|_| io::ErrorKind::OutOfMemory)?;
            Ok(bytes)
        })
    }

    /// The same as a file in memory that nobody can change any more, this process included: to
    /// be mapped. `None` also where the system has no such files.
    #[cfg(target_os = "linux")]
    pub fn get_sealed(&self, name: &str, most: u64) -> Option<File> {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

        let file = self.copy(name, most, |_| {
            let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
            Ok(File::from(memfd_create("sandbar-entry", flags)?))
        })?;
        let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        fcntl_add_seals(&file, seals).ok()?;
        Some(file)
    }

    /// Keeps something small under `key`, any text, for [`Store::recall`].
    ///
    /// # Errors
    /// Those of the system, and if it is larger than [`limits::NOTE`].
    pub fn remember(&self, key: &str, value: &[u8]) -> io::Result<()> {
        match value.len() as u64 {
            size if size > limits::NOTE => Err(io::ErrorKind::FileTooLarge.into()),
            // Nothing to write, and to wait for the disk.
            _ if self.recall(key).as_deref() == Some(value) => Ok(()),
            _ => self.put(&note(key), value),
        }
    }

    /// What a process of this user last had remembered under `key`.
    pub fn recall(&self, key: &str) -> Option<Vec<u8>> {
        self.get(&note(key), limits::NOTE)
    }

    /// Puts an entry there, so that others see the whole of it or none.
    ///
    /// # Errors
    /// Those of the system.
    pub fn put(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let mac = start(&self.key()?, name).update(content).finalize();
        self.write(name, &[content, mac.as_bytes()])
    }

    /// Removes an entry, whatever it is.
    pub fn remove(&self, name: &str) {
        let removed = match rustix::fs::unlinkat(&self.folder, name, AtFlags::empty()) {
            Err(Errno::ISDIR | Errno::PERM) => {
                rustix::fs::unlinkat(&self.folder, name, AtFlags::REMOVEDIR)
            }
            other => other,
        };
        if let Err(error) = removed
            && error != Errno::NOENT
        {
            tracing::warn!(path = %self.path.join(name).display(), %error, "cannot remove it from the cache");
        }
    }

    /// A copy of an entry's content in what `make` gives for its size.
    fn copy<W: Write>(
        &self,
        name: &str,
        most: u64,
        make: impl FnOnce(usize) -> io::Result<W>,
    ) -> Option<W> {
        let path = self.path.join(name);
        match self.authentic(name, most, make) {
            Ok(copy) => copy,
            Err(Unusable::Entry(reason)) => {
                tracing::warn!(path = %path.display(), error = %reason, "cached entry cannot be trusted, it is removed and made anew");
                self.remove(name);
                None
            }
            Err(Unusable::Copy(error)) => {
                tracing::warn!(path = %path.display(), %error, "cached entry cannot be read into memory");
                None
            }
        }
    }

    /// Copies an entry piece by piece, each of which is authenticated as it is copied. What was
    /// copied is given away when all of it is authentic.
    fn authentic<W: Write>(
        &self,
        name: &str,
        most: u64,
        make: impl FnOnce(usize) -> io::Result<W>,
    ) -> Result<Option<W>, Unusable> {
        let wrong = |error: io::Error| Unusable::Entry(error.to_string());
        let Some(mut file) = self.entry(name, 0o022).map_err(Unusable::Entry)? else {
            return Ok(None);
        };
        let size = file.metadata().map_err(wrong)?.len();
        let Some(size) = size.checked_sub(MAC_SIZE as u64) else {
            return Err(Unusable::Entry("it is cut off".into()));
        };
        if size > most {
            return Err(Unusable::Entry(format!(
                "more than {most} bytes; at most that many are read"
            )));
        }
        let key = self.key();
        let key = key.map_err(|error| Unusable::Entry(format!("no key to look at it: {error}")))?;
        let mut mac = start(&key, name);
        let mut left = usize::try_from(size).map_err(|_| Unusable::Entry("too large".into()))?;
        let mut copy = make(left).map_err(Unusable::Copy)?;
        let mut piece = vec![0; PIECE.min(left)];
        while left > 0 {
            let piece = &mut piece[..PIECE.min(left)];
            file.read_exact(piece).map_err(wrong)?;
            mac.update(piece);
            copy.write_all(piece).map_err(Unusable::Copy)?;
            left -= piece.len();
        }
        let mut found = [0; MAC_SIZE];
        file.read_exact(&mut found).map_err(wrong)?;
        // The comparison takes the same time wherever they differ.
        if mac.finalize() != Hash::from_bytes(found) {
            let reason = "it was not made with this folder's key under this name";
            return Err(Unusable::Entry(reason.into()));
        }
        Ok(Some(copy))
    }

    /// A file that only this user can have written; `None` without one.
    fn entry(&self, name: &str, others: u32) -> Result<Option<File>, String> {
        let flags = QUIET | OFlags::NOFOLLOW;
        let file = match rustix::fs::openat(&self.folder, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err("it is a symbolic link".into()),
            Err(error) => return Err(error.to_string()),
        };
        let about = rustix::fs::fstat(&file).map_err(|error| error.to_string())?;
        regular(&about).map_err(|error| error.to_string())?;
        if about.st_uid != rustix::process::geteuid().as_raw() {
            return Err(format!("it belongs to user {}", about.st_uid));
        }
        if about.st_mode & others != 0 {
            return Err(format!("others have access to it: mode {:04o}", about.st_mode & 0o7777));
        }
        // Another name of it may be in a folder of somebody else.
        if about.st_nlink != 1 {
            return Err(format!("it has {} names", about.st_nlink));
        }
        Ok(Some(file.into()))
    }

    /// The key, made now if there is none that only this user has. Read each time: another
    /// process may have had to make a new one.
    fn key(&self) -> io::Result<Key> {
        if let Ok(Some(key)) = self.existing_key() {
            return Ok(key);
        }
        // One process makes it, and the others wait. Where the file system has no locks, the
        // last one's remains, and costs what was made with the others'.
        let lock = self.lock();
        let key = match self.existing_key() {
            Ok(Some(key)) => Ok(key),
            Ok(None) => self.make_key(),
            Err(reason) => {
                tracing::warn!(path = %self.path.join(KEY).display(), error = %reason, "the cache's key cannot be trusted, it is made anew and so is all that it authenticates");
                self.remove(KEY);
                self.make_key()
            }
        };
        drop(lock);
        key
    }

    fn existing_key(&self) -> Result<Option<Key>, String> {
        let Some(file) = self.entry(KEY, 0o077)? else { return Ok(None) };
        let bytes = bounded(file, KEY_SIZE as u64).map_err(|error| error.to_string())?;
        let size = bytes.len();
        let key = bytes.try_into();
        key.map(Some).map_err(|_| format!("expected {KEY_SIZE} bytes, got {size}"))
    }

    fn make_key(&self) -> io::Result<Key> {
        let mut key = [0; KEY_SIZE];
        rand::fill(&mut key);
        self.write(KEY, &[&key])?;
        Ok(key)
    }

    /// Held until it is dropped; `None` if it cannot be had.
    fn lock(&self) -> Option<OwnedFd> {
        // A descriptor of its own: a lock belongs to what was opened, not to the process.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(&self.folder, ".", flags, Mode::empty()).ok()?;
        for _ in 0..ATTEMPTS {
            match rustix::fs::flock(folder.as_fd(), FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Some(folder),
                Err(Errno::WOULDBLOCK | Errno::INTR) => std::thread::sleep(PAUSE),
                Err(_) => return None,
            }
        }
        None
    }

    fn write(&self, name: &str, pieces: &[&[u8]]) -> io::Result<()> {
        let part = format!(".{:016x}{PART}", rand::random::<u64>());
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.folder, &part, flags, Mode::RUSR | Mode::WUSR)?;
        let write = || {
            let mut file = File::from(file);
            pieces.iter().try_for_each(|piece| file.write_all(piece))?;
            // Not before it is on the disk: a torn file is none.
            file.sync_all()?;
            Ok(rustix::fs::renameat(&self.folder, &part, &self.folder, name)?)
        };
        write().inspect_err(|_: &io::Error| {
            let _ = rustix::fs::unlinkat(&self.folder, &part, AtFlags::empty());
        })
    }

    /// Removes what killed processes left half written.
    fn sweep(&self) {
        let Ok(entries) = rustix::fs::Dir::read_from(&self.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if !name.to_bytes().ends_with(PART.as_bytes()) {
                continue;
            }
            let about = rustix::fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW);
            let Ok(about) = about else { continue };
            let at = u64::try_from(about.st_mtime).unwrap_or(0);
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
            if at.elapsed().is_ok_and(|age| age > ABANDONED) {
                let _ = rustix::fs::unlinkat(&self.folder, name, AtFlags::empty());
            }
        }
    }
}

/// Why an entry is not used.
enum Unusable {
    /// It is not what this user put there.
    Entry(String),
    /// There is no room for a copy.
    Copy(io::Error),
}

/// A MAC that still lacks the entry's content.
fn start(key: &Key, name: &str) -> Hasher {
    let mut mac = Hasher::new_keyed(key);
    mac.update(FORM);
    mac.update(&(name.len() as u64).to_le_bytes());
    mac.update(name.as_bytes());
    mac
}

/// A key may have any length and content, a file's name may not.
fn note(key: &str) -> String {
    format!("{}.note", blake3::hash(key.as_bytes()))
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
