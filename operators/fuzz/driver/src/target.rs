//! What is fuzzed.

use std::path::PathBuf;

/// A function that is fuzzed.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is also that of its folder in `corpus/` and of its file in
    /// `dictionaries/`.
    pub name: &'static str,
    /// Takes an input; panics where it finds something wrong.
    pub run: fn(&[u8]),
    /// Files elsewhere in the repository that are a corpus too: a folder, seen from the
    /// package's, and how their names end.
    pub seeds: &'static [(&'static str, &'static str)],
    /// Bytes of an input at most.
    pub max_len: usize,
}

/// The targets of one package.
#[derive(Debug, Clone, Copy)]
pub struct Suite {
    /// The package's folder: `env!("CARGO_MANIFEST_DIR")`.
    pub folder: &'static str,
    /// All of them.
    pub targets: &'static [Target],
}

impl Suite {
    /// Where inputs are kept that a target failed on.
    pub fn artifacts(&self, target: &Target) -> PathBuf {
        PathBuf::from(self.folder).join("artifacts").join(target.name)
    }
}

/// The variable that tells the libFuzzer program which target to run.
pub const TARGET_VARIABLE: &str = "SANDBAR_FUZZ_TARGET";
