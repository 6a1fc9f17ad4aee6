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

    // In release, although lints need no optimising: the tests are built in
    // release, and so the C code of librdkafka's build script, minutes of
    // work, is compiled once for both.
    process::heading("lints of the host");
    process::run(
        cargo::host()
            .args(["clippy", "--release", "--workspace", "--all-targets"])
            .args(DENY_WARNINGS),
    )?;

    process::heading("lints of the operators, natively");
    process::run(
        cargo::operators_natively()
            .args(["clippy", "--workspace", "--all-targets"])
            .args(DENY_WARNINGS),
    )?;

    // Code behind `cfg(target_arch = "wasm32")` is only checked here.
    process::heading("lints of the operators, as components");
    process::run(
        cargo::operators_for_wasm("clippy")
            .arg("--lib")
            .args(operators::component_crates()?.iter().flat_map(|it| ["--package", &it.package]))
            .args(DENY_WARNINGS),
    )?;
    eprintln!("\nformat and lints: clean");
    Ok(())
}
