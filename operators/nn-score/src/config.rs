//! What the pipeline says, and what the model's folder does.

use serde::Deserialize;

/// The stage's configuration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The column of the extractor that the model takes. Default: the only tensor.
    pub column: Option<String>,
    /// The model's output that has a number for each class. Default: the first that may be it.
    pub output: Option<String>,
    /// Whether the model gives logits, of which probabilities are yet to be made. Default:
    /// what the model's folder says under `[postprocessing]`, or no.
    pub softmax: Option<bool>,
    /// Rows whose best class is less probable than this are `unknown`. Default: none.
    pub unknown_below: Option<f64>,
    /// Rows that go into one computation.
    pub stack: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config { column: None, output: None, softmax: None, unknown_below: None, stack: 1 }
    }
}

/// What this operator asks of a model's description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Description {
    #[serde(default)]
    pub(crate) inputs: Vec<Tensor>,
    #[serde(default)]
    pub(crate) outputs: Vec<Tensor>,
    #[serde(default)]
    pub(crate) labels: Vec<String>,
    #[serde(default)]
    pub(crate) postprocessing: Postprocessing,
}

/// What a model's folder says of its outputs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Postprocessing {
    pub(crate) softmax: bool,
}

/// An input or output of the graph.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) ty: String,
    pub(crate) shape: Vec<Dimension>,
}

/// One dimension of it: a size, or the name of one that the caller chooses.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Dimension {
    Fixed(u32),
    Symbol(String),
}
