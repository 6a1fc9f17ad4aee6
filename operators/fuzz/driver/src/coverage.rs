//! Hands a target to libFuzzer, which sees what code an input reaches, by cargo-fuzz and a
//! nightly compiler.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::{Suite, TARGET_VARIABLE, Target, corpus};

/// The program of each package that libFuzzer runs, and the feature that it needs.
const PROGRAM: &str = "libfuzzer";

/// Runs targets one after another, for so long each. `false` where one fails.
///
/// # Errors
/// Where cargo-fuzz cannot be started, or a corpus cannot be copied.
pub fn run(suite: &Suite, targets: &[Target], time: Duration) -> Result<bool, String> {
    let mut passed = true;
    for target in targets {
        passed &= one(suite, target, time)?;
    }
    Ok(passed)
}

fn one(suite: &Suite, target: &Target, time: Duration) -> Result<bool, String> {
    // libFuzzer writes what it finds into the corpus that it is given. The committed one
    // stays as it is; this one is kept from run to run.
    let folder = Path::new(suite.folder);
    let working = folder.join("coverage").join(target.name);
    let wrong = |error: std::io::Error| format!("{}: {error}", working.display());
    fs::create_dir_all(&working).map_err(wrong)?;
    for (path, bytes) in corpus::seeds(suite, target)? {
        let name = path.file_name().unwrap_or_default();
        fs::write(working.join(name), bytes).map_err(wrong)?;
    }
    let artifacts = suite.artifacts(target);
    fs::create_dir_all(&artifacts).map_err(|error| format!("{}: {error}", artifacts.display()))?;

    let mut command = Command::new("rustup");
    command
        .current_dir(folder)
        .args([
            "run",
            "nightly",
            "cargo",
            "fuzz",
            "run",
            "--fuzz-dir",
            ".",
            "--features",
            PROGRAM,
            PROGRAM,
        ])
        .arg(&working)
        .arg("--")
        .arg(format!("-max_total_time={}", time.as_secs()))
        .arg(format!("-max_len={}", target.max_len))
        .arg("-timeout=10")
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .env(TARGET_VARIABLE, target.name)
        // A component's profile is none to fuzz with.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_STRIP", "none")
        // Cargo told us which toolchain is ours; this is to be another.
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO")
        .env_remove("RUSTC");
    if let Some(dictionary) = corpus::dictionary_file(suite, target) {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let status = command.status().map_err(|error| format!("cannot start rustup: {error}"))?;
    if !status.success() {
        eprintln!(
            "{}: `cargo +nightly fuzz` failed ({status}); it needs `rustup toolchain install \
             nightly` and `cargo install cargo-fuzz`",
            target.name
        );
    }
    Ok(status.success())
}
