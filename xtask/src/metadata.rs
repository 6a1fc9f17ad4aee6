//! What cargo says about the packages of a workspace.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{cargo, process};

/// A package of one of the workspaces.
#[derive(Debug)]
pub struct Package {
    /// `sandbar-record`.
    pub name: String,
    /// Its folder, seen from the root.
    pub folder: String,
    /// What its `Cargo.toml` names, for the code, the tests and the build script alike.
    pub dependencies: Vec<Dependency>,
}

/// A crate that a package names.
#[derive(Debug)]
pub struct Dependency {
    /// `serde`.
    pub name: String,
    /// The versions that will do.
    pub versions: String,
    /// Whether it comes from outside of the repository.
    pub is_foreign: bool,
}

/// The packages of the two workspaces.
///
/// # Errors
/// When cargo cannot read them.
pub fn all_packages() -> Result<Vec<Package>> {
    let mut all = packages(cargo::host())?;
    all.extend(packages(cargo::operators_natively())?);
    Ok(all)
}

fn packages(mut command: Command) -> Result<Vec<Package>> {
    command.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]);
    let metadata: Value = serde_json::from_str(&process::output_of(&mut command)?)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    packages.iter().map(package).collect()
}

fn package(package: &Value) -> Result<Package> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let manifest = text(&package["manifest_path"]);
    let folder = Path::new(&manifest).parent().context("no folder")?;
    let folder = folder.strip_prefix(cargo::root())?.to_string_lossy().into_owned();
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    Ok(Package {
        name: text(&package["name"]),
        folder,
        dependencies: dependencies
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                versions: text(&dependency["req"]),
                is_foreign: dependency["source"].is_string(),
            })
            .collect(),
    })
}
