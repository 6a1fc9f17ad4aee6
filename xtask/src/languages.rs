//! Languages of operators besides Rust: whether their tools are available on this machine.
//!
//! The tools that make components come from the languages' registries, as a project's own
//! build gets them. Trying it here tells whether that works, and warms the caches.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::{cargo, process};

/// A language that `sandbar new` knows.
pub struct Language {
    /// Its name for `sandbar new --lang`.
    pub name: &'static str,
    /// Why it is not available here, if it is not.
    pub missing: Option<&'static str>,
}

/// Looks for Python and JavaScript.
///
/// # Errors
/// When the folder for their tools cannot be written.
pub fn look() -> Result<[Language; 2]> {
    Ok([
        Language { name: "python", missing: python()? },
        Language { name: "javascript", missing: javascript()? },
    ])
}

fn python() -> Result<Option<&'static str>> {
    const READY: &str = "import venv, ensurepip, sys; sys.exit(sys.version_info < (3, 10))";
    if !works(Command::new("python3").args(["-c", READY])) {
        return Ok(Some("no python3 from 3.10 with venv"));
    }
    let folder = prepare("python", &["requirements.txt"])?;
    let install = "python3 -m venv .venv && .venv/bin/pip install --quiet \
                   --disable-pip-version-check --requirement requirements.txt";
    let installed = process::run(Command::new("sh").args(["-c", install]).current_dir(folder));
    outcome(installed, "pip cannot install componentize-py")
}

fn javascript() -> Result<Option<&'static str>> {
    const READY: &str = "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)";
    if !works(Command::new("node").args(["-e", READY])) || !works(Command::new("npm").arg("-v")) {
        return Ok(Some("no node from 20 with npm"));
    }
    let folder = prepare("javascript", &["package.json", "package-lock.json"])?;
    let mut install = Command::new("npm");
    install.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder);
    outcome(process::run(&mut install), "npm cannot install componentize-js")
}

/// A folder with files of a language's template.
fn prepare(language: &str, files: &[&str]) -> Result<PathBuf> {
    let folder = cargo::root().join("target/languages").join(language);
    let template = cargo::root().join("templates").join(language).join("all");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for file in files {
        copy(&template.join(file), &folder.join(file))?;
    }
    Ok(folder)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| from.display().to_string())?;
    Ok(())
}

fn outcome(installed: Result<()>, otherwise: &'static str) -> Result<Option<&'static str>> {
    match installed {
        Ok(()) => Ok(None),
        Err(error) if process::interrupted() => Err(error),
        Err(error) => {
            eprintln!("{error:#}");
            Ok(Some(otherwise))
        }
    }
}

fn works(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}
