//! What all measurements need.

use std::path::PathBuf;

/// Paths and settings of all measurements.
pub struct Bench {
    /// The repository.
    pub project: PathBuf,
    /// The program `sandbar-bench-native`.
    pub native: PathBuf,
    /// Rounds of which the median is taken.
    pub rounds: usize,
}

impl Bench {
    /// The folder of the components built by `cargo xtask operators`.
    pub fn components(&self) -> PathBuf {
        self.project.join("operators/target/wasm32-wasip2/release")
    }
}
