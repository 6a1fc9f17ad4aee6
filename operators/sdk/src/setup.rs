//! What an operator is told before its first batch.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::bindings::types;
use crate::error::Error;
use crate::nn::Graph;
use crate::schemas::Schemas;

/// The models and topics that the pipeline's manifest grants to this stage.
pub struct Setup {
    models: Vec<String>,
    topics: Vec<String>,
    /// Models: outside of the sandbox there is no host to ask for them.
    #[cfg(not(target_arch = "wasm32"))]
    artifacts: std::collections::HashMap<String, Artifact>,
    schemas: Schemas,
}

/// What a native test gives in place of a model folder.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug, Clone, Default)]
pub(crate) struct Artifact {
    pub(crate) description: Option<String>,
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) graph: Option<Graph>,
}

impl Setup {
    /// Takes the host's words apart: the typed configuration, and the rest.
    ///
    /// # Errors
    /// Where the configuration is not one that `C` accepts; the message names the key.
    pub(crate) fn read<C: DeserializeOwned>(setup: types::Setup) -> Result<(C, Setup), Error> {
        // Read in two steps, because a line and column of the JSON would mean
        // nothing to someone who wrote TOML; the path of the key does.
        let json: serde_json::Value = serde_json::from_str(&setup.config)?;
        let config = serde_path_to_error::deserialize(json).map_err(|error| {
            let key = error.path().to_string();
            let error = Error::from(error.into_inner());
            if key == "." { error } else { error.context(format_args!("key '{key}'")) }
        })?;
        let setup = Setup {
            models: setup.models,
            topics: setup.topics,
            #[cfg(not(target_arch = "wasm32"))]
            artifacts: Default::default(),
            schemas: Schemas::of_host(),
        };
        Ok((config, setup))
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn with_artifacts(
        mut self,
        artifacts: std::collections::HashMap<String, Artifact>,
    ) -> Setup {
        self.artifacts = artifacts;
        self
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn with_schemas(mut self, schemas: Schemas) -> Setup {
        self.schemas = schemas;
        self
    }

    /// The schemas of the pipeline, for a stage whose `grants` have `"schemas"`. Keep it, as
    /// records name schemas that are not known before.
    pub fn schemas(&self) -> Schemas {
        self.schemas.clone()
    }

    /// The models that this stage may use, by the name the pipeline gives them.
    pub fn models(&self) -> &[String] {
        &self.models
    }

    /// The stage's main model: the first of [`Setup::models`].
    pub fn main_model(&self) -> Option<&str> {
        self.models.first().map(String::as_str)
    }

    /// The topics, besides the sink's, to which this stage may send records.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// The bytes of a model's file, whole. In a native test it comes from
    /// `testing::Stage::model`.
    ///
    /// # Errors
    /// Where `name` is none of [`Setup::models`], or the host cannot read it.
    pub fn load_model(&self, name: &str) -> Result<Vec<u8>, Error> {
        #[cfg(target_arch = "wasm32")]
        let bytes = crate::bindings::artifacts::load(name)?;
        #[cfg(not(target_arch = "wasm32"))]
        let bytes =
            self.artifacts.get(name).and_then(|it| it.bytes.clone()).ok_or_else(|| {
                format!("model '{name}': not granted: call Stage::model in the test")
            })?;
        Ok(bytes)
    }

    /// A model that the host runs, ready to compute. For scorers; the other worlds have
    /// no `wasi:nn`. In a native test it comes from `testing::Stage::graph`.
    ///
    /// # Errors
    /// Where `name` is none of [`Setup::models`], or not of a kind that the host runs.
    pub fn load_graph(&self, name: &str) -> Result<Graph, Error> {
        #[cfg(target_arch = "wasm32")]
        let graph = Graph::load(name)?;
        #[cfg(not(target_arch = "wasm32"))]
        let graph = self.artifacts.get(name).and_then(|it| it.graph.clone()).ok_or_else(|| {
            format!("model '{name}': not granted as a graph: call Stage::graph in the test")
        })?;
        Ok(graph)
    }

    /// What a model's folder says about it, as far as `T` asks: `name`, `version`,
    /// `kind`, `inputs`, `outputs`, `labels`, `preprocessing`, `postprocessing`
    /// (docs/reference/models.md). In a native test it comes from
    /// `testing::Stage::description`.
    ///
    /// # Errors
    /// Where `name` is none of [`Setup::models`], or its description is not of `T`'s form.
    pub fn describe_model<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        #[cfg(target_arch = "wasm32")]
        let json = crate::bindings::artifacts::describe(name)?;
        #[cfg(not(target_arch = "wasm32"))]
        let json =
            self.artifacts.get(name).and_then(|it| it.description.clone()).ok_or_else(|| {
                format!("model '{name}': no description: call Stage::description in the test")
            })?;
        let deserializer = &mut serde_json::Deserializer::from_str(&json);
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let key = error.path().to_string();
            Error::from(error.into_inner())
                .context(format_args!("model '{name}': model.toml: {key}"))
        })
    }
}

/// The configuration of an operator that has none: any key is refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}
