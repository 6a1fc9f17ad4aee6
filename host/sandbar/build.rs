//! Embeds what `sandbar new` writes: templates, the contract, the SDKs.
//!
//! The list is generated here, not by a macro over a folder, because cargo must know that the
//! command depends on these files.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The embedded files and folders, from the project's folder.
const ROOTS: [&str; 10] = [
    "LICENSE",
    "operators/Cargo.lock",
    "operators/sdk/Cargo.toml",
    "operators/sdk/README.md",
    "operators/sdk/src",
    "operators/sdk-javascript",
    "operators/sdk-python",
    "rust-toolchain.toml",
    "templates",
    "wit",
];

fn main() -> io::Result<()> {
    let folder = |name| env::var_os(name).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let project = folder("CARGO_MANIFEST_DIR")?.join("../..");
    let mut files = Vec::new();
    for root in ROOTS {
        let path = project.join(root);
        // Cargo watches all files in a folder.
        println!("cargo::rerun-if-changed={}", path.display());
        collect(&path, root.to_owned(), &mut files)?;
    }
    files.sort();
    let mut code = "&[\n".to_owned();
    for (name, path) in &files {
        let path = path.display().to_string();
        writeln!(code, "    ({name:?}, include_str!({path:?})),").map_err(io::Error::other)?;
    }
    code.push_str("]\n");
    fs::write(folder("OUT_DIR")?.join("embedded.rs"), code)
}

/// The files below `path`, under `name` in the project, without the leftovers of tools.
fn collect(path: &Path, name: String, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    if !path.is_dir() {
        files.push((name, path.to_owned()));
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        if !["__pycache__", "node_modules", "target", ".venv"].contains(&file.as_str()) {
            collect(&entry.path(), format!("{name}/{file}"), files)?;
        }
    }
    Ok(())
}
