//! An operator's folder: `operator.toml` has its name, how it is built, and
//! the resulting component. All commands for one operator (`sandbar build`, `sandbar test`,
//! `sandbar bench`) read it.
//!
//! ```
//! use std::path::Path;
//! use sandbar_sandbox::operator_folder::OperatorFolder;
//!
//! let text = r#"
//!     name = "words"
//!     component = "target/wasm32-wasip2/release/words.wasm"
//!     [build]
//!     commands = ["cargo build --target wasm32-wasip2 --release"]
//! "#;
//! let operator = OperatorFolder::parse(text, Path::new("words/operator.toml"))?;
//! assert_eq!(operator.component(), Path::new("words/target/wasm32-wasip2/release/words.wasm"));
//! # Ok::<(), sandbar_sandbox::operator_folder::FolderError>(())
//! ```

use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use crate::{LimitsSection, limit_problems, stage_name_problem};
use sandbar_config::Problems;
use sandbar_config::{Document, KeyPath};

/// The description in an operator's folder.
pub const DESCRIPTION: &str = "operator.toml";

/// An operator's folder, as described by its `operator.toml`.
/// `docs/reference/operator-folder.md` says the same to the people who write one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OperatorFolder {
    /// The operator's name, and that of its stage unless a manifest gives another.
    pub name: String,
    /// The component that the build creates, relative to the folder.
    component: PathBuf,
    /// How it is built. Default: not by Sandbar.
    #[serde(default)]
    pub build: Build,
    /// What the operator needs, in tests and benchmarks and of a stage. Default: what
    /// a stage has by default.
    #[serde(default)]
    pub limits: LimitsSection,
    /// The folder.
    #[serde(skip)]
    folder: PathBuf,
}

/// `[build]`: how the component is built.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Build {
    /// Commands for `sh`, in this order, in the operator's folder; the first that fails
    /// ends it. None by default.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Files and folders, relative to the operator's, that the component depends on.
    /// Default: all in the folder.
    #[serde(default)]
    pub watch: Vec<PathBuf>,
}

/// Why a folder is not a valid operator's folder.
#[derive(Debug, Error)]
pub enum FolderError {
    /// The description cannot be read.
    #[error(
        "{path}: {cause}; an operator's folder has an {DESCRIPTION} in it, and `sandbar new` makes one",
        path = path.display()
    )]
    Read {
        /// The path of `operator.toml`.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The description has invalid content; a line for each problem.
    #[error(transparent)]
    Invalid(#[from] Problems),
}

impl OperatorFolder {
    /// Reads and checks the description in `folder`, or the description at `folder`.
    /// The component need not be built.
    ///
    /// # Errors
    /// If it cannot be read, or as in [`OperatorFolder::parse`].
    pub fn open(folder: &Path) -> Result<Self, FolderError> {
        let path = match folder.file_name() {
            Some(name) if name == DESCRIPTION && !folder.is_dir() => folder.to_owned(),
            _ => folder.join(DESCRIPTION),
        };
        let text = sandbar_files::read_text(&path, sandbar_files::limits::DOCUMENT)
            .map_err(|cause| FolderError::Read { path: path.clone(), cause })?;
        OperatorFolder::parse(&text, &path)
    }

    /// Reads and checks a description. `path` is where it comes from, for errors and for
    /// the paths in it; the file need not exist.
    ///
    /// # Errors
    /// If the text is not TOML, has a key that is not known, lacks one that is needed,
    /// or a value is not allowed.
    pub fn parse(text: &str, path: &Path) -> Result<Self, FolderError> {
        let document = Document::new(path, text)?;
        let mut operator: OperatorFolder = document.read()?;
        operator.folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let mut problems =
            limit_problems(&document, &KeyPath::of("limits"), &operator.limits, None);
        let mut report = |place: KeyPath, message: String| {
            problems.push(document.problem(&place, message));
        };
        if let Some(problem) = stage_name_problem(&operator.name) {
            report(KeyPath::of("name"), problem);
        }
        if operator.component.as_os_str().is_empty() {
            report(
                KeyPath::of("component"),
                "must not be empty; name the file that is built".into(),
            );
        }
        for (index, command) in operator.build.commands.iter().enumerate() {
            if command.trim().is_empty() {
                let place = KeyPath::of("build").key("commands").index(index);
                report(place, "must not be empty; give a command, or leave it out".into());
            }
        }
        if problems.is_empty() { Ok(operator) } else { Err(document.problems(problems).into()) }
    }

    /// The folder, as this process can open it.
    pub fn folder(&self) -> &Path {
        // A relative path without folders has an empty parent.
        if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder }
    }

    /// The component that the build creates, as this process can open it.
    pub fn component(&self) -> PathBuf {
        self.folder.join(&self.component)
    }

    /// The component that the build creates, relative to the folder.
    pub fn component_in_folder(&self) -> &Path {
        &self.component
    }

    /// What the component depends on, as this process can open it: if `watch` is empty,
    /// the folder.
    pub fn watched(&self) -> Vec<PathBuf> {
        match self.build.watch.as_slice() {
            [] => vec![self.folder().to_owned()],
            watch => watch.iter().map(|path| self.folder.join(path)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    fn error(text: &str) -> String {
        OperatorFolder::parse(text, Path::new("words/operator.toml")).unwrap_err().to_string()
    }

    #[test]
    fn paths_are_seen_from_the_folder() {
        let text = "name = \"words\"\ncomponent = \"a/words.wasm\"\n[build]\nwatch = [\"src\"]";
        let operator = OperatorFolder::parse(text, Path::new("x/words/operator.toml")).unwrap();
        assert_eq!(operator.folder(), Path::new("x/words"));
        assert_eq!(operator.component(), Path::new("x/words/a/words.wasm"));
        assert_eq!(operator.watched(), [Path::new("x/words/src")]);
        let here = OperatorFolder::parse(text, Path::new("operator.toml")).unwrap();
        assert_eq!(here.folder(), Path::new("."));
        assert_eq!(here.component(), Path::new("a/words.wasm"));
    }

    #[test]
    fn what_it_leaves_out_has_defaults() {
        let text = "name = \"words\"\ncomponent = \"words.wasm\"\n[limits]\nmemory = \"1 GiB\"";
        let operator = OperatorFolder::parse(text, Path::new("operator.toml")).unwrap();
        assert_eq!(operator.build, Build::default());
        assert_eq!(operator.watched(), [Path::new(".")]);
        assert_eq!(operator.limits.memory.as_u64(), 1 << 30);
        assert_eq!(operator.limits.deadline, LimitsSection::default().deadline);
    }

    #[test]
    fn errors_name_the_line_and_the_way_out() {
        let start = "name = \"words\"\ncomponent = \"words.wasm\"\n";
        for (text, expected) in [
            (
                format!("{start}[build]\ncomands = []"),
                "words/operator.toml:4: [build]: unknown key 'comands'; did you mean 'commands'?",
            ),
            (
                format!("{start}[build]\ncommands = [\" \"]"),
                "words/operator.toml:4: [build] commands[0]: must not be empty; give a command, or leave it out",
            ),
            (
                format!("{start}[limits]\ndeadline = \"0s\""),
                "words/operator.toml:4: [limits] deadline: must be greater than zero; give it a duration such as \"1s\", or leave out the key",
            ),
            (
                start.replace("words.wasm", ""),
                "words/operator.toml:2: component: must not be empty; name the file that is built",
            ),
            ("name = \"words\"".into(), "words/operator.toml: the key 'component' is missing"),
        ] {
            assert_eq!(error(&text), expected);
        }
        let missing = OperatorFolder::open(Path::new("nowhere")).unwrap_err().to_string();
        assert!(missing.starts_with("nowhere/operator.toml: "), "{missing}");
        assert!(missing.contains("`sandbar new` makes one"), "{missing}");
    }
}
