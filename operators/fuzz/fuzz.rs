//! The targets for the stable toolchain; `cargo test` and `cargo xtask fuzz` run them.

use std::process::ExitCode;

fn main() -> ExitCode {
    fuzz_driver::main(&sandbar_operators_fuzz::SUITE)
}
