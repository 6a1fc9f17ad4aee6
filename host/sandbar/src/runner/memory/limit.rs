//! The limit of the container that a process is in: of its control group, or of one around it.

#![allow(clippy::disallowed_methods, reason = "files of the kernel: small, and always there")]

use std::fs;
use std::path::{Path, PathBuf};

/// Where control groups are found.
const ROOT: &str = "/sys/fs/cgroup";
/// What is kept free of a container's limit: the kernel's own memory for the process counts there
/// too, and so does what a computation takes until it stops.
const MARGIN: u64 = 10;

/// Nine tenths of the container's limit; `None`: it has none.
pub(super) fn of_container() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let limit = smallest(Path::new(ROOT), &groups)?;
    Some(limit - limit / MARGIN)
}

/// The smallest limit of the control groups that a process is in. In a container its path may be
/// that of the machine, of which only the last folder, the root, is to be seen.
fn smallest(root: &Path, groups: &str) -> Option<u64> {
    // `HIERARCHY:CONTROLLERS:PATH`; version 2 has hierarchy 0, and no controllers.
    let group = |line: &str| {
        let mut parts = line.splitn(3, ':');
        let (hierarchy, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let (root, file) = match (hierarchy, controllers) {
            ("0", "") => (root.to_owned(), "memory.max"),
            (_, controllers) if controllers.split(',').any(|it| it == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => return None,
        };
        Some((root, file, path.trim_start_matches('/').to_owned()))
    };
    let limits = groups.lines().filter_map(group).flat_map(|(root, file, path)| {
        let folders = Path::new(&path).ancestors().map(move |it| root.join(it).join(file));
        folders.collect::<Vec<PathBuf>>()
    });
    let read = |path: PathBuf| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    // What version 1 says where there is none is the largest number of pages.
    limits.filter_map(read).filter(|limit| *limit < i64::MAX as u64 / 2).min()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn the_smallest_limit_around_the_process_counts() {
        let files = [
            ("a/memory.max", "3000000000\n"),
            ("a/b/memory.max", "max\n"),
            ("c/memory.max", "7\n"),
        ];
        assert_eq!(smallest(root(&files).path(), "0::/a/b\n"), Some(3_000_000_000));
        assert_eq!(smallest(root(&files).path(), "0::/\n"), None);
    }

    #[test]
    fn in_a_container_the_root_is_its_own() {
        let files = [("memory/memory.limit_in_bytes", "1000\n")];
        let groups = "5:cpu:/docker/1\n4:hugetlb,memory:/docker/1\n0::/docker/1\n";
        assert_eq!(smallest(root(&files).path(), groups), Some(1000));
        let none = [("memory/memory.limit_in_bytes", "9223372036854771712\n")];
        assert_eq!(smallest(root(&none).path(), groups), None);
        assert_eq!(smallest(root(&[]).path(), "nothing of the kind\n"), None);
    }
}
