//! The two workspaces, and how cargo is called in each.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// The root of the repository: the host's workspace.
pub fn root() -> &'static Path {
    // xtask is a folder of the root; cargo rebuilds it when the checkout moves.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The workspace of the components and their crates.
pub fn operators() -> PathBuf {
    root().join("operators")
}

/// Where the operators are compiled for the sandbox, whatever the caller's environment says.
pub fn wasm_folder() -> PathBuf {
    operators().join("target")
}

/// Where pipelines expect the components.
pub fn components() -> PathBuf {
    wasm_folder().join(crate::toolchain::WASM_TARGET).join("release")
}

/// `cargo` itself, in the root workspace.
pub fn host() -> Command {
    in_folder(root())
}

/// `cargo` in the operators' workspace, for this machine's own target: their
/// logic compiles natively too, which is how it is tested.
pub fn operators_natively() -> Command {
    in_folder(&operators())
}

/// `cargo build` in the operators' workspace, for the components' target and
/// with their release profile, into `folder`.
///
/// A component must come out the same whatever the caller's environment says.
/// `CARGO_TARGET_DIR` would move it away from where pipelines look for it, so
/// the folder is an argument, which wins over the variable and over any
/// configuration file. `RUSTFLAGS` would replace the flags in
/// `.cargo/config.toml`, `+simd128` among them, so it is not passed on.
pub fn operators_for_wasm(folder: &Path) -> Command {
    let mut command = in_folder(&operators());
    command
        .args(["build", "--release", "--target", crate::toolchain::WASM_TARGET, "--target-dir"])
        .arg(folder);
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
        command.env_remove(variable);
    }
    command
}

/// Builds programs of the host's workspace and returns the last of them, to be run.
///
/// All of the workspace decides the features of what they are made of, as in the tests: a
/// package by itself would have wasmtime, tract and others compiled once more.
///
/// # Errors
/// When something does not compile, or cargo does not say where it is.
pub fn programs(names: &[&str]) -> Result<Command> {
    let name = names.last().context("no program is named")?;
    built(names.iter().flat_map(|name| ["--bin", name]), Path::new(name))
}

/// Builds an example of a package of the host's workspace and returns it, to be run.
///
/// # Errors
/// As of [`programs`].
pub fn example(name: &str) -> Result<Command> {
    built(["--example", name], &Path::new("examples").join(name))
}

/// Builds what the arguments say and returns the program of this name in the release folder.
fn built<'a>(arguments: impl IntoIterator<Item = &'a str>, program: &Path) -> Result<Command> {
    let mut build = host();
    build.args(["build", "--release", "--workspace"]).args(arguments);
    process::run(&mut build)?;
    let target = folder_of(host(), "target_directory")?;
    let mut command = Command::new(target.join("release").join(program));
    command.current_dir(root());
    Ok(command)
}

/// Where cargo compiles a workspace, of which this is cargo: its target folder, unless it is told
/// to compile elsewhere.
///
/// # Errors
/// When cargo does not say it.
pub fn build_folder(cargo: Command) -> Result<PathBuf> {
    folder_of(cargo, "build_directory")
}

/// A folder that cargo has for a workspace.
fn folder_of(mut cargo: Command, key: &str) -> Result<PathBuf> {
    let metadata =
        process::output_of(cargo.args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value =
        serde_json::from_str(&metadata).context("cargo metadata did not write JSON")?;
    let folder = metadata[key].as_str();
    folder.map(PathBuf::from).with_context(|| format!("cargo metadata has no {key}"))
}

fn in_folder(folder: &Path) -> Command {
    // Cargo tells its children which cargo runs them, so that the nested one
    // is the same version. Run by hand, the one in PATH will do.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder);
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn components_do_not_depend_on_the_environment() {
        let command = operators_for_wasm(&wasm_folder());
        let removed: Vec<&OsStr> =
            command.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        assert!(removed.contains(&OsStr::new("RUSTFLAGS")));
        assert!(removed.contains(&OsStr::new("CARGO_ENCODED_RUSTFLAGS")));
        assert!(command.get_args().any(|argument| argument == wasm_folder()));
    }

    #[test]
    fn the_root_is_the_repository() {
        assert!(root().join("operators/Cargo.toml").is_file());
        assert!(root().join("xtask/kafka/pom.xml").is_file());
    }
}
