//! Why a pipeline cannot run.

use std::path::PathBuf;

use sandbar_manifest::FormatError;
use sandbar_registry::RegistryError;
use sandbar_sandbox::{ComponentError, StageError};
use sandbar_schemas::SchemaError;
use thiserror::Error;

use crate::definition::{Definition, OpenError};
use crate::external_payloads::ExternalPayloadsError;
use crate::graph::GraphError;
use crate::preparation::PreparationError;
use crate::routing::RouteError;
use crate::validation::SampleError;

/// Why a pipeline cannot run.
#[derive(Debug, Error)]
#[error("{manifest}: {reason}", manifest = manifest.display())]
pub struct PlanError {
    /// The manifest.
    pub manifest: PathBuf,
    /// What is wrong with what it asks for.
    pub reason: Reason,
}

/// What is wrong.
#[derive(Debug, Error)]
pub enum Reason {
    /// A component cannot be used.
    #[error("stage '{stage}': {error}")]
    Component {
        /// The stage.
        stage: String,
        /// What is wrong with it.
        error: ComponentError,
    },
    /// The registry does not provide a component.
    #[error("stage '{stage}': {error}")]
    Registry {
        /// The stage.
        stage: String,
        /// Why not.
        error: Box<RegistryError>,
    },
    /// A model cannot be used.
    #[error("model '{name}': {error}")]
    Model {
        /// The pipeline's name for it.
        name: String,
        /// What is wrong with it.
        error: Box<OpenError>,
    },
    /// A stage cannot be set up.
    #[error("{0}")]
    Stage(#[from] StageError),
    /// The stages do not fit each other.
    #[error("{0}")]
    Graph(Box<GraphError>),
    /// A model does not do what its sample rows say.
    #[error("{0}")]
    Samples(#[from] Box<SampleError>),
    /// It was not prepared.
    #[error("{0}")]
    Preparation(PreparationError),
    /// External payloads are not accessible.
    #[error("{0}")]
    ExternalPayloads(#[from] ExternalPayloadsError),
    /// A file of `[schemas]` cannot be read.
    #[error("{0}")]
    Schemas(String),
    /// The registry does not give the schema of outputs an id.
    #[error("{place}: schema: {error}{advice}")]
    Registration {
        /// The key of the manifest.
        place: String,
        /// What the registry says.
        error: SchemaError,
        /// What to do.
        advice: &'static str,
    },
    /// The output's form does not fit the predictions.
    #[error("[sink]: {0}")]
    OutputSchema(#[from] FormatError),
    /// A route, a key or a header does not fit the predictions.
    #[error("{0}")]
    Route(#[from] Box<RouteError>),
}

impl From<GraphError> for Reason {
    fn from(error: GraphError) -> Self {
        Reason::Graph(Box::new(error))
    }
}

impl From<PreparationError> for Reason {
    /// What a registry does not provide is the same wherever it is asked for.
    fn from(error: PreparationError) -> Self {
        match error {
            PreparationError::Model { name, error } => {
                Reason::Model { name, error: Box::new(OpenError::Registry(*error)) }
            }
            PreparationError::Component { stage, error } => Reason::Registry { stage, error },
            error => Reason::Preparation(error),
        }
    }
}

/// The error of a manifest.
pub(crate) fn error(definition: &Definition, reason: Reason) -> PlanError {
    PlanError { manifest: definition.manifest.path().to_owned(), reason }
}
