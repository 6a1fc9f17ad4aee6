//! The stand-in for a stage of a pipeline.

use std::collections::HashMap;

use super::features::{Extracted, Features, Prediction, predictions};
use super::outcomes::outcomes;
use super::records::{Records, Transformed};
use crate::bindings::types;
use crate::error::{Error, Failure};
use crate::extract::{Extraction, Extractor};
use crate::field::{Field, Output};
use crate::nn::{self, ComputeError, Graph, Input};
use crate::schemas::{Key, Schema, SchemaError, Schemas};
use crate::score::{Scorer, Scoring};
use crate::setup::{Artifact, Setup};
use crate::transform::{Transformation, Transformer};

/// What a pipeline's manifest says about one stage. Configures any number of operators.
#[derive(Debug, Clone)]
pub struct Stage {
    config: String,
    models: Vec<String>,
    artifacts: HashMap<String, Artifact>,
    topics: Vec<String>,
    schemas: Schemas,
}

impl Default for Stage {
    fn default() -> Stage {
        Stage::new()
    }
}

impl Stage {
    /// A stage without configuration, models and topics.
    pub fn new() -> Stage {
        Stage {
            config: "{}".into(),
            models: Vec::new(),
            artifacts: HashMap::new(),
            topics: Vec::new(),
            schemas: Schemas::default(),
        }
    }

    /// The stage's configuration: a JSON object, as text or as `serde_json::json!`.
    #[must_use]
    pub fn config(mut self, json: impl ToString) -> Stage {
        self.config = json.to_string();
        self
    }

    /// Grants a model, the first of them the main one.
    #[must_use]
    pub fn model(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Stage {
        self.artifact(name).bytes = Some(bytes.into());
        self
    }

    /// Grants a model of which its description is known: what a `model.toml` says,
    /// as a JSON object.
    #[must_use]
    pub fn description(mut self, name: &str, json: impl ToString) -> Stage {
        self.artifact(name).description = Some(json.to_string());
        self
    }

    /// Grants a model that the host runs; `compute` takes its place.
    #[must_use]
    pub fn graph(
        mut self,
        name: &str,
        compute: impl Fn(&[Input<'_>]) -> Result<Vec<nn::Output>, ComputeError> + Send + Sync + 'static,
    ) -> Stage {
        self.artifact(name).graph = Some(Graph::new(compute));
        self
    }

    /// The model of this name, granted behind those before it if it is new.
    fn artifact(&mut self, name: &str) -> &mut Artifact {
        if !self.models.iter().any(|known| known == name) {
            self.models.push(name.into());
        }
        self.artifacts.entry(name.into()).or_default()
    }

    /// Grants a topic to send to.
    #[must_use]
    pub fn topic(mut self, name: &str) -> Stage {
        self.topics.push(name.into());
        self
    }

    /// Grants a schema, or says why there is none.
    #[must_use]
    pub fn schema(self, key: Key, schema: Result<Schema, SchemaError>) -> Stage {
        self.schemas.add(key, schema);
        self
    }

    /// Configures an extractor.
    ///
    /// # Errors
    /// Those of its configuration.
    pub fn extractor<E: Extractor>(&self) -> Result<ExtractorStage<E>, Error> {
        let (config, setup) = self.setup()?;
        Ok(ExtractorStage { extraction: Extraction::new(config, &setup)? })
    }

    /// Configures a scorer for tables of these columns.
    ///
    /// # Errors
    /// Those of its configuration.
    pub fn scorer<S: Scorer>(&self, features: &[Field]) -> Result<ScorerStage<S>, Error> {
        let (config, setup) = self.setup()?;
        Ok(ScorerStage { scoring: Scoring::new(config, &setup, features.to_vec())? })
    }

    /// Configures a transformer.
    ///
    /// # Errors
    /// Those of its configuration.
    pub fn transformer<T: Transformer>(&self) -> Result<TransformerStage<T>, Error> {
        let (config, setup) = self.setup()?;
        let transformation = Transformation::new(config, &setup)?;
        Ok(TransformerStage { transformation, topics: self.topics.clone() })
    }

    fn setup<C: serde::de::DeserializeOwned>(&self) -> Result<(C, Setup), Error> {
        let (config, setup) = Setup::read(types::Setup {
            config: self.config.clone(),
            models: self.models.clone(),
            topics: self.topics.clone(),
        })?;
        let setup = setup.with_artifacts(self.artifacts.clone()).with_schemas(self.schemas.clone());
        Ok((config, setup))
    }
}

/// A configured extractor.
pub struct ExtractorStage<E> {
    extraction: Extraction<E>,
}

impl<E: Extractor> ExtractorStage<E> {
    /// The features that it declared.
    pub fn features(&self) -> &[Field] {
        self.extraction.fields()
    }

    /// Runs it over a batch.
    pub fn extract(&mut self, records: &Records) -> Extracted {
        let extracted = self.extraction.extract(records.batch());
        let features = Features::from_table(self.extraction.fields().to_vec(), extracted.table);
        Extracted { records: records.len(), features, failures: extracted.failures }
    }
}

/// A configured scorer.
pub struct ScorerStage<S> {
    scoring: Scoring<S>,
}

impl<S: Scorer> ScorerStage<S> {
    /// What its predictions are made of.
    pub fn output(&self) -> &Output {
        self.scoring.output()
    }

    /// Runs it over a table; the result has what each row gave.
    pub fn score(&mut self, features: &Features) -> Vec<Result<Prediction, Failure>> {
        let scored = self.scoring.score(features.table());
        let predictions = predictions(self.scoring.output(), &scored);
        outcomes(features.len(), predictions, &scored.failures)
    }

    /// The same as columns: labels and numbers, as they would cross the boundary. For
    /// benchmarks, which measure the scorer and not the taking apart.
    pub fn score_columns(&mut self, features: &Features) -> (Vec<u32>, Vec<f64>) {
        let scored = self.scoring.score(features.table());
        (scored.labels, scored.values)
    }
}

/// A configured transformer.
pub struct TransformerStage<T> {
    transformation: Transformation<T>,
    topics: Vec<String>,
}

impl<T: Transformer> TransformerStage<T> {
    /// Runs it over a batch.
    pub fn transform(&mut self, records: &Records) -> Transformed {
        Transformed::new(self.transformation.transform(records.batch()), &self.topics)
    }
}
