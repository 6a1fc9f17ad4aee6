//! The plan of a pipeline: what its manifest asks for, loaded, verified and fitted
//! together before any record moves.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use super::chain::{Chain, Predictor, Routed};
use super::labels::Labels;
use super::policy::Policies;
use super::smoke::{SampleError, try_samples};
use crate::inference::NnLimits;
use crate::kafka::config::Connection;
use crate::kafka::source::SourcePlan;
use crate::manifest::{self, Delivery, Grant, Manifest, Problems};
use crate::models::{Artifact, ModelError};
use crate::observe::CallTimes;
use crate::output::{Encoder, Format, FormatError, Output};
use crate::references::{References, ReferencesError, Resolver};
use crate::registry::RegistryError;
use crate::sandbox::{
    Clock, Component, ComponentError, Extractor, Grants, Limits, Operator, Sandbox, Scorer,
    StageError, Transformer, World,
};

/// A pipeline that is ready to run.
pub struct Plan {
    /// The manifest's file, for errors.
    path: PathBuf,
    /// The pipeline's name.
    pub name: String,
    /// How to reach the brokers.
    pub connection: Connection,
    /// Secrets that are missing for that and for the stores' options.
    secrets: Result<(), Problems>,
    /// The delivery guarantee.
    pub delivery: Delivery,
    /// What to read.
    pub source: SourcePlan,
    /// How many threads call operators.
    pub workers: usize,
    labels: Labels,
    policies: Policies,
    /// The model that makes the predictions, `name@version`.
    model: Option<Arc<str>>,
    format: Format,
    stages: Vec<StagePlan>,
    /// The clock of the stages that are granted one.
    clock: Clock,
    /// Where records may refer to their data.
    references: Option<Arc<References>>,
    /// What the predictions are made of, if it makes any.
    output: Option<Output>,
    /// How many sample rows its model was validated with.
    samples: usize,
}

struct StagePlan {
    operator: Operator,
    /// For a transformer: where its routes lead, indices into the topics of [`Plan::labels`].
    routes: Vec<usize>,
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
        error: Box<ModelError>,
    },
    /// A stage cannot be set up.
    #[error("{0}")]
    Stage(#[from] StageError),
    /// The stages are not in a valid order.
    #[error(
        "stages: got {found}; expected any number of transformers, then optionally an extractor and a scorer"
    )]
    Order {
        /// The worlds of the stages.
        found: String,
    },
    /// A model does not do what its sample rows say.
    #[error("{0}")]
    Samples(#[from] Box<SampleError>),
    /// External payloads are not accessible.
    #[error("{0}")]
    References(#[from] ReferencesError),
    /// The output's form does not fit the predictions.
    #[error("[sink]: {0}")]
    Output(#[from] FormatError),
}

impl Plan {
    /// Loads what the manifest names, sets every stage up once and has the model score its own
    /// sample rows, so that errors show now. `brokers` overrides the manifest's;
    /// whether there are any is checked when the plan runs.
    ///
    /// # Errors
    /// If anything that the manifest names cannot be used, or does not fit.
    pub fn new(
        manifest: &Manifest,
        brokers: Option<&str>,
        sandbox: &Sandbox,
    ) -> Result<Self, PlanError> {
        let models = load_models(manifest).map_err(|reason| error(manifest, reason))?;
        Plan::with_models(manifest, &models, brokers, sandbox)
    }

    /// The same with models that are loaded already, or stand in for those of the
    /// manifest, by the pipeline's names for them.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn with_models(
        manifest: &Manifest,
        models: &BTreeMap<String, Artifact>,
        brokers: Option<&str>,
        sandbox: &Sandbox,
    ) -> Result<Self, PlanError> {
        let mut plan = Self::load(manifest, models, brokers, sandbox)
            .map_err(|reason| error(manifest, reason))?;
        let chain = plan.chain()?;
        plan.output = chain.shape().cloned();
        if let (Some(predictor), Some(scorer)) = (&chain.predictor, plan.stages.last()) {
            let fields = predictor.extractor.shape();
            let tried = try_samples(&scorer.operator, fields, plan.source.batch);
            plan.samples = tried.map_err(|it| error(manifest, it.into()))?;
        }
        Ok(plan)
    }

    fn load(
        manifest: &Manifest,
        models: &BTreeMap<String, Artifact>,
        brokers: Option<&str>,
        sandbox: &Sandbox,
    ) -> Result<Self, Reason> {
        let clock = Clock::default();
        let mut topics = vec![manifest.sink.topic.clone()];
        let stages = manifest.stages.iter().map(|stage| {
            let routes = stage.topics.iter().map(|topic| place(&mut topics, topic)).collect();
            Ok(StagePlan { operator: operator(manifest, stage, models, &clock, sandbox)?, routes })
        });
        let stages = stages.collect::<Result<Vec<_>, Reason>>()?;
        let is_scorer = |plan: &StagePlan| plan.operator.component.world() == World::Scorer;
        let scorer = manifest.stages.iter().zip(&stages).rfind(|(_, plan)| is_scorer(plan));
        let model = scorer.and_then(|(stage, _)| models.get(stage.models.first()?));
        Ok(Plan {
            path: manifest.path().to_owned(),
            name: manifest.name.clone(),
            connection: Connection {
                brokers: manifest.brokers(brokers).unwrap_or_default().to_owned(),
                consumer: manifest.consumer_properties(),
                producer: manifest.producer_properties(),
            },
            secrets: manifest.secrets(),
            delivery: manifest.delivery,
            source: source(manifest),
            references: References::open(manifest)?.map(Arc::new),
            workers: manifest.runner.workers(),
            format: manifest.format(),
            policies: Policies::of(manifest),
            labels: Labels {
                pipeline: manifest.name.clone(),
                topics,
                dead_letters: manifest.dead_letter.topic.clone(),
            },
            model: model.map(|model| model.id.as_str().into()),
            stages,
            clock,
            output: None,
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

    fn fit(&self) -> Result<Chain, Reason> {
        let worlds: Vec<World> =
            self.stages.iter().map(|stage| stage.operator.component.world()).collect();
        let count = worlds.iter().take_while(|world| **world == World::Transformer).count();
        let (transformers, rest) = self.stages.split_at(count);
        let predictor = match (rest, &worlds[count..]) {
            ([], _) => None,
            ([extractor, scorer], [World::Extractor, World::Scorer]) => {
                let extractor = Extractor::new(extractor.operator.clone())?;
                let scorer = Scorer::new(scorer.operator.clone(), extractor.shape().clone())?;
                let model = self.model.as_deref().unwrap_or("none");
                let encoder = Encoder::new(&self.format, scorer.shape(), model)?;
                Some(Predictor { extractor, scorer, encoder })
            }
            _ => {
                let found: Vec<String> = worlds.iter().map(World::to_string).collect();
                return Err(Reason::Order { found: found.join(", ") });
            }
        };
        let transformers = transformers.iter().map(|stage| {
            let transformer = Transformer::new(stage.operator.clone())?;
            Ok(Routed { transformer, topics: stage.routes.clone() })
        });
        let transformers = transformers.collect::<Result<_, StageError>>()?;
        Ok(Chain { transformers, predictor, model: self.model.clone() })
    }

    /// What one worker resolves references with, if records may refer to their data.
    pub(super) fn resolver(&self) -> Option<Resolver> {
        let references = self.references.clone()?;
        Some(Resolver::new(references, self.source.batch.bytes))
    }

    /// Whether all values are there that the manifest has from elsewhere.
    ///
    /// # Errors
    /// As [`Manifest::secrets`].
    pub fn secrets(&self) -> Result<(), Problems> {
        self.secrets.clone()
    }

    /// What each stage does about its failures.
    pub(super) fn policies(&self) -> Policies {
        self.policies.clone()
    }

    /// The clock of the stages that are granted one.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Continues the latency histograms of the plan before this one.
    pub(super) fn continue_times(&mut self, before: &Plan) {
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

    /// The model that makes the predictions, `name@version`, if one does.
    pub fn model(&self) -> Option<&Arc<str>> {
        self.model.as_ref()
    }

    /// What the predictions are made of, if it makes any.
    pub(super) fn output(&self) -> Option<&Output> {
        self.output.as_ref()
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
    pub fn labels(&self) -> Labels {
        self.labels.clone()
    }
}

impl fmt::Display for Plan {
    /// `flights: flight-features (extractor) → score (scorer, model flights-gbm@1) → predictions`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source.topics.join(", "))?;
        for StagePlan { operator, .. } in &self.stages {
            let world = operator.component.world();
            write!(f, " → {} ({world}", operator.stage)?;
            if let Some(model) = self.model.as_ref().filter(|_| world == World::Scorer) {
                write!(f, ", {model}")?;
            }
            f.write_str(")")?;
        }
        write!(f, " → {}", self.labels.topics[0])
    }
}

fn error(manifest: &Manifest, reason: Reason) -> PlanError {
    PlanError { manifest: manifest.path().to_owned(), reason }
}

/// The operators of a manifest's stages, whatever their order: to call them one by one.
///
/// # Errors
/// If a component or a model cannot be used.
pub fn operators(manifest: &Manifest, sandbox: &Sandbox) -> Result<Vec<Operator>, PlanError> {
    let load = || -> Result<Vec<Operator>, Reason> {
        let models = load_models(manifest)?;
        let clock = Clock::default();
        let stages = manifest.stages.iter();
        stages.map(|stage| operator(manifest, stage, &models, &clock, sandbox)).collect()
    };
    load().map_err(|reason| PlanError { manifest: manifest.path().to_owned(), reason })
}

pub(super) fn load_models(manifest: &Manifest) -> Result<BTreeMap<String, Artifact>, Reason> {
    let load = |name: &String| Ok((name.clone(), load_model(manifest, name)?));
    manifest.models.keys().map(load).collect()
}

/// Loads one of a manifest's models, by the pipeline's name for it.
pub(super) fn load_model(manifest: &Manifest, name: &str) -> Result<Artifact, Reason> {
    let error = |error| Reason::Model { name: name.to_owned(), error: Box::new(error) };
    let model = manifest.open_model(name).map_err(error)?;
    Artifact::load(model).map_err(error)
}

/// The operator of a stage, with what it is granted.
pub(crate) fn operator(
    manifest: &Manifest,
    stage: &manifest::Stage,
    models: &BTreeMap<String, Artifact>,
    clock: &Clock,
    sandbox: &Sandbox,
) -> Result<Operator, Reason> {
    let path = manifest
        .component(stage)
        .map_err(|error| Reason::Registry { stage: stage.name.clone(), error: Box::new(error) })?;
    let component = Component::load(sandbox, &path)
        .map_err(|error| Reason::Component { stage: stage.name.clone(), error })?;
    let granted =
        stage.models.iter().filter_map(|name| Some((name.clone(), models.get(name)?.clone())));
    let grants = Grants {
        config: serde_json::Value::Object(stage.config.clone()).to_string(),
        models: granted.collect(),
        topics: stage.topics.clone(),
        clock: stage.grants.contains(&Grant::Clock).then(|| clock.clone()),
        random: stage.grants.contains(&Grant::Random),
    };
    let mut limits = limits(&stage.limits);
    limits.nn.load = stage.load_graphs.as_u64();
    Ok(Operator {
        stage: stage.name.as_str().into(),
        component,
        grants: Arc::new(grants),
        limits,
        times: CallTimes::default(),
    })
}

/// A manifest's limits as those of an operator, which may not bring graphs.
pub fn limits(limits: &manifest::Limits) -> Limits {
    Limits {
        memory: limits.memory.as_u64(),
        deadline: limits.deadline,
        configure_deadline: limits.configure_deadline,
        log: limits.log.as_u64(),
        retire_after: limits.retire_after,
        nn: NnLimits { deadline: limits.inference_deadline, load: 0 },
    }
}

/// The index of a topic in `topics`, where it is put if it is not there.
fn place(topics: &mut Vec<String>, topic: &str) -> usize {
    topics.iter().position(|known| known == topic).unwrap_or_else(|| {
        topics.push(topic.to_owned());
        topics.len() - 1
    })
}

fn source(manifest: &Manifest) -> SourcePlan {
    let runner = &manifest.runner;
    SourcePlan {
        topics: manifest.source.topics.clone(),
        group: manifest.source.group.clone(),
        written: manifest.written().map(str::to_owned).collect(),
        start: manifest.source.start.clone(),
        batch: runner.into(),
        in_flight: runner.in_flight.as_u64(),
        commit_interval: runner.commit_interval(manifest.delivery),
        commits: manifest.delivery == Delivery::AtLeastOnce,
        drain_deadline: runner.drain_deadline,
    }
}
