//! New projects: an operator's folder that builds, tests and runs, from the templates
//! embedded in the command.
//!
//! The SDK and the contract come from the command too, not from a registry or a clone, so
//! that they always fit the runner that will run the operator.

mod files;
mod language;
mod name;

use std::path::{Path, PathBuf};

use minijinja::{Environment, UndefinedBehavior, context};
use thiserror::Error;

pub use language::Language;

use sandbar_sandbox::component::World;
use sandbar_sandbox::operator_folder::{FolderError, OperatorFolder};

/// The extension of templates. Files without it are copied unchanged.
const TEMPLATE: &str = ".jinja";

/// The requested project.
#[derive(Debug, Clone)]
pub struct Project {
    /// What the operator is for.
    pub world: World,
    /// What it is written in.
    pub language: Language,
    /// The operator's name.
    pub name: String,
    /// The folder, which must not exist.
    pub folder: PathBuf,
    /// A folder of the SDK for Rust to use instead of a copy.
    pub sdk: Option<PathBuf>,
    /// The folder of the operator that forms a pipeline with this one: an extractor's for
    /// a scorer, a scorer's for an extractor.
    pub with: Option<PathBuf>,
}

/// Why a project cannot be created.
#[derive(Debug, Error)]
pub enum ProjectError {
    /// The name is invalid.
    #[error("'{name}' cannot be the name of an operator: {reason}")]
    Name {
        /// The name.
        name: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The folder exists already.
    #[error(
        "{path} already exists; choose another name, or another folder with --path",
        path = .0.display()
    )]
    Exists(PathBuf),
    /// `--sdk` does not name the SDK's folder.
    #[error("{path}: not the SDK's folder, as it has no crate 'sandbar-operator'; name operators/sdk of a clone of Sandbar", path = .0.display())]
    Sdk(PathBuf),
    /// `sdk` is for Rust.
    #[error("--sdk is for Rust; for {0} the helper is one file in the project's vendor/")]
    NoSdk(Language),
    /// `with` is for extractors and scorers.
    #[error(
        "--with joins an extractor and a scorer; a transformer's project has a pipeline of its own"
    )]
    NoPair,
    /// `with` does not name an operator's folder.
    #[error(transparent)]
    With(#[from] FolderError),
    /// A file cannot be written, or a path cannot be resolved.
    #[error("{path}: {cause}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// A template of this command is invalid.
    #[error("internal error in Sandbar's template {name}: {cause}")]
    Template {
        /// Its name.
        name: String,
        /// What is wrong with it.
        cause: minijinja::Error,
    },
}

impl ProjectError {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |cause| ProjectError::Io { path: path.to_owned(), cause }
    }
}

impl Project {
    /// Writes the project. If that fails, the folder is removed.
    ///
    /// # Errors
    /// If the name cannot be one, the folder exists, or something cannot be written.
    pub fn create(&self) -> Result<(), ProjectError> {
        if let Some(reason) = name::problem(&self.name) {
            return Err(ProjectError::Name { name: self.name.clone(), reason });
        }
        if self.folder.symlink_metadata().is_ok() {
            return Err(ProjectError::Exists(self.folder.clone()));
        }
        let files = self.files()?;
        std::fs::create_dir_all(&self.folder).map_err(ProjectError::io(&self.folder))?;
        let written = self.write(&files);
        if written.is_err() {
            // The first error matters more than a folder that remains.
            drop(std::fs::remove_dir_all(&self.folder));
        }
        written
    }

    fn write(&self, files: &[(String, String)]) -> Result<(), ProjectError> {
        for (name, text) in files {
            let path = self.folder.join(name);
            let folder = path.parent().unwrap_or(&self.folder);
            std::fs::create_dir_all(folder).map_err(ProjectError::io(folder))?;
            std::fs::write(&path, text).map_err(ProjectError::io(&path))?;
        }
        // Only now both folders exist, so that there is a relative path.
        if let Some(with) = &self.with {
            let path = self.folder.join("pipeline.toml");
            std::fs::write(&path, self.pipeline(with)?).map_err(ProjectError::io(&path))?;
        }
        Ok(())
    }

    /// The files of the project without the pipeline of two: name and text.
    fn files(&self) -> Result<Vec<(String, String)>, ProjectError> {
        let sdk = match &self.sdk {
            Some(_) if self.language != Language::Rust => {
                return Err(ProjectError::NoSdk(self.language));
            }
            Some(sdk) => Some(sdk_folder(sdk)?),
            None => None,
        };
        if let Some(with) = &self.with {
            if self.world == World::Transformer {
                return Err(ProjectError::NoPair);
            }
            OperatorFolder::open(with)?;
        }
        let values = context! {
            name => &self.name,
            crate => self.name.replace('-', "_"),
            world => self.world.to_string(),
            language => self.language.to_string(),
            pair => self.with.is_some(),
            component => self.language.component(&self.name),
            copied => sdk.is_none(),
            version => env!("CARGO_PKG_VERSION"),
            sdk => quoted(&sdk.as_ref().map_or("vendor/sandbar-operator".into(), |path| path.to_string_lossy())),
        };
        let mut list = Vec::new();
        for (name, text) in files::of(self.language, self.world, sdk.is_none()) {
            let (name, text) = match name.strip_suffix(TEMPLATE) {
                Some(plain) => (plain.to_owned(), render(&name, text, &values)?),
                None => (name, text.to_owned()),
            };
            list.push((name, text));
        }
        Ok(list)
    }

    /// The manifest of a pipeline of this operator and that of another folder.
    fn pipeline(&self, with: &Path) -> Result<String, ProjectError> {
        let other = OperatorFolder::open(with)?;
        let way = way(&self.folder, other.folder())?;
        let own = context! {
            name => &self.name,
            component => quoted(&self.language.component(&self.name)),
        };
        let other = context! {
            name => &other.name,
            component => quoted(&way.join(other.component_in_folder()).to_string_lossy()),
        };
        let (extractor, scorer) = match self.world {
            World::Extractor => (own, other),
            World::Scorer | World::Transformer => (other, own),
        };
        let name = files::PAIR;
        render(name, files::text(name), &context! { name => &self.name, extractor, scorer })
    }
}

/// A text in TOML.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn render(name: &str, text: &str, values: &minijinja::Value) -> Result<String, ProjectError> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
        .render_str(text, values)
        // minijinja removes the newline at the end of a template.
        .map(|text| text + "\n")
        .map_err(|cause| ProjectError::Template { name: name.to_owned(), cause })
}

/// The absolute path of the SDK's folder: a project may be moved.
fn sdk_folder(path: &Path) -> Result<PathBuf, ProjectError> {
    let manifest =
        sandbar_files::read_text(&path.join("Cargo.toml"), sandbar_files::limits::DOCUMENT);
    let manifest = manifest.unwrap_or_default();
    if !manifest.contains("name = \"sandbar-operator\"") {
        return Err(ProjectError::Sdk(path.to_owned()));
    }
    path.canonicalize().map_err(ProjectError::io(path))
}

/// The relative path from one folder to another.
fn way(from: &Path, to: &Path) -> Result<PathBuf, ProjectError> {
    let from = from.canonicalize().map_err(ProjectError::io(from))?;
    let to = to.canonicalize().map_err(ProjectError::io(to))?;
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(common).map(|_| std::path::Component::ParentDir);
    Ok(up.chain(to.components().skip(common)).collect())
}

/// The next steps for a person, line by line.
pub fn next_steps(project: &Project) -> Vec<String> {
    let mut steps = vec![
        format!("cd {}", project.folder.display()),
        "sandbar build    # the component".to_owned(),
        "sandbar test     # tests/*.toml, in the sandbox".to_owned(),
    ];
    if project.language == Language::Rust {
        steps.push("cargo test       # the same code natively".to_owned());
    }
    if project.world == World::Transformer {
        steps.push("sandbar run pipeline.toml --file samples/lines.txt".to_owned());
    } else if project.with.is_some() {
        steps.push("echo two words | sandbar run pipeline.toml --stdin".to_owned());
    }
    steps
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use clap::ValueEnum;

    use super::*;
    use sandbar_sandbox::operator_folder::DESCRIPTION;

    #[test]
    fn every_language_has_every_world() {
        for language in Language::value_variants() {
            for world in World::ALL {
                let project = Project {
                    world,
                    language: *language,
                    name: "flight-words".into(),
                    folder: "nowhere".into(),
                    sdk: None,
                    with: None,
                };
                let files = project.files().unwrap();
                let file = |name: &str| {
                    let found = files.iter().find(|(found, _)| found == name);
                    &found.unwrap_or_else(|| panic!("{language}, {world}: no {name}")).1
                };
                let operator =
                    OperatorFolder::parse(file(DESCRIPTION), Path::new("o/operator.toml")).unwrap();
                assert_eq!(operator.name, "flight-words");
                assert_eq!(
                    operator.component(),
                    Path::new("o").join(language.component("flight-words"))
                );
                assert!(file("README.md").starts_with("# flight-words\n"));
                assert!(file("wit/worlds.wit").contains("world extractor"));
                file(".gitignore");
                assert!(files.iter().any(|(name, _)| name.starts_with("tests/")));
                assert!(files.iter().all(|(name, _)| !name.ends_with(TEMPLATE)));
            }
        }
    }
}
