//! `cargo xtask check`: the format, the lints and the order of both workspaces.

use anyhow::{Result, ensure};

use crate::{cargo, floors, operators, process, toolchain};

/// Warnings are errors only here: during development, a warning that
/// stops the build is a hindrance.
const DENY_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];

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

/// In release, although lints need no optimising: the tests are built in release, and so the C
/// code of librdkafka's build script, minutes of work, is compiled once for both.
fn lint_host() -> Result<()> {
    process::run(
        cargo::host()
            .args(["clippy", "--release", "--workspace", "--all-targets"])
            .args(DENY_WARNINGS),
    )
}

/// Natively, and as components: code behind `cfg(target_arch = "wasm32")` is only checked there.
fn lint_operators() -> Result<()> {
    process::run(
        cargo::operators_natively()
            .args(["clippy", "--workspace", "--all-targets"])
            .args(DENY_WARNINGS),
    )?;
    process::run(
        cargo::operators_for_wasm("clippy")
            .arg("--lib")
            .args(operators::component_crates()?.iter().flat_map(|it| ["--package", &it.package]))
            .args(DENY_WARNINGS),
    )
}
