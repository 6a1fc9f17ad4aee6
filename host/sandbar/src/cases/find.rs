//! Finds cases and their subjects in the paths on the command line.

use std::path::{Path, PathBuf};

use thiserror::Error;

use sandbar_config::{Document, KeyPath};
use sandbar_config::{Problem, Problems};
use sandbar_manifest::cases::syntax::{CaseFile, Test};
use sandbar_manifest::validate::{Of, locate, problems};
use sandbar_manifest::{Manifest, ManifestError, Trust};
use sandbar_sandbox::LimitsSection;
use sandbar_sandbox::operator_folder::{DESCRIPTION, FolderError, OperatorFolder};

/// The cases of one file, and their subject.
pub struct Suite {
    /// The file that has them.
    pub path: PathBuf,
    /// Their subject.
    pub subject: Subject,
    /// The cases, in the order of the file.
    pub tests: Vec<Test>,
}

/// The subject of cases.
pub enum Subject {
    /// An operator alone.
    Operator(Operator),
    /// A pipeline.
    Pipeline(Box<Manifest>),
}

/// An operator tested alone.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Its name.
    pub name: String,
    /// Its component.
    pub component: PathBuf,
    /// Its limits, unless a case overrides them.
    pub limits: LimitsSection,
}

impl Operator {
    /// One of which only the component is known.
    fn at(component: PathBuf) -> Self {
        let stem = component.file_stem().unwrap_or_default().to_string_lossy();
        Operator { name: stem.replace('_', "-"), component, limits: LimitsSection::default() }
    }
}

/// Why there are no cases to run.
#[derive(Debug, Error)]
pub enum FindError {
    /// A file or folder cannot be read.
    #[error("{path}: cannot be read: {cause}", path = path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// A case file has invalid content; one line for each problem.
    #[error(transparent)]
    Invalid(#[from] Problems),
    /// The manifest of a pipeline cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The description of an operator's folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// There are no cases, or their subject is unknown.
    #[error("{path}: {reason}", path = path.display())]
    Nothing {
        /// The file or folder.
        path: PathBuf,
        /// What is missing, and what to do.
        reason: String,
    },
}

/// Collects cases from paths; a component is the subject of the case files after it.
#[derive(Default)]
pub struct Finder {
    /// What was found.
    pub suites: Vec<Suite>,
    /// A component before the case files.
    component: Option<PathBuf>,
    /// Whether no case file has followed it yet.
    unused: bool,
    /// What manifests may bring.
    trust: Trust,
    /// How many files with cases were found, duplicates included.
    met: usize,
}

impl Finder {
    /// A finder of cases of manifests that may bring what `trust` says.
    pub fn trusting(trust: Trust) -> Self {
        Finder { trust, ..Finder::default() }
    }

    /// Adds the cases of a path: an operator's folder, a manifest, a case file, or any
    /// other folder with some of these in it. A component is the subject of the case files
    /// after it.
    ///
    /// # Errors
    /// If something cannot be read, or there are no cases.
    pub fn add(&mut self, path: &Path) -> Result<(), FindError> {
        if path.is_dir() {
            return self.folder(path);
        }
        if path.extension().is_some_and(|ending| ending == "wasm") {
            self.component = Some(path.to_owned());
            self.unused = true;
            return Ok(());
        }
        let before = self.met;
        self.file(path)?;
        match self.met {
            after if after > before => Ok(()),
            _ => Err(nothing(path, "no cases found; write [[tests]] (docs/reference/tests.md)")),
        }
    }

    /// Ends the list of paths.
    ///
    /// # Errors
    /// If no case files follow a component.
    pub fn finish(&self) -> Result<(), FindError> {
        match &self.component {
            Some(path) if self.unused => {
                Err(nothing(path, "no case files follow this component; name some after it"))
            }
            _ => Ok(()),
        }
    }

    fn folder(&mut self, folder: &Path) -> Result<(), FindError> {
        let before = self.met;
        for folder in [folder.to_owned(), folder.join("tests")] {
            for file in toml_files(&folder)? {
                // The tests file of a manifest is read with the manifest.
                let of_neighbour = pipeline_of(&file).is_some_and(|manifest| manifest.exists());
                if !of_neighbour && is_ours(&file)? {
                    self.file(&file)?;
                }
            }
        }
        match self.met {
            after if after > before => Ok(()),
            _ => Err(nothing(
                folder,
                "no cases found; write tests/NAME.toml with [[tests]] (docs/reference/tests.md)",
            )),
        }
    }

    /// Adds the cases of a manifest or a case file.
    fn file(&mut self, path: &Path) -> Result<(), FindError> {
        let text = read(path)?;
        let document = Document::new(path, &text)?;
        if ["stages", "source", "sink"].iter().any(|key| document.line(&KeyPath::of(key)).is_some())
        {
            return self.manifest(path, &text);
        }
        let mut file: CaseFile = document.read()?;
        let base = path.parent().unwrap_or(Path::new(""));
        let manifest = file.pipeline.as_ref().map(|manifest| base.join(manifest));
        let manifest = manifest.or_else(|| pipeline_of(path));
        let subject = match (manifest, &file.component) {
            (Some(_), Some(_)) => {
                return Err(nothing(
                    path,
                    "names both a component and a pipeline; leave one of them out",
                ));
            }
            (Some(manifest), None) => {
                Subject::Pipeline(Box::new(Manifest::load_trusting(&manifest, self.trust)?))
            }
            (None, Some(component)) => Subject::Operator(Operator::at(base.join(component))),
            (None, None) => Subject::Operator(self.operator_of(path)?),
        };
        let of = match &subject {
            Subject::Pipeline(manifest) => Of::Pipeline(manifest),
            Subject::Operator(operator) => Of::Operator(&operator.limits),
        };
        let problems = problems(&file.tests, of, &document);
        if !problems.is_empty() {
            return Err(document.problems(problems).into());
        }
        locate(&mut file.tests, &document);
        self.push(path, subject, file.tests)
    }

    /// Adds the cases in a manifest, and those of the file next to it.
    fn manifest(&mut self, path: &Path, text: &str) -> Result<(), FindError> {
        let mut manifest = Manifest::parse_trusting(text, path, self.trust)?;
        let tests = std::mem::take(&mut manifest.tests);
        self.push(path, Subject::Pipeline(Box::new(manifest)), tests)?;
        let beside = path.with_extension("tests.toml");
        if beside.exists() { self.file(&beside) } else { Ok(()) }
    }

    fn push(
        &mut self,
        path: &Path,
        subject: Subject,
        mut tests: Vec<Test>,
    ) -> Result<(), FindError> {
        if tests.is_empty() {
            return Ok(());
        }
        self.met += 1;
        if !self.suites.iter().any(|suite| suite.path == path) {
            for test in &mut tests {
                if let Some(lines) = test.expectations(path) {
                    expectations(&lines, test)?;
                }
            }
            self.suites.push(Suite { path: path.to_owned(), subject, tests });
        }
        Ok(())
    }

    /// The operator of a case file that does not name one: the component before
    /// it, or that of its folder.
    fn operator_of(&mut self, path: &Path) -> Result<Operator, FindError> {
        self.unused = false;
        if let Some(component) = &self.component {
            return Ok(Operator::at(component.clone()));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let above = match (folder.file_name(), folder.parent()) {
            (Some(_), Some(above)) => above.to_owned(),
            _ => folder.join(".."),
        };
        for folder in [folder, &above] {
            if folder.join(DESCRIPTION).is_file() {
                let folder = OperatorFolder::open(folder)?;
                let (name, component) = (folder.name.clone(), folder.component());
                return Ok(Operator { name, component, limits: folder.limits });
            }
        }
        Err(nothing(
            path,
            "the subject of these cases is unknown; write component = \"FILE.wasm\" at the top, \
             name the component before this file, or put it into tests/ of an operator's folder",
        ))
    }
}

/// Reads the expectations of a test from their own file. A missing file
/// expects nothing.
fn expectations(path: &Path, test: &mut Test) -> Result<(), FindError> {
    let text = if path.exists() { read(path)? } else { String::new() };
    for (index, line) in text.lines().enumerate() {
        let expectation = serde_json::from_str(line).map_err(|error| {
            let message = format!("not an expectation of a record: {error}");
            let problem = Problem { line: Some(index + 1), place: String::new(), message };
            Problems { path: path.to_owned(), problems: vec![problem] }
        })?;
        test.expect.push(expectation);
        test.lines_of.expect.push(Some(index + 1));
    }
    Ok(())
}

fn nothing(path: &Path, reason: &str) -> FindError {
    FindError::Nothing { path: path.to_owned(), reason: reason.to_owned() }
}

fn read(path: &Path) -> Result<String, FindError> {
    sandbar_files::read_text(path, sandbar_files::limits::CASES)
        .map_err(|cause| FindError::Read { path: path.to_owned(), cause })
}

/// `NAME.toml` for `NAME.tests.toml`.
fn pipeline_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?.strip_suffix(".tests.toml")?;
    Some(path.with_file_name(format!("{name}.toml")))
}

/// The TOML files of a folder by name; none if the folder does not exist.
fn toml_files(folder: &Path) -> Result<Vec<PathBuf>, FindError> {
    let wrong = |cause| FindError::Read { path: folder.to_owned(), cause };
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.is_file() && path.extension().is_some_and(|ending| ending == "toml") {
            // Without `./`, as a person would write it.
            files.push(path.strip_prefix(".").map(Path::to_owned).unwrap_or(path));
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a file of a folder is a manifest or has cases: others, as `Cargo.toml`, are
/// left alone.
fn is_ours(path: &Path) -> Result<bool, FindError> {
    let text = read(path)?;
    // Invalid TOML is a case file if it looks like one, so that its error is reported.
    let Ok(document) = Document::new(path, &text) else {
        return Ok(text.contains("[[tests]]"));
    };
    let has = |key| document.line(&KeyPath::of(key)).is_some();
    Ok(has("tests") || has("stages"))
}
