//! `cargo xtask check`: the format, the lints and the order of both workspaces.

use anyhow::{Result, ensure};

use crate::{cargo, floors, lint, operators, process, toolchain};

/// Checks everything, and stops at the first thing that is wrong.
///
/// # Errors
/// When a file is not formatted, a lint warns, or a tool is missing.
pub fn run() -> Result<()> {
    toolchain::ensure_lint_tools()?;
    toolchain::ensure_wasm_target()?;

    process::heading("format");
    process::run(cargo::host().args(["fmt", "--all", "--check"]))?;
    process::run(cargo::operators_natively().args(["fmt", "--all", "--check"]))?;

    process::heading("order of crates and modules");
    let problems = floors::problems()?;
    ensure!(problems.is_empty(), "out of order:\n{}", problems.join("\n"));

    process::heading("lints of the host and of the operators");
    process::side_by_side(("host", lint_host), ("operators", lint_operators))?;
    eprintln!("\nformat and lints: clean");
    Ok(())
}

/// In release, as the tests are built, which then have what is compiled of others.
fn lint_host() -> Result<()> {
    let folder = cargo::build_folder(cargo::host())?;
    let mut build = cargo::host();
    build.args(["build", "--release", "--workspace", "--all-targets", "--target-dir"]);
    lint::run_instead_of(build.arg(lint::results(&folder)), &folder)
}

/// Natively, and as components: code behind `cfg(target_arch = "wasm32")` is only checked there.
fn lint_operators() -> Result<()> {
    let folder = cargo::build_folder(cargo::operators_natively())?;
    let mut build = cargo::operators_natively();
    build.args(["build", "--workspace", "--all-targets", "--target-dir"]);
    lint::run_instead_of(build.arg(lint::results(&folder)), &folder)?;

    let folder = cargo::wasm_folder();
    let mut build = cargo::operators_for_wasm(&lint::results(&folder));
    let components = operators::component_crates()?;
    build.arg("--lib").args(components.iter().flat_map(|it| ["--package", &it.package]));
    lint::run_instead_of(&mut build, &folder)
}
