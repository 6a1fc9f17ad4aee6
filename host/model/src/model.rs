//! A model folder and its description.

use std::path::{Component, Path};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::approved::ApprovedFiles;
use super::class_names::{self, ClassNames};
use super::digest::{Sha1, Sha256};
use super::error::ModelError;
use super::folder::{DESCRIPTION, Folder};
use super::kind::Kind;
use super::samples::{self, Picture, SampleContent, SampleFile, Samples, npz};
use super::tensors::{Dimension, TensorSpec};
use sandbar_config::{Document, KeyPath};
use sandbar_config::{json_members, name_problem};
use sandbar_files::limits;

/// Bytes of a model's file at most: it is read into memory whole.
pub const SIZE_LIMIT: u64 = limits::MODEL;
/// Bytes of a file of labels at most.
pub(super) const LABELS_LIMIT: u64 = 16 << 20;

/// A model folder, as its `model.toml` has it. `docs/reference/models.md` says the same
/// to the people who write one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Model {
    /// The model's name: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Its version, from 1.
    pub version: u32,
    /// The kind of its file.
    pub kind: Kind,
    /// The file's name, in this folder.
    pub file: String,
    /// The file's digest. This or `sha1` is needed.
    #[serde(default)]
    pub sha256: Option<Sha256>,
    /// The file's SHA-1 digest, if its publisher gives no better one.
    #[serde(default)]
    pub sha1: Option<Sha1>,
    /// The file's size in bytes. Unchecked by default.
    #[serde(default)]
    pub size: Option<u64>,
    /// The file's URL. Unknown by default.
    #[serde(default)]
    pub url: Option<String>,
    /// The archive that contains the file, instead of `url`.
    #[serde(default)]
    pub archive: Option<Archive>,
    /// The licence of the model, an SPDX expression where there is one.
    pub licence: String,
    /// What the model predicts, from what.
    pub description: String,
    /// A graph's inputs. Default: those that the file declares.
    #[serde(default)]
    pub inputs: Vec<TensorSpec>,
    /// A graph's outputs. Default: those that the file declares.
    #[serde(default)]
    pub outputs: Vec<TensorSpec>,
    /// Whether a graph serves though it has operations that are known to be computed otherwise
    /// than by the reference, or were never compared: its samples must show that it is right.
    /// `false` by default.
    #[serde(default)]
    pub unverified: bool,
    /// Its class names. Unknown by default.
    #[serde(default)]
    pub labels: Option<ClassNames>,
    /// Sample rows that it is validated with before it serves. None by default.
    #[serde(default)]
    pub samples: Option<SampleFile>,
    /// How records become inputs: for the operator that does it.
    #[serde(default)]
    pub preprocessing: Option<toml::Table>,
    /// How outputs become predictions: for the operator that does it.
    #[serde(default)]
    pub postprocessing: Option<toml::Table>,
    /// How the model was made; for people.
    #[serde(default)]
    pub provenance: toml::Table,
    /// The folder.
    #[serde(skip)]
    folder: Folder,
}

/// `archive` of a `model.toml`: a zip file that holds the model's file, and may hold
/// its labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Archive {
    /// The archive's URL.
    pub url: String,
    /// The model's file in it.
    pub member: String,
    /// The file of labels in it. None by default.
    #[serde(default)]
    pub labels: Option<String>,
    /// The archive's size in bytes. Unchecked by default.
    #[serde(default)]
    pub size: Option<u64>,
    /// The archive's digest. Unchecked by default: the extracted files are checked.
    #[serde(default)]
    pub sha256: Option<Sha256>,
    /// The archive's SHA-1 digest. Unchecked by default.
    #[serde(default)]
    pub sha1: Option<Sha1>,
}

impl Model {
    /// Opens a model folder: reads and checks `model.toml`, and that its file
    /// exists with the right size. The digest is checked when the file is read.
    ///
    /// # Errors
    /// If any of that is missing or wrong.
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        Model::open_approved(folder, &ApprovedFiles::default())
    }

    /// The same of files that are `approved`, now and whenever they are read.
    ///
    /// # Errors
    /// As [`Model::open`]. That a file is not approved is said when it is read.
    pub fn open_approved(folder: &Path, approved: &ApprovedFiles) -> Result<Self, ModelError> {
        let model = Model::describe_approved(folder, approved)?;
        let size = model.folder.locate(&model.file)?.1;
        model.folder.same(&model.file, "size", &size, model.size.as_ref())?;
        Ok(model)
    }

    /// Reads and checks `model.toml` alone; the model's file need not exist.
    ///
    /// # Errors
    /// If it cannot be read, or has invalid content.
    pub fn describe(folder: &Path) -> Result<Self, ModelError> {
        Model::describe_approved(folder, &ApprovedFiles::default())
    }

    fn describe_approved(folder: &Path, approved: &ApprovedFiles) -> Result<Self, ModelError> {
        let path = folder.join(DESCRIPTION);
        let text = sandbar_files::read_text(&path, limits::DOCUMENT)
            .map_err(|cause| ModelError::Description { path: path.clone(), cause })?;
        let same = approved.check(&path, &Sha256::of(text.as_bytes()));
        same.map_err(|reason| ModelError::File { path: path.clone(), reason })?;
        let document = Document::new(&path, &text)?;
        let mut model: Model = document.read()?;
        model.validate(&document)?;
        let absent = if model.url.is_some() || model.archive.is_some() {
            format!("download it with `sandbar models pull {}`", model.name)
        } else {
            "put it there, or correct 'file'".to_owned()
        };
        model.folder = Folder { path: folder.to_owned(), approved: approved.clone(), absent };
        Ok(model)
    }

    /// A model without folder and file.
    pub fn stand_in(name: &str, kind: Kind) -> Self {
        Model {
            name: name.to_owned(),
            version: 1,
            kind,
            file: String::new(),
            sha256: None,
            sha1: None,
            size: None,
            url: None,
            archive: None,
            licence: String::new(),
            description: String::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            unverified: false,
            labels: None,
            samples: None,
            preprocessing: None,
            postprocessing: None,
            provenance: toml::Table::new(),
            folder: Folder::default(),
        }
    }

    fn validate(&self, document: &Document<'_>) -> Result<(), ModelError> {
        let mut problems = Vec::new();
        let mut report = |key: &str, message: String| {
            problems.push(document.problem(&KeyPath::of(key), message));
        };
        if let Some(problem) = name_problem(&self.name) {
            report("name", problem);
        }
        if self.version == 0 {
            report("version", "versions start at 1".to_owned());
        }
        let not_plain = |name: &str| {
            format!("'{name}' is not a plain file name; put the file into the model folder itself")
        };
        if !is_plain(&self.file) {
            report("file", not_plain(&self.file));
        }
        if let Some(labels) = self.labels.as_ref().filter(|labels| !is_plain(&labels.file)) {
            report("labels", not_plain(&labels.file));
        }
        if let Some(samples) = &self.samples {
            if samples.is_tensors() && !self.kind.is_graph() {
                report(
                    "samples",
                    format!(
                        "a model of kind {} takes features and not tensors; write them as a table (CSV)",
                        self.kind
                    ),
                );
            } else if !is_plain(&samples.file) {
                report("samples", not_plain(&samples.file));
            } else if let Some(problem) = samples.problem() {
                report("samples", problem);
            }
        }
        if self.unverified && !self.kind.is_graph() {
            let message = format!("a model of kind {} is no graph; leave it out", self.kind);
            report("unverified", message);
        } else if self.unverified && !self.samples.as_ref().is_some_and(SampleFile::proves) {
            let message = "what the engine is not known to compute right must be shown by samples: \
                           declare [samples] too, an .npz with answers of the tool that made the \
                           model, and not of this runner";
            report("unverified", message.to_owned());
        }
        if self.sha256.is_none() && self.sha1.is_none() {
            report("sha256", "the key 'sha256' is missing; write the file's digest".to_owned());
        }
        if let Some(size) = self.size.filter(|size| *size == 0 || *size > SIZE_LIMIT) {
            report(
                "size",
                format!("{size} bytes is out of range; a model's file has 1 to {SIZE_LIMIT} bytes"),
            );
        }
        if self.url.is_some() && self.archive.is_some() {
            report("archive", "conflicts with 'url'; leave one of them out".to_owned());
        }
        for (key, table) in self.processing() {
            if let Err(reason) = json_members(table.clone()) {
                report(key, reason);
            }
        }
        for (key, specs) in [("inputs", &self.inputs), ("outputs", &self.outputs)] {
            if !self.kind.is_graph() && !specs.is_empty() {
                report(key, format!("a model of kind {} has no {key}; leave them out", self.kind));
            }
            let zero = |spec: &&TensorSpec| spec.shape.contains(&Dimension::Fixed(0));
            if let Some(spec) = specs.iter().find(zero) {
                let name = &spec.name;
                report(
                    key,
                    format!(
                        "'{name}' has a dimension of 0; write a string such as \"N\" for a dimension that the caller chooses"
                    ),
                );
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(document.problems(problems).into()) }
    }

    /// The model's name and version, as in `flights-gbm@1`.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// The model's folder.
    pub fn folder(&self) -> &Path {
        &self.folder.path
    }

    /// Reads the model's file and checks its size and digest.
    ///
    /// # Errors
    /// If it cannot be read, or does not match `model.toml`.
    pub fn read(&self) -> Result<Arc<[u8]>, ModelError> {
        let limit = self.size.unwrap_or(SIZE_LIMIT);
        let (bytes, digest) = self.folder.read(&self.file, limit, self.size)?;
        self.folder.same(&self.file, "sha256", &digest, self.sha256.as_ref())?;
        if self.sha256.is_none() {
            self.folder.same(&self.file, "sha1", &Sha1::of(&bytes), self.sha1.as_ref())?;
        }
        Ok(bytes.into())
    }

    /// The labels of its classes, if the folder has any.
    ///
    /// # Errors
    /// If their file cannot be read, is not the one that `model.toml` is of, or a line
    /// of it is no label.
    pub fn read_labels(&self) -> Result<Option<Vec<String>>, ModelError> {
        let Some(labels) = &self.labels else { return Ok(None) };
        let (bytes, digest) = self.folder.read(&labels.file, LABELS_LIMIT, None)?;
        self.folder.same(&labels.file, "sha256", &digest, labels.sha256.as_ref())?;
        let read = class_names::text(&bytes).and_then(|text| labels.read(&text));
        let path = self.folder.path.join(&labels.file);
        read.map(Some).map_err(|reason| ModelError::File { path, reason })
    }

    /// The samples of the model, if the folder has any.
    ///
    /// # Errors
    /// If their file cannot be read, is not the one that `model.toml` is of, or is neither a
    /// table nor an archive of tensors; if a picture that a table names is missing.
    pub fn read_samples(&self) -> Result<Option<Samples>, ModelError> {
        let Some(samples) = &self.samples else { return Ok(None) };
        let bytes = self.read_sample_file(samples)?;
        let path = self.folder.path.join(&samples.file);
        let wrong = |reason: String| ModelError::File { path: path.clone(), reason };
        let content = if samples.is_tensors() {
            SampleContent::Tensors(npz::read(&bytes).map_err(wrong)?)
        } else {
            let table = samples.table(&bytes).map_err(wrong)?;
            match table.pictures().filter(|_| self.kind.is_graph()) {
                Some(pictures) => {
                    let files = self.pictures(pictures.map_err(wrong)?)?;
                    SampleContent::Pictures(table, files)
                }
                None => SampleContent::Table(table),
            }
        };
        Ok(Some(Samples { path, tolerance: samples.tolerance, content }))
    }

    /// The bytes of the file of samples.
    pub(super) fn read_sample_file(&self, samples: &SampleFile) -> Result<Vec<u8>, ModelError> {
        let (bytes, digest) = self.folder.read(&samples.file, samples.limit(), None)?;
        self.folder.same(&samples.file, "sha256", &digest, samples.sha256.as_ref())?;
        Ok(bytes)
    }

    /// The pictures that the table of samples names, if it is one of pictures; they need not
    /// exist.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub(super) fn sample_pictures(&self) -> Result<Vec<(String, Option<Sha256>)>, ModelError> {
        let tables = self.samples.as_ref().filter(|it| self.kind.is_graph() && !it.is_tensors());
        let Some(samples) = tables else { return Ok(Vec::new()) };
        let wrong = |reason: String| ModelError::File {
            path: self.folder.path.join(&samples.file),
            reason,
        };
        let table = samples.table(&self.read_sample_file(samples)?).map_err(wrong)?;
        let pictures = table.pictures().transpose().map_err(wrong)?.unwrap_or_default();
        Ok(pictures.into_iter().map(|it| (it.file.to_owned(), it.sha256)).collect())
    }

    /// Reads the files that a table of samples names, and compares their digests.
    fn pictures(&self, pictures: Vec<Picture<'_>>) -> Result<Vec<Arc<[u8]>>, ModelError> {
        let mut left = samples::BYTES;
        let read = |Picture { file, sha256 }: &Picture<'_>| {
            let (bytes, found) = self.folder.read(file, left, None)?;
            if let Some(expected) = sha256.filter(|expected| found != *expected) {
                let reason = format!(
                    "its sha256 is {found}, but the table of samples says {expected}; the file was changed: bring the right one, or correct the table"
                );
                return Err(ModelError::File { path: self.folder.path.join(file), reason });
            }
            left -= bytes.len() as u64;
            Ok(bytes.into())
        };
        pictures.iter().map(read).collect()
    }

    /// Fits the labels to the outputs of a graph, which are said by how many numbers each has for
    /// a row where that is known. Which output they belong to is for the operator to say, who
    /// knows which one it scores; here they need to fit one of them.
    ///
    /// # Errors
    /// If they fit none.
    pub fn fit_labels(
        &self,
        labels: Option<&mut Vec<String>>,
        outputs: &[Option<usize>],
    ) -> Result<(), ModelError> {
        let (Some(list), Some(labels)) = (&self.labels, labels) else { return Ok(()) };
        let Some(known) = outputs.iter().copied().collect::<Option<Vec<usize>>>() else {
            return Ok(());
        };
        let classes = known.iter().find(|classes| list.fits(labels.len(), **classes));
        let Some(classes) = classes.or(known.first()) else { return Ok(()) };
        let path = self.folder.path.join(&list.file);
        list.fit(labels, *classes).map_err(|reason| ModelError::File { path, reason })
    }

    /// The model's description for operators, a JSON object: `artifacts.describe` of
    /// the contract. `class_names` are those of [`Model::read_labels`].
    pub fn to_json(&self, labels: Option<&[String]>) -> String {
        let mut json = serde_json::json!({
            "name": self.name,
            "version": self.version,
            "kind": self.kind,
        });
        if !self.inputs.is_empty() {
            json["inputs"] = serde_json::json!(self.inputs);
        }
        if !self.outputs.is_empty() {
            json["outputs"] = serde_json::json!(self.outputs);
        }
        if let Some(labels) = labels {
            json["labels"] = labels.into();
        }
        for (key, table) in self.processing() {
            // Values without a JSON form were rejected when the description was read.
            json[key] = json_members(table.clone()).unwrap_or_default().into();
        }
        json.to_string()
    }

    /// The tables for operators, by key.
    pub fn processing(&self) -> impl Iterator<Item = (&'static str, &toml::Table)> {
        let tables =
            [("preprocessing", &self.preprocessing), ("postprocessing", &self.postprocessing)];
        tables.into_iter().filter_map(|(key, table)| Some((key, table.as_ref()?)))
    }
}

/// Whether a name stays in its folder, on every system.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name)
        && !name.contains(['/', '\\', ':', '\0'])
}
