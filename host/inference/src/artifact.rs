//! A loaded model: what operators get of it.

use std::sync::Arc;

use super::error::Error;
use super::graph::{Graph, GraphSource};
use sandbar_model::Samples;
use sandbar_model::{Model, ModelError};

/// A model that can be used. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The model's `name@version`.
    pub id: String,
    /// Its description for operators: a JSON object.
    pub description: Arc<str>,
    /// The model itself.
    pub content: Content,
    /// Sample rows for its validation, if it has any and was not tried before.
    pub samples: Option<Arc<Samples>>,
}

/// A model, by what evaluates it.
#[derive(Debug, Clone)]
pub enum Content {
    /// The operator: the bytes of the model's file.
    Bytes(Arc<[u8]>),
    /// The host, for operators that use `wasi:nn`.
    Graph(Arc<Graph>),
}

impl Artifact {
    /// Reads a model's file, its labels and its samples; a graph is made ready to compute, and
    /// computed once.
    ///
    /// # Errors
    /// If a file does not match the description, a graph cannot be used,
    /// or there are not as many labels as the graph has classes.
    pub fn load(model: Model) -> Result<Self, ModelError> {
        Self::open(model, true)
    }

    /// The same of a model that was loaded and tried before in another process: a graph is not
    /// computed again, and samples are not read.
    ///
    /// # Errors
    /// As [`Artifact::load`].
    pub fn load_tried(model: Model) -> Result<Self, ModelError> {
        Self::open(model, false)
    }

    fn open(mut model: Model, try_out: bool) -> Result<Self, ModelError> {
        let id = model.id();
        let mut labels = model.read_labels()?;
        let content = if model.kind.is_graph() {
            let path = model.folder().join(&model.file);
            let source = GraphSource::Folder(Box::new(model.clone()));
            let refused = |error: Error| ModelError::File { path, reason: error.message };
            let load = || {
                let graph = Graph::load(id.clone(), source)?;
                if try_out && !model.unverified {
                    graph.try_out()?;
                }
                Ok(graph)
            };
            let graph = load().map_err(refused)?;
            model.fit_labels(labels.as_mut(), &graph.classes())?;
            // The file's declarations, unless the description has its own.
            model.inputs = graph.inputs().to_vec();
            model.outputs = graph.outputs().to_vec();
            Content::Graph(graph)
        } else {
            Content::Bytes(model.read()?)
        };
        let description = model.to_json(labels.as_deref()).into();
        let samples = if try_out { model.read_samples()?.map(Arc::new) } else { None };
        Ok(Artifact { id, description, content, samples })
    }
}
