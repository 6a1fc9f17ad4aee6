//! Makes sure that the toolchain has what a verb needs.
//!
//! `rust-toolchain.toml` names the target and the components, and rustup adds
//! them by itself, unless it is told not to (`RUSTUP_AUTO_INSTALL=0`) or the
//! toolchain came without rustup. Then this module does it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

/// What components are compiled for.
pub const WASM_TARGET: &str = "wasm32-wasip2";

/// Makes sure that rustc has a standard library for [`WASM_TARGET`]; asks
/// rustup for it where it is missing.
///
/// # Errors
/// If it is missing and rustup cannot add it, with what to do.
pub fn ensure_wasm_target() -> Result<()> {
    // rustc looks at the folder, however it was installed: checking for it
    // works without rustup too.
    let sysroot = process::output_of(Command::new("rustc").args(["--print", "sysroot"]))
        .context("no Rust compiler found; install Rust with rustup: https://rustup.rs")?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib").join(WASM_TARGET).join("lib");
    if library.is_dir() {
        return Ok(());
    }
    eprintln!("adding the target {WASM_TARGET} to the Rust toolchain");
    process::run(Command::new("rustup").args(["target", "add", WASM_TARGET])).with_context(|| {
        format!(
            "the Rust toolchain in {} cannot compile for {WASM_TARGET}, which components need: \
             install Rust with rustup (https://rustup.rs) and run `rustup target add \
             {WASM_TARGET}`, or install your distribution's standard library for that target",
            sysroot.trim()
        )
    })
}

/// Makes sure that `cargo fmt` and `cargo clippy` are installed.
///
/// # Errors
/// If one is missing and rustup cannot add it, with what to do.
pub fn ensure_lint_tools() -> Result<()> {
    for (program, component) in [("cargo-fmt", "rustfmt"), ("cargo-clippy", "clippy")] {
        let present = Command::new(program)
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success());
        if !present {
            eprintln!("adding {component} to the Rust toolchain");
            process::run(Command::new("rustup").args(["component", "add", component]))
                .with_context(|| {
                    format!(
                        "{program} is missing: install Rust with rustup (https://rustup.rs) and \
                         run `rustup component add {component}`"
                    )
                })?;
        }
    }
    Ok(())
}
