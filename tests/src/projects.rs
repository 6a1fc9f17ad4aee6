//! Folders for the operators that `sandbar new` makes, with what their builds can share.
//!
//! A project in Rust is compiled where the operators here are: the crates that both use are
//! compiled there already. What comes out lies in the project; two projects at the same time
//! must not have one name though, since what a linker writes does not say of which it is.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::paths::{self, sandbar};

/// Names the languages, besides Rust, whose tools are there: `cargo xtask test` sets it.
pub const LANGUAGES: &str = "SANDBAR_TEST_LANGUAGES";

/// A folder of projects in one language. It is always the same, since what cargo compiled for a
/// folder is of use in that folder only; and it is removed when its test has passed.
pub struct Projects {
    folder: PathBuf,
    language: &'static str,
}

impl Projects {
    /// For Rust.
    pub fn rust(name: &str) -> Projects {
        Projects::at(name, "rust")
    }

    /// For Python, where it is there.
    pub fn python(name: &str) -> Option<Projects> {
        has("python").then(|| Projects::at(name, "python"))
    }

    /// For JavaScript, where it is there.
    pub fn javascript(name: &str) -> Option<Projects> {
        has("javascript").then(|| Projects::at(name, "javascript"))
    }

    /// # Panics
    /// Where the folder cannot be made.
    fn at(name: &str, language: &'static str) -> Projects {
        let folder = paths::project().canonicalize().unwrap().join("target/projects").join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        std::fs::create_dir_all(&folder).unwrap();
        Projects { folder, language }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `sandbar new WORLD WORLD`, in this language.
    pub fn create(&self, world: &str) -> Command {
        let mut command = self.sandbar(".");
        command.args(["new", world, world, "--lang", self.language]);
        command
    }

    /// `sandbar` in one of the projects.
    pub fn sandbar(&self, project: &str) -> Command {
        self.prepare(sandbar(), project)
    }

    /// Another program in one of the projects.
    pub fn command(&self, program: &str, project: &str) -> Command {
        self.prepare(Command::new(program), project)
    }

    /// Anywhere in a project the command is found. What it compiles of Python or JavaScript is
    /// large, and never used again: the cache goes with the project.
    fn prepare(&self, mut command: Command, project: &str) -> Command {
        command.current_dir(self.folder.join(project));
        let sandbar = sandbar();
        let folder = Path::new(sandbar.get_program()).parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders).unwrap());
        command.envs(sandbar.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("SANDBAR_CACHE", self.folder.join("cache"));
        // The crates that a project needs are those of the operators here, and fetched.
        command.env("CARGO_NET_OFFLINE", "true").env("SANDBAR_LOG", "error");
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
            command.env_remove(variable);
        }
        // Only a project says where its component comes out.
        command.env_remove("CARGO_TARGET_DIR");
        // With, and as, the operators' crates.
        command.env("CARGO_BUILD_BUILD_DIR", paths::project().join("operators/target"));
        command.env("CARGO_PROFILE_DEV_DEBUG", "false");
        command
    }

    /// Lets a project use a folder that another's build has made. (venv and npm refuse one
    /// that is elsewhere.)
    ///
    /// # Panics
    /// Where there is one already.
    pub fn borrow(&self, project: &str, name: &str, from: &str) {
        if project != from {
            let lent = self.folder.join(from).join(name);
            symlink(lent, self.folder.join(project).join(name)).unwrap();
        }
    }
}

impl Drop for Projects {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // What cannot be removed is in the way of nothing but disks.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Whether operators can be built in a language; says so where they cannot.
pub fn has(language: &str) -> bool {
    let languages = std::env::var(LANGUAGES).unwrap_or_default();
    let found = languages.split(',').any(|it| it == language);
    if !found {
        eprintln!("skipped: {LANGUAGES} does not name {language}, see `cargo xtask test`");
    }
    found
}

/// What a command prints to standard output.
///
/// # Panics
/// Where it fails.
pub fn output(command: &mut Command) -> String {
    let result = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&result.stderr);
    let stdout = String::from_utf8(result.stdout).unwrap();
    assert!(result.status.success(), "{command:?}: {}\n{stdout}\n{stderr}", result.status);
    stdout
}
