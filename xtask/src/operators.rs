//! `cargo xtask operators`: builds the components.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{cargo, process, toolchain};

/// Builds every component and lists them.
///
/// # Errors
/// When the toolchain lacks the target or a component does not compile.
pub fn run() -> Result<()> {
    for component in build()? {
        let bytes = component.metadata().map_or(0, |metadata| metadata.len());
        let shown = component.strip_prefix(cargo::root()).unwrap_or(&component);
        println!("{}  {} KB", shown.display(), bytes.div_ceil(1000));
    }
    Ok(())
}

/// Builds every component; returns the paths of the `.wasm` files.
///
/// # Errors
/// As for [`run`].
pub fn build() -> Result<Vec<PathBuf>> {
    build_of(&component_crates()?)
}

/// Builds the components that users have, without those that are for tests and benchmarks alone.
///
/// # Errors
/// As for [`run`].
pub fn build_for_users() -> Result<()> {
    let crates =
        component_crates()?.into_iter().filter(|it| it.folder.starts_with(cargo::operators()));
    build_of(&crates.collect::<Vec<_>>()).map(drop)
}

fn build_of(crates: &[ComponentCrate]) -> Result<Vec<PathBuf>> {
    toolchain::ensure_wasm_target()?;
    process::run(
        cargo::operators_for_wasm(&cargo::wasm_folder())
            .arg("--lib")
            .args(crates.iter().flat_map(|it| ["--package", &it.package])),
    )?;
    let files: Vec<PathBuf> =
        crates.iter().map(|it| cargo::components().join(format!("{}.wasm", it.library))).collect();
    for file in &files {
        if !file.is_file() {
            bail!("cargo did not create {}", file.display());
        }
    }
    Ok(files)
}

/// A crate of the operators' workspace that is compiled to a component.
#[derive(Debug, PartialEq)]
pub struct ComponentCrate {
    /// The package, as cargo's `--package` takes it.
    pub package: String,
    /// The library: the name of the `.wasm` file.
    pub library: String,
    /// Where the package is.
    folder: PathBuf,
}

/// The crates that make components: those with a `cdylib`. The others in that
/// workspace are libraries and native programs, which components either link
/// or have no use for.
///
/// # Errors
/// When cargo cannot read the workspace, or no crate makes a component.
pub fn component_crates() -> Result<Vec<ComponentCrate>> {
    let metadata = process::output_of(cargo::operators_natively().args([
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
    ]))?;
    let crates = cdylibs(&metadata)?;
    if crates.is_empty() {
        bail!(
            "no crate of {} makes a component: give one `crate-type = [\"cdylib\", \"rlib\"]` \
             under [lib]",
            cargo::operators().display()
        );
    }
    Ok(crates)
}

/// Picks the packages with a `cdylib` out of `cargo metadata`'s JSON.
fn cdylibs(metadata: &str) -> Result<Vec<ComponentCrate>> {
    let metadata: Value =
        serde_json::from_str(metadata).context("cargo metadata did not write JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata wrote no packages")?;
    let mut crates = Vec::new();
    for package in packages {
        let name = package["name"].as_str().context("a package has no name")?;
        let manifest = package["manifest_path"].as_str().context("a package has no manifest")?;
        let folder = Path::new(manifest).parent().unwrap_or(Path::new(""));
        for target in package["targets"].as_array().into_iter().flatten() {
            let kinds = target["kind"].as_array();
            if kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "cdylib")) {
                let library = target["name"].as_str().context("a target has no name")?;
                crates.push(ComponentCrate {
                    package: name.to_owned(),
                    // rustc's file names have no hyphens.
                    library: library.replace('-', "_"),
                    folder: folder.to_owned(),
                });
            }
        }
    }
    Ok(crates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cdylibs_make_components() -> Result<()> {
        let metadata = r#"{"packages": [
            {"name": "flight-features", "manifest_path": "/o/flight-features/Cargo.toml", "targets": [
                {"name": "flight-features", "kind": ["cdylib", "rlib"]},
                {"name": "golden", "kind": ["test"]}]},
            {"name": "h2o-mojo", "manifest_path": "/o/h2o-mojo/Cargo.toml", "targets": [
                {"name": "h2o_mojo", "kind": ["lib"]},
                {"name": "h2o-mojo", "kind": ["bin"]}]}
        ]}"#;
        assert_eq!(
            cdylibs(metadata)?,
            [ComponentCrate {
                package: "flight-features".into(),
                library: "flight_features".into(),
                folder: "/o/flight-features".into(),
            }]
        );
        Ok(())
    }

    #[test]
    fn anything_else_is_an_error() {
        assert!(cdylibs("error: no manifest").is_err());
        assert!(cdylibs("{}").is_err());
    }
}
