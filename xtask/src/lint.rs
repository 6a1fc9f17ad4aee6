//! Lints that compile nothing twice.
//!
//! `cargo clippy` only checks crates, also those of others, whose checked form no build can use:
//! to lint the host it goes through four hundred crates that its tests then compile anyway. Here
//! cargo builds instead, and what it compiles of others is what the tests link. For the
//! workspace's own crates it calls this program in the place of rustc (`RUSTC_WORKSPACE_WRAPPER`,
//! as `cargo clippy` does), and that runs clippy's compiler to the end of its lints, without the
//! code behind them. See docs/decisions/0053-lints-beside-the-build.md.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};

use crate::process;

/// Tells this program that cargo calls it in the place of rustc.
const VARIABLE: &str = "SANDBAR_LINTS";

/// What clippy's compiler is told, in the form in which `cargo clippy` tells it. Warnings are
/// errors only here: during development, a warning that stops the build is a hindrance.
const DENY_WARNINGS: (&str, &str) =
    ("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__");

/// Where cargo is to put what it has built in `folder`: the programs that lints leave are empty.
pub fn results(folder: &Path) -> PathBuf {
    folder.join("lints")
}

/// Runs a build of cargo that lints what is the workspace's own, with what is compiled of others in
/// `folder`.
///
/// # Errors
/// When a lint warns, or what is not the workspace's own does not compile.
pub fn run_instead_of(build: &mut Command, folder: &Path) -> Result<()> {
    let own = env::current_exe().context("where this program is, is not known")?;
    build.env("RUSTC_WORKSPACE_WRAPPER", own).env(VARIABLE, "1");
    build.env(DENY_WARNINGS.0, DENY_WARNINGS.1).env("CARGO_BUILD_BUILD_DIR", folder);
    process::run(build)
}

/// What this program is to do where cargo calls it in the place of rustc; `None` elsewhere.
pub fn called_by_cargo() -> Option<ExitCode> {
    env::var_os(VARIABLE)?;
    let mut arguments = env::args_os().skip(1);
    let outcome = arguments.next().context("no compiler is named").and_then(|rustc| {
        let arguments: Vec<OsString> = arguments.collect();
        compile(&rustc.into(), &arguments)
    });
    Some(outcome.map_or_else(
        |error| {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        },
        |success| if success { ExitCode::SUCCESS } else { ExitCode::FAILURE },
    ))
}

/// Lints a crate; answers whether it is clean. A question to the compiler, and a build script,
/// which is to be run, are passed on as they are.
fn compile(rustc: &PathBuf, arguments: &[OsString]) -> Result<bool> {
    let clippy = |arguments: &[OsString]| {
        let mut clippy = Command::new("clippy-driver");
        clippy.arg(rustc).args(arguments).status().context("cannot start clippy-driver")
    };
    let Some(folder) = value_of("--out-dir", arguments).filter(|_| !is_build_script(arguments))
    else {
        return Ok(clippy(arguments)?.success());
    };
    let linted: Vec<OsString> = arguments.iter().map(without_code).collect();
    if !clippy(&linted)?.success() {
        return Ok(false);
    }
    // Cargo takes a crate for compiled whose files are there and new.
    let names = Command::new(rustc).args(arguments).arg("--print=file-names").output();
    let names = names.with_context(|| format!("cannot start {}", rustc.display()))?;
    ensure!(names.status.success(), "rustc does not say which files it would write");
    for name in String::from_utf8_lossy(&names.stdout).lines() {
        let path = Path::new(folder).join(name);
        let file = File::options().append(true).create(true).open(&path);
        file.and_then(|file| file.set_modified(SystemTime::now()))
            .with_context(|| path.display().to_string())?;
    }
    Ok(true)
}

fn is_build_script(arguments: &[OsString]) -> bool {
    value_of("--crate-name", arguments).is_some_and(|name| name.starts_with("build_script_"))
}

/// The value behind an argument.
fn value_of<'a>(name: &str, arguments: &'a [OsString]) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1)?.to_str()
}

/// An argument of rustc, changed where it asks for code: nothing but what others need to be
/// checked is written, and of a crate that is used nothing but that is read.
fn without_code(argument: &OsString) -> OsString {
    let Some(text) = argument.to_str() else { return argument.clone() };
    if text.starts_with("--emit=") {
        return "--emit=dep-info,metadata".into();
    }
    match text.strip_suffix(".rlib").map(|path| format!("{path}.rmeta")) {
        // `NAME=PATH`, as `--extern` takes it.
        Some(text) if text.split_once('=').is_some_and(|(_, path)| Path::new(path).exists()) => {
            text.into()
        }
        _ => argument.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linted_is_not_compiled() {
        let folder = env::temp_dir().join(format!("xtask-lint-{}", std::process::id()));
        assert!(std::fs::create_dir_all(&folder).is_ok());
        let (library, other) = (folder.join("liba-1.rlib"), folder.join("libb-1.rlib"));
        let metadata = folder.join("liba-1.rmeta");
        assert!(File::create(&metadata).is_ok());
        let of = |text: String| without_code(&OsString::from(text));
        assert_eq!(of("--emit=dep-info,metadata,link".into()), "--emit=dep-info,metadata");
        let expected = format!("a={}", metadata.display());
        assert_eq!(of(format!("a={}", library.display())), *expected);
        // A crate without it is read as it is.
        let expected = format!("b={}", other.display());
        assert_eq!(of(expected.clone()), *expected);
        assert_eq!(of("opt-level=3".into()), "opt-level=3");
        assert!(std::fs::remove_dir_all(&folder).is_ok());
    }

    #[test]
    fn a_build_script_is_compiled() {
        let arguments = ["--crate-name", "build_script_build", "--out-dir", "a"];
        let arguments = arguments.map(OsString::from);
        assert!(is_build_script(&arguments));
        assert_eq!(value_of("--out-dir", &arguments), Some("a"));
        assert!(!is_build_script(&arguments[2..]));
    }
}
