//! Writes and builds the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use toml::{Table, Value};

/// The name of the SDK, which has the program's other half behind a feature.
const SDK: &str = "sandbar-operator";

/// The used part of `cargo metadata`.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    /// `None`: a path.
    source: Option<String>,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// The program for the operator's crate in `folder`, built.
///
/// # Errors
/// If there is no such crate, it is no operator of the SDK or no library that can be
/// linked, or cargo fails.
pub(super) fn build(folder: &Path) -> Result<PathBuf> {
    let manifest = folder.join("Cargo.toml");
    let manifest = manifest
        .canonicalize()
        .with_context(|| format!("{}: --native takes an operator's crate", manifest.display()))?;
    let metadata = metadata(&manifest)?;
    let package = |found: &dyn Fn(&Package) -> bool| metadata.packages.iter().find(|it| found(it));
    let operator = package(&|it| it.manifest_path == manifest).with_context(|| {
        format!("{}: this is a workspace, not an operator's crate", manifest.display())
    })?;
    let uses_sdk = operator.dependencies.iter().any(|it| it.name == SDK);
    let sdk = package(&|it| uses_sdk && it.name == SDK).with_context(|| {
        format!("{}: the crate does not use the SDK ({SDK}), which --native needs", operator.name)
    })?;
    let library = |target: &&Target| target.kind.iter().any(|kind| kind == "rlib" || kind == "lib");
    let library = operator.targets.iter().find(library).with_context(|| {
        format!(
            "{}: the crate has no library that can be linked; write crate-type = [\"cdylib\", \"rlib\"] under \
             [lib] of its Cargo.toml",
            operator.name
        )
    })?;

    let here = metadata.target_directory.join("sandbar-bench").join(&operator.name);
    let name = format!("{}-native", operator.name);
    write(&here.join("Cargo.toml"), &cargo_toml(&name, operator, sdk, &metadata)?)?;
    let library = library.name.replace('-', "_");
    write(&here.join("src/main.rs"), &include_str!("main.rs.txt").replace("OPERATOR", &library))?;
    // The same versions as in the component; cargo drops unused ones.
    let lock = metadata.workspace_root.join("Cargo.lock");
    if lock.is_file() {
        std::fs::copy(&lock, here.join("Cargo.lock"))
            .with_context(|| format!("{}", lock.display()))?;
    }
    let triple = triple()?;
    // What macros and build scripts are made of is compiled there already, for the component.
    let target = &metadata.target_directory;
    let status = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--target", &triple, "--manifest-path"])
        .arg(here.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", target)
        .current_dir(folder)
        .stdin(Stdio::null())
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("{}: native build failed: {status}", operator.name);
    }
    Ok(target.join(triple).join("release").join(name))
}

fn cargo_toml(
    name: &str,
    operator: &Package,
    sdk: &Package,
    metadata: &Metadata,
) -> Result<String> {
    let mut sdk_source = source(sdk)?;
    sdk_source.insert("features".into(), vec!["bench"].into());
    let mut dependencies = Table::new();
    dependencies.insert(operator.name.clone(), Value::Table(source(operator)?));
    dependencies.insert(SDK.into(), Value::Table(sdk_source));
    let mut package = Table::new();
    package.insert("name".into(), name.into());
    package.insert("version".into(), "0.0.0".into());
    package.insert("edition".into(), "2024".into());
    let mut manifest = Table::new();
    manifest.insert("package".into(), package.into());
    manifest.insert("dependencies".into(), dependencies.into());
    // Not part of the workspace whose `target` contains it.
    manifest.insert("workspace".into(), Table::new().into());
    let root = metadata.workspace_root.join("Cargo.toml");
    let text = sandbar_files::read_text(&root, sandbar_files::limits::DOCUMENT)
        .with_context(|| format!("{}", root.display()))?;
    let mut root: Table = text.parse().with_context(|| format!("{}", root.display()))?;
    if let Some(profile) = root.remove("profile") {
        manifest.insert("profile".into(), profile);
    }
    Ok(manifest.to_string())
}

/// The source of a package, as in a dependency. The operator and this program must
/// use the same SDK, or there would be two.
fn source(package: &Package) -> Result<Table> {
    let mut table = Table::new();
    let mut say = |key: &str, value: String| table.insert(key.into(), value.into());
    match package.source.as_deref() {
        None => {
            let folder = package.manifest_path.parent().and_then(Path::to_str);
            let folder =
                folder.with_context(|| format!("{}: the path is not UTF-8", package.name))?;
            say("path", folder.to_owned());
        }
        Some(source) => match source.strip_prefix("git+") {
            None => {
                say("version", format!("={}", package.version));
            }
            Some(git) => {
                let git = git.split_once('#').map_or(git, |(git, _)| git);
                let (url, query) = git.split_once('?').unwrap_or((git, ""));
                say("git", url.to_owned());
                if let Some((key, value)) = query.split_once('=') {
                    say(key, value.to_owned());
                }
            }
        },
    }
    Ok(table)
}

fn metadata(manifest: &Path) -> Result<Metadata> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--manifest-path"])
        .arg(manifest)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo, which --native needs")?;
    if !output.status.success() {
        bail!("{}: cargo cannot read it: {}", manifest.display(), output.status);
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The machine that cargo builds for by default; a `.cargo/config.toml` may say otherwise.
fn triple() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("cannot start rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}

fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().context("the path has no folder")?;
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .with_context(|| format!("{}", path.display()))
}
