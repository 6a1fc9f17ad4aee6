//! Which OpenSSL is linked: the system's where it is there, else one that is built from source.
//!
//! librdkafka and the HTTP client need OpenSSL. Building it takes minutes and needs perl; most
//! machines that compile software have it. The choice stands in a file that cargo includes
//! (`.cargo/config.toml`), so that a plain `cargo build` makes the same one and nothing is
//! compiled twice.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::cargo;

/// The file with the choice, in the repository's root. Not part of the repository.
const FILE: &str = ".cargo/local.toml";

/// Notes the choice, unless it has been made: by an earlier run, by hand, or by the environment.
///
/// # Errors
/// If the file cannot be written.
pub fn choose() -> Result<()> {
    let file = cargo::root().join(FILE);
    if file.exists() || std::env::var_os("OPENSSL_NO_VENDOR").is_some() {
        return Ok(());
    }
    write(&file, is_there())
}

/// Whether the system has OpenSSL 3 with its headers, where `openssl-sys` finds it.
fn is_there() -> bool {
    let asked = Command::new("pkg-config")
        .args(["--atleast-version=3", "openssl"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

fn write(file: &Path, system: bool) -> Result<()> {
    let text = match system {
        true => {
            "# Written by cargo xtask: the system's OpenSSL is linked.\n\
             # Delete this file to look again, or remove the line to build OpenSSL from source.\n\
             [env]\nOPENSSL_NO_VENDOR = \"1\"\n"
        }
        false => {
            "# Written by cargo xtask: pkg-config finds no OpenSSL 3, it is built from source.\n\
             # Delete this file to look again.\n"
        }
    };
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_valid_configuration() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("sandbar-openssl-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        for system in [true, false] {
            let file = folder.join("local.toml");
            write(&file, system)?;
            let text = std::fs::read_to_string(&file)?;
            assert_eq!(text.contains("\nOPENSSL_NO_VENDOR = \"1\"\n"), system);
        }
        std::fs::remove_dir_all(&folder)?;
        Ok(())
    }

    /// Without the include the choice would be without effect.
    #[test]
    fn cargo_reads_the_choice() -> Result<()> {
        let config = std::fs::read_to_string(cargo::root().join(".cargo/config.toml"))?;
        assert!(config.contains("include = [{ path = \"local.toml\", optional = true }]"));
        Ok(())
    }
}
