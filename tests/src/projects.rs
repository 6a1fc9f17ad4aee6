//! Folders for the operators that `sandbar new` makes, with what their builds can share.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::paths::{project, sandbar};

/// Names the languages, besides Rust, whose tools are there: `cargo xtask test` sets it.
pub const LANGUAGES: &str = "SANDBAR_TEST_LANGUAGES";

/// A folder of projects in one language. It is always the same, and made anew: what cargo
/// compiled for a folder is of use in that folder only.
pub struct Projects {
    folder: PathBuf,
    language: &'static str,
    /// Where the shared parts lie.
    shared: PathBuf,
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
        let root = project().canonicalize().unwrap().join("target/projects");
        let folder = root.join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        let shared = root.join("shared");
        for folder in [&folder, &shared] {
            std::fs::create_dir_all(folder).unwrap();
        }
        Projects { folder, language, shared }
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

    /// Anywhere in a project the command is found, and its cache is that of the tests.
    fn prepare(&self, mut command: Command, project: &str) -> Command {
        command.current_dir(self.folder.join(project));
        let sandbar = sandbar();
        let folder = Path::new(sandbar.get_program()).parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders).unwrap());
        command.envs(sandbar.get_envs().filter_map(|(name, value)| Some((name, value?))));
        // The crates that a project needs are those of the operators here, and fetched.
        command.env("CARGO_NET_OFFLINE", "true").env("SANDBAR_LOG", "error");
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
            command.env_remove(variable);
        }
        // Only a project says where its component comes out.
        command.env_remove("CARGO_TARGET_DIR");
        command
    }

    /// Lets a project use a folder, which its build makes, together with all others of its
    /// language, and with those of the last run.
    ///
    /// # Panics
    /// Where there is one already.
    pub fn share(&self, project: &str, name: &str) {
        let shared = self.shared.join(format!("{}-{name}", self.language));
        std::fs::create_dir_all(&shared).unwrap();
        symlink(shared, self.folder.join(project).join(name)).unwrap();
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
