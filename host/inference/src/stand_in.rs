//! A stand-in for a model in tests: it gives a fixed answer, or bytes.

use std::path::{Path, PathBuf};

use base64::Engine;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::artifact::{Artifact, Content};
use super::graph::{Graph, GraphSource};
use super::stub_graph::StubGraph;
use sandbar_files::limits;
use sandbar_model::{Dimension, ElementType, TensorSpec};
use sandbar_model::{Kind, Model, ModelError};

/// The name of the output of a stand-in that declares none.
const OUTPUT: &str = "output";

/// A stand-in for a model in a test. `docs/reference/tests.md` says the same to
/// the people who write one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StandIn {
    /// The model folder that it replaces: it has the defaults for all other keys. Its
    /// file need not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The model's name. Default: that of the folder, or the pipeline's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its version. Default: that of the folder, or 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Of a graph: what its only output, or its first, is for each row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Vec<f64>>,
    /// Of a graph: what its outputs are for each row, by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub outputs: IndexMap<String, Vec<f64>>,
    /// Of a graph: why it computes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
    /// Of a graph: its inputs. Default: it takes whatever it is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<TensorSpec>,
    /// Its class names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// As in `model.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<toml::Table>,
    /// As in `model.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postprocessing: Option<toml::Table>,
    /// Of a model that the operator reads: its bytes, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Of a model that the operator reads: its bytes, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Of a model that the operator reads: the file with its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

impl StandIn {
    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<String> {
        let answers = [self.output.is_some(), !self.outputs.is_empty(), self.fails.is_some()];
        let bytes = [self.text.is_some(), self.base64.is_some(), self.file.is_some()];
        let said = answers.iter().chain(&bytes).filter(|said| **said).count();
        if said != 1 {
            let forms = "output, outputs or fails for a graph; text, base64 or file for another";
            return Some(match said {
                0 => format!("no answer; give one of {forms}"),
                _ => format!("more than one answer; give one of {forms}"),
            });
        }
        let empty = self.output.iter().chain(self.outputs.values()).any(Vec::is_empty);
        if empty {
            return Some("an answer has no numbers; give one for each element of a row".into());
        }
        if bytes.contains(&true) && !self.inputs.is_empty() {
            return Some("only a graph has inputs; leave them out".into());
        }
        if self.version == Some(0) {
            return Some("versions start at 1".into());
        }
        let tables = [&self.preprocessing, &self.postprocessing];
        let mut tables = tables.into_iter().flatten();
        tables.find_map(|table| sandbar_config::json_members(table.clone()).err())
    }

    /// The stand-in as operators get it, by the pipeline's name for it. Paths are
    /// relative to `base`.
    ///
    /// # Errors
    /// If a folder or file cannot be read, or the answer does not fit the folder's
    /// description.
    pub fn artifact(&self, name: &str, base: &Path) -> Result<Artifact, ModelError> {
        let graph = self.output.is_some() || !self.outputs.is_empty() || self.fails.is_some();
        let mut model = match &self.folder {
            Some(folder) => Model::describe(&base.join(folder))?,
            None => Model::stand_in(name, if graph { Kind::Onnx } else { Kind::File }),
        };
        let refuse = |reason: String| ModelError::StandIn { name: name.to_owned(), reason };
        if model.kind.is_graph() != graph {
            let kind = model.kind;
            return Err(refuse(format!("this kind of answer does not fit a model of kind {kind}")));
        }
        if let Some(name) = &self.name {
            model.name.clone_from(name);
        }
        if let Some(version) = self.version {
            model.version = version;
        }
        if !self.inputs.is_empty() {
            model.inputs.clone_from(&self.inputs);
        }
        model.preprocessing = self.preprocessing.clone().or(model.preprocessing);
        model.postprocessing = self.postprocessing.clone().or(model.postprocessing);
        let mut labels = match &self.labels {
            Some(labels) => Some(labels.clone()),
            None => model.read_labels()?,
        };
        let content = if graph {
            let outputs = self.answers(&model.outputs).map_err(refuse)?;
            model.outputs = outputs.iter().map(|(spec, _)| spec.clone()).collect();
            let inputs = model.inputs.clone();
            let answer = StubGraph { inputs, outputs, failure: self.fails.clone() };
            let graph = Graph::load(model.id(), GraphSource::Fixed(answer))
                .map_err(|error| refuse(error.message))?;
            if self.labels.is_none() {
                model.fit_labels(labels.as_mut(), &graph.classes())?;
            }
            Content::Graph(graph)
        } else {
            Content::Bytes(self.bytes(base).map_err(refuse)?.into())
        };
        let description = model.to_json(labels.as_deref()).into();
        Ok(Artifact { id: model.id(), description, content, samples: None })
    }

    /// The outputs, completed from the declarations in the folder's description.
    fn answers(&self, declared: &[TensorSpec]) -> Result<Vec<(TensorSpec, Vec<f64>)>, String> {
        if self.fails.is_some() {
            return Ok(declared.iter().map(|spec| (spec.clone(), Vec::new())).collect());
        }
        let first = || declared.first().map_or(OUTPUT, |spec| &spec.name).to_owned();
        let one = self.output.iter().map(|row| (first(), row));
        let named = self.outputs.iter().map(|(name, row)| (name.clone(), row));
        let answer = |(name, row): (String, &Vec<f64>)| {
            let spec = match declared.iter().find(|spec| spec.name == name) {
                Some(spec) => spec.clone(),
                None if declared.is_empty() => {
                    let size = u32::try_from(row.len()).map_err(|error| error.to_string())?;
                    let shape = vec![Dimension::Symbol("N".into()), Dimension::Fixed(size)];
                    TensorSpec { name, ty: ElementType::Fp32, shape }
                }
                None => {
                    let names: Vec<&str> = declared.iter().map(|spec| spec.name.as_str()).collect();
                    return Err(format!(
                        "the folder's model has no output '{name}'; known outputs: {}",
                        names.join(", ")
                    ));
                }
            };
            match spec.row_elements() {
                Some(expected) if expected != row.len() => Err(format!(
                    "output '{}': expected {expected} elements for each row, the answer has {}",
                    spec.name,
                    row.len()
                )),
                _ => Ok((spec, row.clone())),
            }
        };
        one.chain(named).map(answer).collect()
    }

    fn bytes(&self, base: &Path) -> Result<Vec<u8>, String> {
        if let Some(text) = &self.text {
            return Ok(text.clone().into_bytes());
        }
        if let Some(text) = &self.base64 {
            let decoded = base64::engine::general_purpose::STANDARD.decode(text);
            return decoded.map_err(|cause| format!("invalid base64: {cause}"));
        }
        let path = base.join(self.file.as_deref().unwrap_or(Path::new("")));
        sandbar_files::read(&path, limits::CASES)
            .map_err(|cause| format!("{}: {cause}", path.display()))
    }
}
