//! The command `sandbar`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match sandbar::cli::Cli::parse().execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            sandbar::cli::status(&error).into()
        }
    }
}
