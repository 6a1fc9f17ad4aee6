//! The plan of a pipeline: what its manifest asks for, loaded, verified and fitted
//! together before any record moves.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use sandbar_inference::Artifact;
use sandbar_manifest::{Format, FormatError, Grant, Manifest, Preparation, Stage};
use sandbar_model::{Model, ModelError};
use sandbar_record::{BatchLimits, OutputHeaders};
use sandbar_registry::RegistryError;
use sandbar_sandbox::{
    Clock, Component, ComponentError, Grants, Limits, Operator, OutputSchema, Sandbox, StageError,
    World,
};
use sandbar_telemetry::CallTimes;
use thiserror::Error;

use crate::chain::Chain;
use crate::definition::{Definition, OpenError};
use crate::events::SamplesNotTried;
use crate::external_payloads::{ExternalPayloads, ExternalPayloadsError, PayloadResolver};
use crate::graph::{Graph, GraphError, Node};
use crate::policy::Policies;
use crate::preparation::{PreparationError, Report};
use crate::routing::{RouteError, RoutePlan};
use crate::validation::{SampleError, Untried, try_samples};

/// A pipeline that is ready to run.
pub struct Plan {
    /// The manifest's file, for errors.
    path: PathBuf,
    /// The pipeline's name.
    pub name: String,
    /// The topics that it reads: names, and expressions, which begin with `^`.
    pub topics: Vec<String>,
    /// How large a batch may become.
    pub batch: BatchLimits,
    /// How many threads call operators.
    pub workers: usize,
    pub(crate) labels: OutputHeaders,
    policies: Policies,
    /// The models that make the predictions, `name@version`.
    model: Option<Arc<str>>,
    pub(crate) format: Format,
    /// The topics that outputs go to, but for those of transformers.
    ends: Vec<String>,
    /// Routes, and keys and headers of outputs, if there are any.
    pub(crate) routes: Option<RoutePlan>,
    pub(crate) stages: Vec<StagePlan>,
    /// What each stage reads.
    pub(crate) graph: Graph,
    /// The clock of the stages that are granted one.
    clock: Clock,
    /// Where records may refer to their data.
    references: Option<Arc<ExternalPayloads>>,
    /// What the predictions of each scorer are made of, by its stage.
    shapes: Vec<(Arc<str>, OutputSchema)>,
    /// The features of each extractor, by its stage.
    pub(crate) features: BTreeMap<Arc<str>, usize>,
    /// How many sample rows its model was validated with.
    samples: usize,
}

/// A stage of a plan.
pub(crate) struct StagePlan {
    pub(crate) operator: Operator,
    /// For a transformer: where its routes lead, indices into the topics of [`Plan::labels`].
    pub(crate) routes: Vec<usize>,
    /// For a scorer: its main model, `name@version`.
    pub(crate) model: Option<Arc<str>>,
    /// For a scorer: other names of columns.
    pub(crate) columns: BTreeMap<String, String>,
}

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
    Graph(#[from] GraphError),
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
    /// The output's form does not fit the predictions.
    #[error("[sink]: {0}")]
    OutputSchema(#[from] FormatError),
    /// A route, a key or a header does not fit the predictions.
    #[error("{0}")]
    Route(#[from] Box<RouteError>),
}

impl Plan {
    /// The plan of what a manifest names, with models that are loaded already, or stand in for
    /// those of the manifest, by the pipeline's names for them. Every stage is set up once, and the
    /// model scores its own sample rows, so that errors show now.
    ///
    /// # Errors
    /// If anything that the manifest names cannot be used, or does not fit.
    pub fn with_models(
        definition: &Definition,
        models: &BTreeMap<String, Artifact>,
        sandbox: &Sandbox,
    ) -> Result<Self, PlanError> {
        let (plan, untried) = Plan::tried(definition, models, sandbox)?;
        tell_untried(&untried);
        Ok(plan)
    }

    /// The same, without trying samples: for measurements.
    ///
    /// # Errors
    /// As [`Plan::with_models`].
    pub fn untried(definition: &Definition, sandbox: &Sandbox) -> Result<Self, PlanError> {
        let models = load_models(definition, |_, model| Artifact::load(model));
        let models = models.map_err(|reason| error(definition, reason))?;
        Plan::fitted(definition, &models, sandbox).map(|(plan, _)| plan)
    }

    /// The same, with the samples that no stage can try.
    pub(crate) fn tried(
        definition: &Definition,
        models: &BTreeMap<String, Artifact>,
        sandbox: &Sandbox,
    ) -> Result<(Self, Vec<Untried>), PlanError> {
        let (mut plan, chain) = Plan::fitted(definition, models, sandbox)?;
        let stages: Vec<&Operator> = plan.stages.iter().map(|stage| &stage.operator).collect();
        let mut untried = Vec::new();
        let tried = try_samples(&stages, &plan.predictors(&chain), &mut untried);
        plan.samples = tried.map_err(|it| error(definition, it.into()))?;
        Ok((plan, untried))
    }

    /// The same of what was tried in another process.
    pub(crate) fn prepared(
        definition: &Definition,
        models: &BTreeMap<String, Artifact>,
        sandbox: &Sandbox,
        report: &Report,
    ) -> Result<Self, PlanError> {
        let (mut plan, _) = Plan::fitted(definition, models, sandbox)?;
        plan.samples = report.samples;
        tell_untried(&report.untried);
        Ok(plan)
    }

    /// Loads the components, and sets every stage up once.
    fn fitted(
        definition: &Definition,
        models: &BTreeMap<String, Artifact>,
        sandbox: &Sandbox,
    ) -> Result<(Self, Chain), PlanError> {
        let mut plan =
            Self::load(definition, models, sandbox).map_err(|reason| error(definition, reason))?;
        let chain = plan.chain()?;
        plan.shapes = chain.shapes();
        plan.features = chain.features();
        Ok((plan, chain))
    }

    fn load(
        definition: &Definition,
        models: &BTreeMap<String, Artifact>,
        sandbox: &Sandbox,
    ) -> Result<Self, Reason> {
        let manifest = &definition.manifest;
        let clock = Clock::default();
        // There is none where what no route takes is dropped.
        let sink = Some(&manifest.sink.topic).filter(|topic| !topic.is_empty());
        let mut topics: Vec<String> = sink.into_iter().cloned().collect();
        let stages = manifest.stages.iter().map(|stage| {
            let routes = stage.topics.iter().map(|topic| place(&mut topics, topic)).collect();
            let operator = operator(definition, stage, models, &clock, sandbox)?;
            let model = match operator.component.world() {
                World::Scorer => stage.models.first().and_then(|name| models.get(name)),
                World::Extractor | World::Transformer => None,
            };
            let (model, columns) = (model.map(|it| it.id.as_str().into()), stage.columns.clone());
            Ok(StagePlan { operator, routes, model, columns })
        });
        let stages = stages.collect::<Result<Vec<_>, Reason>>()?;
        let routes = RoutePlan::of(manifest, |topic| place(&mut topics, topic));
        let nodes = manifest.stages.iter().zip(&stages).map(|(stage, plan)| Node {
            name: plan.operator.stage.clone(),
            world: plan.operator.component.world(),
            from: stage.from.clone(),
            renames: !stage.columns.is_empty(),
        });
        let graph = Graph::new(&nodes.collect::<Vec<_>>(), &manifest.sink.from)?;
        Ok(Plan {
            path: manifest.path().to_owned(),
            name: manifest.name.clone(),
            topics: manifest.source.topics.clone(),
            batch: (&manifest.runner).into(),
            references: ExternalPayloads::open(manifest)?.map(Arc::new),
            workers: manifest.runner.workers(),
            format: manifest.format(),
            ends: ends(manifest),
            routes,
            policies: Policies::of(manifest, sandbox.memory()),
            labels: OutputHeaders {
                pipeline: manifest.name.clone(),
                named_by: named_by(manifest, &topics),
                topics,
                dead_letters: manifest.dead_letter.topic.clone(),
            },
            model: models_of(stages.iter()),
            stages,
            graph,
            clock,
            shapes: Vec::new(),
            features: BTreeMap::new(),
            samples: 0,
        })
    }

    /// The stages for one worker, each with a warm instance.
    ///
    /// # Errors
    /// If the stages do not fit each other, or an operator refuses its
    /// configuration.
    pub fn chain(&self) -> Result<Chain, PlanError> {
        self.fit().map_err(|reason| PlanError { manifest: self.path.clone(), reason })
    }

    /// What one worker resolves references with, if records may refer to their data.
    pub(crate) fn resolver(&self) -> Option<PayloadResolver> {
        let references = self.references.clone()?;
        Some(PayloadResolver::new(references, self.batch.bytes))
    }

    /// What each stage does about its failures.
    pub(crate) fn policies(&self) -> Policies {
        self.policies.clone()
    }

    /// The clock of the stages that are granted one.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Continues the latency histograms of the plan before this one.
    pub(crate) fn continue_times(&mut self, before: &Plan) {
        for StagePlan { operator, .. } in &mut self.stages {
            let same = |old: &&StagePlan| old.operator.stage == operator.stage;
            if let Some(old) = before.stages.iter().find(same) {
                operator.times = old.operator.times.clone();
            }
        }
    }

    /// The file of each stage's component.
    pub fn components(&self) -> Vec<(Arc<str>, PathBuf)> {
        let operators = self.stages.iter().map(|stage| &stage.operator);
        operators.map(|it| (it.stage.clone(), it.component.path().to_owned())).collect()
    }

    /// The models that make the predictions, `name@version`, several separated by commas.
    pub fn model(&self) -> Option<&Arc<str>> {
        self.model.as_ref()
    }

    /// What the predictions of each scorer are made of, by its stage.
    pub(crate) fn shapes(&self) -> &[(Arc<str>, OutputSchema)] {
        &self.shapes
    }

    /// How many sample rows of its model it has scored, as they are expected.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// How long the calls of each stage take, of all workers together.
    pub fn call_times(&self) -> Vec<(Arc<str>, CallTimes)> {
        let operators = self.stages.iter().map(|stage| &stage.operator);
        operators.map(|it| (it.stage.clone(), it.times.clone())).collect()
    }

    /// What the pipeline writes on everything that leaves it.
    pub fn labels(&self) -> OutputHeaders {
        self.labels.clone()
    }
}

impl fmt::Display for Plan {
    /// `flights: flight-features (extractor) → score (scorer, model flights-gbm@1) → predictions`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.topics.join(", "))?;
        for StagePlan { operator, model, .. } in &self.stages {
            let world = operator.component.world();
            write!(f, " → {} ({world}", operator.stage)?;
            if let Some(model) = model {
                write!(f, ", {model}")?;
            }
            f.write_str(")")?;
        }
        write!(f, " → {}", self.ends.join(", "))
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

pub(crate) fn error(definition: &Definition, reason: Reason) -> PlanError {
    PlanError { manifest: definition.manifest.path().to_owned(), reason }
}

/// The operators of a manifest's stages, whatever their order: to call them one by one.
///
/// # Errors
/// If a component or a model cannot be used.
pub fn operators(definition: &Definition, sandbox: &Sandbox) -> Result<Vec<Operator>, PlanError> {
    let load = || -> Result<Vec<Operator>, Reason> {
        let models = load_models(definition, |_, model| Artifact::load(model))?;
        let clock = Clock::default();
        let stages = definition.manifest.stages.iter();
        stages.map(|stage| operator(definition, stage, &models, &clock, sandbox)).collect()
    };
    load().map_err(|reason| error(definition, reason))
}

/// Loads a manifest's models, by the pipeline's names for them, as `read` does it.
pub(crate) fn load_models(
    definition: &Definition,
    read: impl Fn(&str, Model) -> Result<Artifact, ModelError>,
) -> Result<BTreeMap<String, Artifact>, Reason> {
    let load = |name: &String| {
        Ok((name.clone(), load_model(definition, name, |model| read(name, model))?))
    };
    definition.manifest.models.keys().map(load).collect()
}

/// Loads one of a manifest's models, by the pipeline's name for it.
pub(crate) fn load_model(
    definition: &Definition,
    name: &str,
    read: impl FnOnce(Model) -> Result<Artifact, ModelError>,
) -> Result<Artifact, Reason> {
    let error = |error| Reason::Model { name: name.to_owned(), error: Box::new(error) };
    let model = definition.open_model(name).map_err(error)?;
    read(model).map_err(|it| error(it.into()))
}

/// Says which samples no stage can try.
fn tell_untried(untried: &[Untried]) {
    for Untried { model, file } in untried {
        SamplesNotTried { model, file }.emit();
    }
}

/// The operator of a stage, with what it is granted.
///
/// # Errors
/// If its component cannot be used.
pub fn operator(
    definition: &Definition,
    stage: &Stage,
    models: &BTreeMap<String, Artifact>,
    clock: &Clock,
    sandbox: &Sandbox,
) -> Result<Operator, Reason> {
    let path = definition
        .component(stage)
        .map_err(|error| Reason::Registry { stage: stage.name.clone(), error: Box::new(error) })?;
    let component = Component::load_approved(sandbox, &path, definition.approved())
        .map_err(|error| Reason::Component { stage: stage.name.clone(), error })?;
    let granted =
        stage.models.iter().filter_map(|name| Some((name.clone(), models.get(name)?.clone())));
    let grants = Grants {
        config: serde_json::Value::Object(stage.config.clone()).to_string(),
        models: granted.collect(),
        topics: stage.topics.clone(),
        clock: stage.grants.contains(&Grant::Clock).then(|| clock.clone()),
        random: stage.grants.contains(&Grant::Random),
        schemas: match stage.grants.contains(&Grant::Schemas) {
            true => definition.schemas().map_err(|it| Reason::Schemas(it.to_owned()))?.cloned(),
            false => None,
        },
    };
    let mut limits = Limits::from(&stage.limits);
    limits.nn.load = stage.load_graphs.as_u64();
    limits.nn.apart = definition.manifest.runner.preparation == Preparation::ChildProcess;
    Ok(Operator {
        stage: stage.name.as_str().into(),
        component,
        grants: Arc::new(grants),
        limits,
        times: CallTimes::default(),
    })
}

/// The key of the manifest that names each of the topics.
fn named_by(manifest: &Manifest, topics: &[String]) -> Vec<&'static str> {
    let key = |topic: &String| match topic {
        topic if *topic == manifest.sink.topic => "[sink] topic",
        topic if manifest.sink.routes.iter().any(|route| route.topic == *topic) => {
            "[[sink.routes]] topic"
        }
        _ => "the stage's `topics`",
    };
    topics.iter().map(key).collect()
}

/// The topics of `[sink]` and its routes, each once.
fn ends(manifest: &Manifest) -> Vec<String> {
    let routes = manifest.sink.routes.iter().map(|route| route.topic.as_str());
    let mut ends = Vec::new();
    for topic in [manifest.sink.topic.as_str()].into_iter().chain(routes) {
        if !topic.is_empty() {
            place(&mut ends, topic);
        }
    }
    ends
}

/// The models of these stages, each once.
pub(crate) fn models_of<'a>(stages: impl Iterator<Item = &'a StagePlan>) -> Option<Arc<str>> {
    let mut models: Vec<&str> = Vec::new();
    for model in stages.filter_map(|stage| stage.model.as_deref()) {
        if !models.contains(&model) {
            models.push(model);
        }
    }
    (!models.is_empty()).then(|| models.join(", ").into())
}

/// The index of a topic in `topics`, where it is put if it is not there.
fn place(topics: &mut Vec<String>, topic: &str) -> usize {
    topics.iter().position(|known| known == topic).unwrap_or_else(|| {
        topics.push(topic.to_owned());
        topics.len() - 1
    })
}
