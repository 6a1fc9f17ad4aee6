//! The folder of everything that a cluster needs and writes.

use std::path::PathBuf;

/// Where all of this lives.
pub fn home() -> PathBuf {
    // Not below CARGO_TARGET_DIR: a `stop` in another terminal must look
    // where the `start` has written.
    crate::cargo::root().join("target/kafka")
}
