//! A version: files by their digests, and their metadata.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::format::FORMAT;
use sandbar_config::name_problem;
use sandbar_model::{DESCRIPTION, Kind, SIZE_LIMIT, Sha256, TensorSpec};
use sandbar_sandbox::World;

/// Files of one version at most.
const MOST_FILES: usize = 1000;
/// Bytes of all files of one version at most.
const TOTAL_LIMIT: u64 = 4 * SIZE_LIMIT;
/// Bytes of a path in a version at most.
const PATH_LIMIT: usize = 512;

/// The kinds of artifacts in a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArtifactKind {
    /// Model folders.
    Model,
    /// Components.
    Operator,
}

impl ArtifactKind {
    /// Both.
    pub const ALL: [ArtifactKind; 2] = [ArtifactKind::Model, ArtifactKind::Operator];

    /// The plural: the folder in the registry, and the verb of the command.
    pub fn folder(self) -> &'static str {
        match self {
            ArtifactKind::Model => "models",
            ArtifactKind::Operator => "operators",
        }
    }
}

impl fmt::Display for ArtifactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ArtifactKind::Model => "model",
            ArtifactKind::Operator => "operator",
        })
    }
}

/// A version, as the registry describes it. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Version {
    /// The format of this description.
    pub format: u32,
    /// The name of the model or operator.
    pub name: String,
    /// The number, from 1.
    pub version: u32,
    /// The details of a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelAbout>,
    /// The details of an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<OperatorAbout>,
    /// Where it comes from.
    pub added: Origin,
    /// Metrics given when it was added, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Metric>,
    /// Its files, by path.
    pub files: Vec<File>,
}

/// A file of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct File {
    /// Its path in the version: names separated by `/`.
    pub path: String,
    /// Its digest.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub size: u64,
}

/// Who added a version, when, and from what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Origin {
    /// Who.
    pub by: String,
    /// When, by the clock of the machine that added it.
    #[serde(with = "humantime_serde")]
    pub at: SystemTime,
    /// What it was built from: a folder, a file, a commit, a run.
    pub source: String,
}

/// A metric: a number, or a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Metric {
    /// A number.
    Number(f64),
    /// Anything else.
    Text(String),
}

/// The details in a model's `model.toml` and its file. For people and for comparing
/// versions; a runner reads the files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ModelAbout {
    /// The kind of its file.
    pub kind: Kind,
    /// Name and version in `model.toml`, which the registry's replace.
    pub described: String,
    /// What it predicts, from what.
    pub description: String,
    /// The licence.
    pub licence: String,
    /// A graph's inputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<TensorSpec>,
    /// A graph's outputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<TensorSpec>,
    /// The names of the classes, in their order, if the folder has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<String>>,
    /// How records become inputs.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub preprocessing: Map<String, Value>,
    /// How outputs become predictions.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub postprocessing: Map<String, Value>,
    /// How the model was made.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub provenance: Map<String, Value>,
}

/// The details of an operator's component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OperatorAbout {
    /// What it is for.
    pub world: World,
    /// The version of the contract that it was built for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// The interfaces that it imports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<String>,
}

impl Version {
    /// Name and number, as outputs carry them: `flights@3`.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The digest of all files and their paths: two versions with the same digest have the
    /// same files.
    pub fn content(&self) -> Sha256 {
        let mut files: Vec<&File> = self.files.iter().collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let line = |file: &&File| format!("{} {} {}\n", file.sha256, file.size, file.path);
        Sha256::of(files.iter().map(line).collect::<String>().as_bytes())
    }

    /// The only file of an operator.
    pub fn component(&self) -> Option<&File> {
        self.files.first().filter(|_| self.operator.is_some())
    }

    /// Checks that it is the requested version, and safe to use.
    pub(super) fn check(&self, sort: ArtifactKind, name: &str, number: u32) -> Result<(), String> {
        if self.format != FORMAT || self.name != name || self.version != number {
            return Err(format!("the stored description is of {}", self.id()));
        }
        let fits = match sort {
            ArtifactKind::Model => self.model.is_some() && self.operator.is_none(),
            ArtifactKind::Operator => self.operator.is_some() && self.model.is_none(),
        };
        if !fits {
            return Err(format!(
                "its description must have the details of one {sort} and nothing else"
            ));
        }
        check_files(sort, &self.files)
    }
}

/// What is wrong with the files of a version.
pub(super) fn check_files(sort: ArtifactKind, files: &[File]) -> Result<(), String> {
    if files.is_empty() || files.len() > MOST_FILES {
        return Err(format!("{} files; a version has 1 to {MOST_FILES}", files.len()));
    }
    let mut seen = BTreeSet::new();
    let mut total = 0u64;
    for file in files {
        path_problem(&file.path).map_or(Ok(()), Err)?;
        if !seen.insert(&file.path) {
            return Err(format!("duplicate file {:?}", file.path));
        }
        if file.size > SIZE_LIMIT {
            return Err(format!(
                "the file {:?} has {} bytes; at most {SIZE_LIMIT}",
                file.path, file.size
            ));
        }
        total = total.saturating_add(file.size);
    }
    if total > TOTAL_LIMIT {
        return Err(format!("all files have {total} bytes; at most {TOTAL_LIMIT}"));
    }
    match sort {
        ArtifactKind::Model if !files.iter().any(|file| file.path == DESCRIPTION) => {
            Err(format!("its files have no {DESCRIPTION}"))
        }
        ArtifactKind::Operator if files.len() != 1 || files[0].path.contains('/') => {
            Err("an operator has exactly one file".to_owned())
        }
        _ => Ok(()),
    }
}

/// What is wrong with a path in a version: it must not leave the version, on any system.
fn path_problem(path: &str) -> Option<String> {
    let plain = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && !part.contains(|c: char| c.is_control() || matches!(c, '\\' | ':'))
    };
    let fine = path.len() <= PATH_LIMIT && path.split('/').all(plain);
    (!fine).then(|| format!("the path {path:?} is not a plain path within the version"))
}

/// Checks user input for author, source and metrics: it is shown in terminals.
pub fn check_text(what: &str, text: &str) -> Result<(), String> {
    if text.is_empty() || text.len() > 1024 || text.contains(char::is_control) {
        return Err(format!("{what} must be a line of 1 to 1024 characters, got {text:?}"));
    }
    Ok(())
}

/// Reads metrics as people write them.
///
/// # Errors
/// If one is not `NAME=VALUE`.
pub fn metrics(pairs: &[String]) -> Result<BTreeMap<String, Metric>, String> {
    let read = |pair: &String| {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| format!("'{pair}' is not a metric; write NAME=VALUE, as in auc=0.73"))?;
        if let Some(problem) = name_problem(name) {
            return Err(problem);
        }
        check_text("a metric's value", value)?;
        let number = value.parse().ok().filter(|number: &f64| number.is_finite());
        let metric = number.map_or_else(|| Metric::Text(value.to_owned()), Metric::Number);
        Ok((name.to_owned(), metric))
    };
    pairs.iter().map(read).collect()
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Metric::Number(number) => write!(f, "{number}"),
            Metric::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    fn file(path: &str) -> File {
        File { path: path.to_owned(), sha256: Sha256::of(path.as_bytes()), size: 1 }
    }

    #[test]
    fn paths_stay_in_their_version() {
        for path in ["model.toml", "samples/1-7.png", "a b", "..a", "é"] {
            assert_eq!(path_problem(path), None, "{path}");
        }
        for path in [
            "",
            "/etc/passwd",
            "../a",
            "a/../../b",
            "a//b",
            "a/",
            ".",
            "a\\b",
            "c:d",
            "a\0",
            "a\nb",
        ] {
            assert!(path_problem(path).is_some(), "{path:?}");
        }
        assert!(path_problem(&"a".repeat(PATH_LIMIT + 1)).is_some());
    }

    #[test]
    fn files_are_few_and_not_too_large() {
        let check = |files: &[File]| check_files(ArtifactKind::Model, files);
        assert!(check(&[file("model.toml"), file("model.zip")]).is_ok());
        assert!(check(&[file("model.zip")]).unwrap_err().contains("model.toml"));
        assert!(
            check(&[file("model.toml"), file("model.toml")]).unwrap_err().contains("duplicate")
        );
        let large = File { size: SIZE_LIMIT + 1, ..file("a") };
        assert!(check(&[file("model.toml"), large]).unwrap_err().contains("at most"));
        let many = (0..5).map(|i| File { size: SIZE_LIMIT, ..file(&i.to_string()) });
        assert!(check(&many.collect::<Vec<_>>()).unwrap_err().contains("all files"));
        assert!(check(&[]).is_err());
        assert!(check_files(ArtifactKind::Operator, &[file("a.wasm"), file("b.wasm")]).is_err());
    }

    #[test]
    fn the_content_does_not_depend_on_the_order() {
        let version = |files: Vec<File>| Version {
            format: FORMAT,
            name: "a".into(),
            version: 1,
            model: None,
            operator: None,
            added: Origin { by: "b".into(), at: SystemTime::UNIX_EPOCH, source: "c".into() },
            metrics: BTreeMap::new(),
            files,
        };
        let one = version(vec![file("a"), file("b")]);
        let other = version(vec![file("b"), file("a")]);
        assert_eq!(one.content(), other.content());
        assert_ne!(one.content(), version(vec![file("a")]).content());
    }

    #[test]
    fn a_metric_is_a_number_where_it_can_be() {
        let read = metrics(&["auc=0.73".into(), "run=a=b".into(), "x=nan".into()]).unwrap();
        assert_eq!(read["auc"], Metric::Number(0.73));
        assert_eq!(read["run"], Metric::Text("a=b".into()));
        assert_eq!(read["x"], Metric::Text("nan".into()));
        assert!(metrics(&["auc".into()]).unwrap_err().contains("NAME=VALUE"));
    }
}
