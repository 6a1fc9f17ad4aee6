//! The targets for the stable toolchain; `cargo test` and `cargo xtask fuzz` run them.

#![allow(clippy::print_stdout, reason = "for those who develop Sandbar")]

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(status) = sandbar_fuzz::serve() {
        return status;
    }
    let status = fuzz_driver::main(&sandbar_fuzz::SUITE);
    sandbar_fuzz::graphs::summary().into_iter().for_each(|summary| println!("{summary}"));
    status
}
