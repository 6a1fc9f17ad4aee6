#![allow(clippy::print_stderr, reason = "a test says what it skips")]
#![allow(clippy::disallowed_methods, reason = "files that the test made or the repository has")]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::fs::{self, OpenOptions, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use super::*;

const MOST: u64 = 1 << 20;

/// A store with the entry `a`.
struct Sample {
    root: tempfile::TempDir,
    store: Store,
}

impl Sample {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let store = Store::open(&root.path().join("store")).unwrap();
        store.put("a", b"content of a").unwrap();
        Sample { root, store }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.store.path().join(name)
    }

    fn get(&self) -> Option<Vec<u8>> {
        self.store.get("a", MOST)
    }

    /// The entry is none, and it is gone.
    #[track_caller]
    fn assert_refused(&self, what: &str) {
        assert_eq!(self.get(), None, "{what}");
        assert!(!self.store.holds("a"), "{what}: it is still there");
        self.store.put("a", b"content of a").unwrap();
        assert_eq!(self.get().as_deref(), Some(&b"content of a"[..]), "{what}");
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn an_entry_comes_back_also_in_a_later_process() {
    let sample = Sample::new();
    assert_eq!(sample.get().as_deref(), Some(&b"content of a"[..]));
    let later = Store::open(sample.store.path()).unwrap();
    assert_eq!(later.get("a", MOST).as_deref(), Some(&b"content of a"[..]));
    assert_eq!(later.get("b", MOST), None);
    sample.store.put("a", b"").unwrap();
    assert_eq!(later.get("a", MOST).as_deref(), Some(&b""[..]));
    for name in [KEY, "a"] {
        assert_eq!(fs::metadata(sample.file(name)).unwrap().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn what_was_planted_is_removed() {
    let sample = Sample::new();
    let file = sample.file("a");
    let bytes = fs::read(&file).unwrap();

    for at in [0, bytes.len() - MAC_SIZE, bytes.len() - 1] {
        let mut flipped = fs::read(&file).unwrap();
        flipped[at] ^= 1;
        fs::write(&file, flipped).unwrap();
        sample.assert_refused(&format!("byte {at} flipped"));
    }
    for size in [0, MAC_SIZE - 1, MAC_SIZE, bytes.len() - 1] {
        fs::write(&file, &bytes[..size]).unwrap();
        sample.assert_refused(&format!("cut off after {size}"));
    }
    sample.store.put("b", b"content of b").unwrap();
    fs::rename(sample.file("b"), &file).unwrap();
    sample.assert_refused("another entry under its name");

    let other = Store::open(&sample.root.path().join("other")).unwrap();
    other.put("a", b"made elsewhere").unwrap();
    fs::rename(other.path().join("a"), &file).unwrap();
    sample.assert_refused("made with another key");
}

#[test]
fn notes_are_kept_under_any_key() {
    let sample = Sample::new();
    let (store, long) = (&sample.store, "key/../".repeat(1000));
    assert_eq!(store.recall(&long), None);
    store.remember(&long, b"value").unwrap();
    store.remember("other", b"").unwrap();
    assert_eq!(store.recall(&long).as_deref(), Some(&b"value"[..]));
    assert_eq!(store.recall("other").as_deref(), Some(&b""[..]));
    fs::rename(sample.file(&note(&long)), sample.file(&note("other"))).unwrap();
    assert_eq!(store.recall("other"), None, "another note under its name");
    let large = vec![0; limits::NOTE as usize + 1];
    assert_eq!(store.remember("large", &large).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    assert_eq!(store.recall("large"), None);
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_mapped_is_what_was_authenticated() {
    let sample = Sample::new();
    let content: Vec<u8> = (0..3 * PIECE + 7).map(|at| at as u8).collect();
    sample.store.put("a", &content).unwrap();
    let mut sealed = sample.store.get_sealed("a", MOST).unwrap();
    // Neither the file on the disk nor a descriptor of the copy changes it any more.
    fs::write(sample.file("a"), b"changed").unwrap();
    assert_eq!(sealed.write_at(b"x", 0).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    let again =
        OpenOptions::new().write(true).open(format!("/proc/self/fd/{}", sealed.as_raw_fd()));
    again.unwrap().write_at(b"x", 0).unwrap_err();
    sealed.set_len(0).unwrap_err();
    let mut copy = Vec::new();
    io::Seek::rewind(&mut sealed).unwrap();
    sealed.read_to_end(&mut copy).unwrap();
    assert!(copy == content);
    // And what was written there is none.
    assert!(sample.store.get_sealed("a", MOST).is_none());
    assert!(!sample.store.holds("a"));
}

#[test]
fn what_others_could_have_written_is_removed() {
    let sample = Sample::new();
    let file = sample.file("a");
    for others in [0o666, 0o620, 0o602] {
        mode(&file, others);
        sample.assert_refused(&format!("mode {others:o}"));
    }
    fs::hard_link(&file, sample.root.path().join("another name")).unwrap();
    sample.assert_refused("hard link");

    let target = sample.root.path().join("target");
    fs::rename(&file, &target).unwrap();
    symlink(&target, &file).unwrap();
    sample.assert_refused("symbolic link");

    fs::remove_file(&file).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &file, Mode::RWXU).unwrap();
    sample.assert_refused("pipe");

    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    sample.assert_refused("folder");

    if is_root() {
        std::os::unix::fs::chown(&file, Some(12345), None).unwrap();
        sample.assert_refused("another user's");
    } else {
        eprintln!("not root: an entry of another user is not tried");
    }
    fs::write(&file, vec![0; 2 << 20]).unwrap();
    sample.assert_refused("too large");
}

#[test]
fn what_was_opened_while_others_could_write_is_not_trusted_after_chmod() {
    let sample = Sample::new();
    let file = sample.file("a");
    mode(&file, 0o666);
    let descriptor = OpenOptions::new().write(true).open(&file).unwrap();
    mode(&file, 0o600);
    descriptor.write_all_at(b"C", 0).unwrap();
    sample.assert_refused("written by an old descriptor");
}

#[test]
fn a_key_that_others_may_have_read_is_made_anew() {
    let sample = Sample::new();
    let key = sample.file(KEY);
    let first = fs::read(&key).unwrap();
    assert_eq!(first.len(), KEY_SIZE);

    for (what, spoil) in [
        ("readable", (|key| mode(key, 0o640)) as fn(&Path)),
        ("short", |key| fs::write(key, b"short").unwrap()),
        ("long", |key| fs::write(key, [7; KEY_SIZE + 1]).unwrap()),
        ("linked", |key| fs::hard_link(key, key.with_extension("link")).unwrap()),
        ("lost", |key| fs::remove_file(key).unwrap()),
    ] {
        let before = fs::read(&key).unwrap();
        spoil(&key);
        sample.assert_refused(what);
        assert_ne!(fs::read(&key).unwrap(), before, "{what}");
        assert_eq!(fs::metadata(&key).unwrap().mode() & 0o777, 0o600, "{what}");
    }
}

#[test]
fn processes_that_start_together_agree_on_the_key() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("store");
    let names: Vec<String> = (0..16).map(|it| format!("entry {it}")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| Store::open(&path).unwrap().put(name, name.as_bytes()).unwrap());
        }
    });
    let store = Store::open(&path).unwrap();
    for name in &names {
        assert_eq!(store.get(name, MOST).as_deref(), Some(name.as_bytes()));
    }
}

#[test]
fn leftovers_are_removed_when_they_are_old() {
    let sample = Sample::new();
    let (old, new) = (sample.file(".1.part"), sample.file(".2.part"));
    fs::write(&new, b"").unwrap();
    let file = File::create(&old).unwrap();
    file.set_modified(SystemTime::now() - 2 * ABANDONED).unwrap();
    Store::open(sample.store.path()).unwrap();
    assert!(!old.exists() && new.exists());
}

#[test]
fn folders_that_others_could_replace_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("parent/store");
    Store::open(&path).unwrap();
    let parent = path.parent().unwrap();

    mode(&path, 0o770);
    assert!(Store::open(&path).unwrap_err().contains("others can write to the folder"));
    mode(&path, 0o755);
    mode(parent, 0o777);
    let reason = Store::open(&path).unwrap_err();
    assert!(reason.contains("parent (mode 0777)") && reason.contains("chmod"), "{reason}");
    mode(parent, 0o1777);
    Store::open(&path).unwrap();
    mode(parent, 0o755);

    // What a link leads to is looked at where it is.
    let link = root.path().join("link");
    symlink(&path, &link).unwrap();
    Store::open(&link).unwrap();
    mode(parent, 0o775);
    assert!(Store::open(&link).unwrap_err().contains("parent"));
    mode(parent, 0o755);

    if !is_root() {
        eprintln!("not root: folders of another user are not tried");
        return;
    }
    std::os::unix::fs::chown(parent, Some(12345), None).unwrap();
    assert!(Store::open(&path).unwrap_err().contains("belongs to user 12345"));
    std::os::unix::fs::chown(parent, Some(0), None).unwrap();
    std::os::unix::fs::chown(&path, Some(12345), None).unwrap();
    assert!(Store::open(&path).unwrap_err().contains("belongs to another user"));
}

#[test]
fn a_folder_is_opened_once() {
    let sample = Sample::new();
    let moved = sample.root.path().join("moved");
    fs::rename(sample.store.path(), &moved).unwrap();
    fs::create_dir(sample.store.path()).unwrap();
    fs::write(sample.file("a"), b"planted").unwrap();
    assert_eq!(sample.get().as_deref(), Some(&b"content of a"[..]));
}
