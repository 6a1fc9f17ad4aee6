//! Where things lie: the project, its components, its command, and large test data.

use std::path::PathBuf;
use std::process::Command;

/// The project's folder.
pub fn project() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A file of the large test data (docs/test-data.md), where there are any.
///
/// # Panics
/// Where the folder does not have it.
pub fn test_data(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("SANDBAR_TEST_DATA").filter(|folder| !folder.is_empty());
    let Some(folder) = folder else {
        eprintln!("skipped: SANDBAR_TEST_DATA is not set, see docs/test-data.md");
        return None;
    };
    Some(std::fs::read(PathBuf::from(folder).join(name)).unwrap())
}

/// A component that `cargo xtask operators` builds, by the name of its crate.
///
/// # Panics
/// Where it is not built.
pub fn component(name: &str) -> PathBuf {
    let file = format!("{}.wasm", name.replace('-', "_"));
    let path = project().join("operators/target/wasm32-wasip2/release").join(file);
    assert!(path.exists(), "{} is missing; run `cargo xtask operators`", path.display());
    path
}

/// The command `sandbar`, which cargo builds beside the tests.
///
/// # Panics
/// Where it is not built.
pub fn sandbar() -> Command {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap();
    let path = folder.join("sandbar");
    assert!(path.exists(), "{} is missing; run `cargo build --release`", path.display());
    let mut command = Command::new(path);
    command.env("SANDBAR_CACHE", project().join("target/component-cache"));
    command.env_remove("SANDBAR_BROKERS").env_remove("SANDBAR_LOG");
    command
}
