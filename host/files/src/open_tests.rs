#![allow(clippy::print_stderr, reason = "a test says what it skips")]
#![allow(clippy::disallowed_methods, reason = "files that the test made")]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{limits, read_secret};

const MOST: u64 = 1 << 16;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// What `call` gives, which must not wait for anything.
fn promptly<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    let (to, from) = mpsc::channel();
    std::thread::spawn(move || to.send(call()));
    from.recv_timeout(Duration::from_secs(10)).unwrap()
}

#[track_caller]
fn refused(path: &Path, expected: &str) {
    let path = path.to_owned();
    let error = promptly({
        let path = path.clone();
        move || read(&path, MOST).unwrap_err()
    });
    assert!(error.to_string().contains(expected), "{}: {error}", path.display());
}

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(CWD, &pipe, Mode::RWXU).unwrap();
    let socket = folder.path().join("socket");
    let _socket = UnixListener::bind(&socket).unwrap();

    refused(&pipe, "a named pipe, not a regular file");
    refused(&socket, "a socket, not a regular file");
    refused(folder.path(), "a folder, not a regular file");
    for device in ["/dev/zero", "/dev/null", "/dev/random", "/dev/tty"] {
        refused(Path::new(device), "a device, not a regular file");
    }
    refused(&folder.path().join("missing"), "No such file");

    // What a link leads to is what counts.
    for (name, target) in [("to a pipe", pipe.as_path()), ("to a device", Path::new("/dev/zero"))] {
        let link = folder.path().join(name);
        symlink(target, &link).unwrap();
        refused(&link, "not a regular file");
    }
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    fs::write(&file, "content").unwrap();
    symlink(&file, &link).unwrap();
    assert_eq!(read(&link, MOST).unwrap(), b"content");
    let around = folder.path().join("around");
    symlink(&around, &around).unwrap();
    refused(&around, "symbolic links");
}

#[test]
fn what_has_no_size_is_read_to_its_end_or_the_limit() {
    let about = read(Path::new("/proc/self/status"), MOST).unwrap();
    assert!(about.starts_with(b"Name:"));
    let error = read(Path::new("/proc/self/status"), 10).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileTooLarge);

    // A size of a terabyte is not believed, and no memory is taken for it.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sparse");
    File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(read(&path, limits::COMPONENT).unwrap_err().kind(), ErrorKind::FileTooLarge);
}

#[test]
fn a_file_that_grows_while_it_is_read_ends_at_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("growing");
    fs::write(&path, "").unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = OpenOptions::new().append(true).open(&path).unwrap();
            for _ in 0..2_000 {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                file.write_all(&[b'x'; 4096]).unwrap();
            }
        });
        // However it comes out, it ends, and gives no more than allowed.
        for _ in 0..200 {
            match read(&path, MOST) {
                Ok(bytes) => assert!(bytes.len() as u64 <= MOST),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::FileTooLarge);
                    break;
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
    });

    // And one that grew between the look at its size and the reading.
    fs::write(&path, "1234").unwrap();
    let file = open(&path).unwrap();
    fs::write(&path, vec![b'x'; 1 << 20]).unwrap();
    assert_eq!(bounded(file, MOST).unwrap_err().kind(), ErrorKind::FileTooLarge);
}

#[test]
fn exactly_as_much_as_expected_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "1234").unwrap();
    let all = |size| {
        let mut bytes = Vec::new();
        exact(open(&path).unwrap(), size).read_to_end(&mut bytes).map(|_| bytes)
    };
    assert_eq!(all(4).unwrap(), b"1234");
    assert_eq!(all(3).unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!(all(5).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn what_the_runner_wrote_is_taken_from_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let own =
        |path: &str| open_own(folder.path(), Path::new(path)).and_then(|file| bounded(file, MOST));
    let file = folder.path().join("a/b");
    fs::create_dir(folder.path().join("a")).unwrap();
    fs::write(&file, "content").unwrap();
    assert_eq!(own("a/b").unwrap(), b"content");
    assert_eq!(own("a/c").unwrap_err().kind(), ErrorKind::NotFound);

    for path in ["../a/b", "a/../a/b", "/etc/passwd"] {
        assert!(own(path).unwrap_err().to_string().contains("leads out"), "{path}");
    }
    symlink(&file, folder.path().join("link")).unwrap();
    assert!(own("link").unwrap_err().to_string().contains("a symbolic link"));
    symlink(folder.path().join("a"), folder.path().join("folder")).unwrap();
    own("folder/b").unwrap_err();
    own("a").unwrap_err();

    mode(&file, 0o666);
    assert!(own("a/b").unwrap_err().to_string().contains("mode 0666"));
    mode(&file, 0o644);
    mode(file.parent().unwrap(), 0o777);
    assert!(own("a/b").unwrap_err().to_string().contains("mode 0777"));
    mode(file.parent().unwrap(), 0o755);
    own("a/b").unwrap();
    if !rustix::process::geteuid().is_root() {
        eprintln!("not root: a file of another user is not tried");
        return;
    }
    std::os::unix::fs::chown(&file, Some(12345), None).unwrap();
    assert!(own("a/b").unwrap_err().to_string().contains("user 12345"));
}

#[test]
fn a_download_is_not_written_over_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (part, target) = (folder.path().join("part"), folder.path().join("target"));
    fs::write(&target, "of somebody").unwrap();
    symlink(&target, &part).unwrap();
    open_part(&part).unwrap_err();
    assert_eq!(fs::read(&target).unwrap(), b"of somebody");

    fs::remove_file(&part).unwrap();
    rustix::fs::mkfifoat(CWD, &part, Mode::RWXU).unwrap();
    let error = promptly({
        let part = part.clone();
        move || open_part(&part).unwrap_err()
    });
    assert!(error.to_string().contains("pipe"), "{error}");

    fs::remove_file(&part).unwrap();
    open_part(&part).unwrap().write_all(b"kept").unwrap();
    let mut text = String::new();
    open_part(&part).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "kept");
}

#[test]
fn input_of_the_command_line_may_stream() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(CWD, &pipe, Mode::RWXU).unwrap();
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || io::read_to_string(open_input(&pipe).unwrap()).unwrap()
    });
    OpenOptions::new().write(true).open(&pipe).unwrap().write_all(b"a line\n").unwrap();
    assert_eq!(reader.join().unwrap(), "a line\n");

    assert_eq!(io::read_to_string(open_input(Path::new("/dev/null")).unwrap()).unwrap(), "");
    for endless in ["/dev/zero", "/dev/urandom"] {
        assert!(open_input(Path::new(endless)).unwrap_err().to_string().contains("a device"));
    }
    assert_eq!(open_input(folder.path()).unwrap_err().kind(), ErrorKind::IsADirectory);
}

#[test]
fn a_secret_that_others_can_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    fs::write(&path, "secret\n").unwrap();
    for others in [0o600, 0o400, 0o640, 0o644] {
        mode(&path, others);
        assert_eq!(read_secret(&path).unwrap(), "secret\n", "{others:o}");
    }
    for others in [0o620, 0o602, 0o666] {
        mode(&path, others);
        let said = read_secret(&path).unwrap_err().to_string();
        assert!(
            said.contains(&format!("mode {others:04o}")) && said.contains("chmod 0600"),
            "{said}"
        );
    }
    mode(&path, 0o600);
    // As Kubernetes mounts it: a link to a link.
    let (data, link) = (folder.path().join("..data"), folder.path().join("link"));
    symlink(folder.path(), &data).unwrap();
    symlink("..data/password", &link).unwrap();
    assert_eq!(read_secret(&link).unwrap(), "secret\n");

    fs::write(&path, [0xff]).unwrap();
    assert!(read_secret(&path).unwrap_err().to_string().contains("not UTF-8"));
    assert!(read_secret(Path::new("/dev/zero")).unwrap_err().to_string().contains("a device"));
    fs::write(&path, vec![b'x'; limits::SECRET as usize + 1]).unwrap();
    assert_eq!(read_secret(&path).unwrap_err().kind(), ErrorKind::FileTooLarge);
}

fn written(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, content).unwrap();
    (folder, path)
}

proptest! {
    #[test]
    fn a_file_comes_back_whole_or_not_at_all(
        content in proptest::collection::vec(any::<u8>(), 0..5_000),
        more in proptest::collection::vec(any::<u8>(), 0..5_000),
        most in 0u64..10_000,
    ) {
        let (_folder, path) = written(&content);
        let file = open(&path).unwrap();
        match read(&path, most) {
            Ok(bytes) => prop_assert!(bytes == content && content.len() as u64 <= most),
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::FileTooLarge);
                prop_assert!(content.len() as u64 > most);
            }
        }
        // Grown since it was opened: all of it, or none.
        let whole = [&*content, &*more].concat();
        fs::write(&path, &whole).unwrap();
        let got = bounded(file.try_clone().unwrap(), most).ok();
        prop_assert_eq!(got, (whole.len() as u64 <= most).then(|| whole.clone()));

        // And of a size that is known before.
        let mut bytes = Vec::new();
        let read = exact(open(&path).unwrap(), most).read_to_end(&mut bytes);
        prop_assert_eq!(read.is_ok(), whole.len() as u64 == most);
        prop_assert!(bytes.len() as u64 <= most);
    }
}
