//! A model, loaded: what operators are given of it.

use std::sync::Arc;

use super::graph::{Graph, Source};
use sandbar_model::Samples;
use sandbar_model::{Model, ModelError};

/// A model that can be used. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The model's `name@version`.
    pub id: String,
    /// What an operator is told about it: a JSON object.
    pub description: Arc<str>,
    /// The model itself.
    pub content: Content,
    /// Rows that it is tried on, if it has any.
    pub samples: Option<Arc<Samples>>,
}

/// A model, by who evaluates it.
#[derive(Debug, Clone)]
pub enum Content {
    /// The operator: the bytes of the model's file.
    Bytes(Arc<[u8]>),
    /// The host, for operators that ask through `wasi:nn`.
    Graph(Arc<Graph>),
}

impl Artifact {
    /// Reads a model's file, its labels and its samples; a graph is made ready to compute.
    ///
    /// # Errors
    /// Where a file is not the one that the description is of, a graph cannot be used,
    /// or there are not as many labels as the graph has classes.
    pub fn load(mut model: Model) -> Result<Self, ModelError> {
        let id = model.id();
        let mut labels = model.read_labels()?;
        let content = if model.kind.is_graph() {
            let path = model.folder().join(&model.file);
            let source = Source::Folder(Box::new(model.clone()));
            let graph = Graph::load(id.clone(), source)
                .map_err(|error| ModelError::File { path, reason: error.message })?;
            model.fit_labels(labels.as_mut(), graph.classes())?;
            // What the file says, where the description left it open.
            model.inputs = graph.inputs().to_vec();
            model.outputs = graph.outputs().to_vec();
            Content::Graph(graph)
        } else {
            Content::Bytes(model.read()?)
        };
        let description = model.to_json(labels.as_deref()).into();
        let samples = model.read_samples()?.map(Arc::new);
        Ok(Artifact { id, description, content, samples })
    }
}
