//! Runs fuzz targets: functions that take any bytes and must not panic.
//!
//! There are two ways to run one. The stable way changes the inputs of a committed corpus
//! at random ([`mutate`]) and needs nothing but the stable toolchain, so every test run does
//! it for two seconds a target. It does not see which code an input reaches; libFuzzer
//! does, and [`coverage`] starts it by cargo-fuzz, with the same function, corpus and
//! dictionary.
//!
//! A package of targets has a `[[test]]` without libtest's harness whose `main` is [`main`],
//! so `cargo test` compiles and runs it like any other test program. `cargo xtask fuzz`
//! gives it the arguments of [`arguments`].

pub mod arguments;
pub mod corpus;
pub mod coverage;
pub mod mutate;
pub mod stable;
mod target;

use std::process::ExitCode;

use arguments::{Arguments, Mode};

pub use target::{Suite, TARGET_VARIABLE, Target};

/// The `main` of a package of fuzz targets.
pub fn main(suite: &Suite) -> ExitCode {
    let outcome = Arguments::parse(std::env::args().skip(1)).and_then(|arguments| {
        let targets = arguments.select(suite.targets)?;
        match &arguments.mode {
            Mode::List => {
                targets.iter().for_each(|target| println!("{}", target.name));
                Ok(true)
            }
            Mode::Input(file) => stable::reproduce(&targets, file),
            Mode::Coverage => coverage::run(suite, &targets, arguments.seconds),
            Mode::Stable => {
                // Not `all`: one target that fails keeps no other from running.
                let mut passed = true;
                for target in &targets {
                    passed &= stable::run(suite, target, arguments.seconds, arguments.seed)?;
                }
                Ok(passed)
            }
        }
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::from(2)
        }
    }
}

/// The target that [`TARGET_VARIABLE`] names, for the libFuzzer program.
///
/// # Panics
/// Where it names none: libFuzzer has no other way to end with an error.
pub fn selected(targets: &[Target]) -> fn(&[u8]) {
    let name = std::env::var(TARGET_VARIABLE).unwrap_or_default();
    match targets.iter().find(|target| target.name == name) {
        Some(target) => target.run,
        None => panic!("{TARGET_VARIABLE}={name:?} names no target; use `cargo xtask fuzz`"),
    }
}
