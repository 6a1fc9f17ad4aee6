//! A version before it is added: a model folder or a component, checked
//! before it becomes visible.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail, ensure};
use serde_json::{Map, Value};

use super::version::{ArtifactKind, Metric, ModelAbout, OperatorAbout, check_text};
use sandbar_config::{json_members, name_problem};
use sandbar_inference::{Artifact, Content, LateThreads, samples};
use sandbar_model::{Model, SampleContent};
use sandbar_sandbox::operator_folder::OperatorFolder;
use sandbar_sandbox::{Inspection, Sandbox};

/// A version without a number.
#[derive(Debug)]
pub struct Draft {
    pub(super) kind: ArtifactKind,
    pub(super) name: String,
    pub(super) model: Option<ModelAbout>,
    pub(super) operator: Option<OperatorAbout>,
    /// Its files: path in the version, and path on this machine.
    pub(super) files: Vec<(String, PathBuf)>,
    pub(super) notes: Notes,
}

/// A version's metadata from people.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// Who adds it.
    pub by: String,
    /// What it was built from; the folder or file by default.
    pub source: Option<String>,
    /// What was measured.
    pub metrics: BTreeMap<String, Metric>,
}

impl Draft {
    /// A model folder with all its files, without hidden ones. The model is loaded
    /// once: what cannot be used is not added.
    ///
    /// # Errors
    /// If it is not a model folder, its file does not match `model.toml`, or
    /// the model cannot be used.
    pub fn model(folder: &Path, name: Option<&str>, notes: Notes) -> anyhow::Result<Self> {
        let model = Model::open(folder)?;
        let mut files = Vec::new();
        collect(folder, &folder.canonicalize()?, "", &mut files)?;
        let about = describe(&model)?;
        let name = name.unwrap_or(&model.name).to_owned();
        Draft { kind: ArtifactKind::Model, name, model: Some(about), operator: None, files, notes }
            .checked(folder)
    }

    /// A component: its file, or the folder of a built operator. It is compiled
    /// and linked, but not run.
    ///
    /// # Errors
    /// If this runner cannot run it.
    pub fn operator(
        path: &Path,
        name: Option<&str>,
        notes: Notes,
        sandbox: &Sandbox,
    ) -> anyhow::Result<Self> {
        let (file, own_name) = if path.is_dir() {
            let folder = OperatorFolder::open(path)?;
            (folder.component(), folder.name)
        } else {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().replace('_', "-");
            (path.to_owned(), stem)
        };
        let inspection = Inspection::of(sandbox, &file);
        if let Some(reason) = inspection.reason {
            bail!("{}: {reason}", file.display());
        }
        let world =
            inspection.world.context("the component implements no world of the contract")?;
        let imports = inspection.imports.iter().flat_map(|group| &group.interfaces);
        let about = OperatorAbout {
            world,
            contract: inspection.contract.clone(),
            imports: imports.map(ToString::to_string).collect(),
        };
        let file_name = file.file_name().and_then(|name| name.to_str());
        let file_name = file_name.context("the component's file name is not UTF-8")?.to_owned();
        let name = name.unwrap_or(&own_name).to_owned();
        let files = vec![(file_name, file.clone())];
        Draft {
            kind: ArtifactKind::Operator,
            name,
            model: None,
            operator: Some(about),
            files,
            notes,
        }
        .checked(path)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn checked(mut self, path: &Path) -> anyhow::Result<Self> {
        if let Some(problem) = name_problem(&self.name) {
            bail!("{}: {problem}; give another with --name", path.display());
        }
        let source = self.notes.source.get_or_insert_with(|| path.display().to_string());
        for (what, text) in [("--by", &self.notes.by), ("--source", source)] {
            check_text(what, text).map_err(anyhow::Error::msg)?;
        }
        Ok(self)
    }
}

/// All files of a folder, with their paths in it.
fn collect(
    folder: &Path,
    root: &Path,
    prefix: &str,
    files: &mut Vec<(String, PathBuf)>,
) -> anyhow::Result<()> {
    let wrong = || format!("{}: the folder cannot be read", folder.display());
    let mut entries = std::fs::read_dir(folder)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(wrong)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_str().with_context(|| {
            format!("{}: the file name is not UTF-8; rename the file", path.display())
        })?;
        // Leftovers of editors and version control, and incomplete downloads.
        if name.starts_with('.') || name.ends_with(".part") {
            continue;
        }
        let real = path.canonicalize().with_context(|| path.display().to_string())?;
        ensure!(
            real.starts_with(root),
            "{}: the link points outside the model folder; put the file itself there",
            path.display()
        );
        let inside = format!("{prefix}{name}");
        if path.is_dir() {
            ensure!(
                !entry.file_type()?.is_symlink(),
                "{}: a link to a folder is not allowed; put the folder itself there",
                path.display()
            );
            collect(&path, root, &format!("{inside}/"), files)?;
        } else {
            ensure!(path.is_file(), "{}: not a regular file", path.display());
            files.push((inside, path));
        }
    }
    Ok(())
}

/// Has a graph reproduce the tensors of its samples. Other samples need the stages of a pipeline,
/// which tries them before it serves the model.
fn try_tensors(artifact: &Artifact) -> anyhow::Result<()> {
    let Some(samples) = &artifact.samples else { return Ok(()) };
    let (SampleContent::Tensors(arrays), Content::Graph(graph)) =
        (&samples.content, &artifact.content)
    else {
        return Ok(());
    };
    let threads = Arc::new(LateThreads::default());
    let tried = samples::reproduce(graph, arrays, samples.tolerance, threads);
    tried.map_err(|error| {
        let row = error.row.map(|row| format!(", row {}", row + 1)).unwrap_or_default();
        let (id, file) = (&artifact.id, samples.path.display());
        anyhow!("samples of {id}: {file}{row}: {}; correct the model or the samples", error.reason)
    })?;
    Ok(())
}

/// The details of a loaded model.
fn describe(model: &Model) -> anyhow::Result<ModelAbout> {
    // The description for operators also has what the file declares and `model.toml` does not.
    let artifact = Artifact::load(model.clone())?;
    try_tensors(&artifact)?;
    let told: Value = serde_json::from_str(&artifact.description)?;
    let part = |key: &str| told.get(key).cloned().unwrap_or_else(|| Value::Array(Vec::new()));
    let table = |table: Option<&toml::Table>| -> Map<String, Value> {
        table.and_then(|table| json_members(table.clone()).ok()).unwrap_or_default()
    };
    Ok(ModelAbout {
        kind: model.kind,
        described: model.id(),
        description: model.description.clone(),
        licence: model.licence.clone(),
        inputs: serde_json::from_value(part("inputs"))?,
        outputs: serde_json::from_value(part("outputs"))?,
        classes: told.get("labels").map(|_| serde_json::from_value(part("labels"))).transpose()?,
        preprocessing: table(model.preprocessing.as_ref()),
        postprocessing: table(model.postprocessing.as_ref()),
        provenance: table(Some(&model.provenance)),
    })
}
