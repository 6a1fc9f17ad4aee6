//! The plan of a pipeline: what its manifest asks for, loaded, verified and fitted
//! together before any record moves.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use sandbar_inference::Artifact;
use sandbar_manifest::{Format, Grant, Preparation, Stage};
use sandbar_model::{Model, ModelError};
use sandbar_record::{BatchLimits, OutputHeaders};
use sandbar_sandbox::{Clock, Component, Grants, Limits, Operator, OutputSchema, Sandbox, World};
use sandbar_telemetry::CallTimes;

use crate::chain::Chain;
use crate::definition::Definition;
use crate::encoding::{SchemaContext, TopicSchema};
use crate::events::SamplesNotTried;
use crate::external_payloads::{ExternalPayloads, PayloadResolver};
use crate::fit::Stages;
use crate::granted::lend;
use crate::graph::Graph;
use crate::plan_error::{PlanError, Reason, error};
use crate::policy::Policies;
use crate::preparation::Report;
use crate::routing::RoutePlan;
use crate::stage_plan::{StagePlan, models_of};
use crate::topics::{ends, named_by, place};
use crate::trials::predictors;
use crate::validation::{Untried, try_samples};

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
    pub(crate) ends: Vec<String>,
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
    /// The schemas by which outputs are written, each with the place in the manifest that says so.
    pub(crate) schemas: Vec<(String, TopicSchema)>,
    pub(crate) context: SchemaContext,
    /// How many sample rows its model was validated with.
    samples: usize,
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
        let predictors = predictors(&plan.stages, &plan.graph, plan.batch, &chain);
        let tried = try_samples(&stages, &predictors, &mut untried);
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
        let schemas = chain.schemas().map(|(place, schema)| (place.to_owned(), schema.clone()));
        plan.schemas = schemas.collect();
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
        let mut stages = stages.collect::<Result<Vec<_>, Reason>>()?;
        let files = match manifest.sink_files().next() {
            Some(_) => definition.schemas().map_err(|it| Reason::Schemas(it.to_owned()))?.cloned(),
            None => None,
        };
        let routes = RoutePlan::of(manifest, |topic| place(&mut topics, topic));
        let graph = Graph::of(manifest, stages.iter().map(|stage| &stage.operator))?;
        lend(&graph, manifest, stages.iter_mut().map(|stage| &mut stage.operator));
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
            schemas: Vec::new(),
            context: SchemaContext { files, ..SchemaContext::default() },
            samples: 0,
        })
    }

    /// The stages for one worker, each with a warm instance.
    ///
    /// # Errors
    /// If the stages do not fit each other, or an operator refuses its
    /// configuration.
    pub fn chain(&self) -> Result<Chain, PlanError> {
        let stages = Stages {
            stages: &self.stages,
            graph: &self.graph,
            format: &self.format,
            routes: self.routes.as_ref(),
            context: &self.context,
            outputs: self.batch.outputs,
        };
        stages.fit().map_err(|reason| PlanError { manifest: self.path.clone(), reason })
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

/// The operators of a manifest's stages, whatever their order: to call them one by one.
///
/// # Errors
/// If a component or a model cannot be used.
pub fn operators(definition: &Definition, sandbox: &Sandbox) -> Result<Vec<Operator>, PlanError> {
    let load = || -> Result<Vec<Operator>, Reason> {
        let models = load_models(definition, |_, model| Artifact::load(model))?;
        let clock = Clock::default();
        let stages = definition.manifest.stages.iter();
        let operators = stages.map(|stage| operator(definition, stage, &models, &clock, sandbox));
        let mut operators = operators.collect::<Result<Vec<_>, Reason>>()?;
        // Stages that make no pipeline are called all the same.
        if let Ok(graph) = Graph::of(&definition.manifest, operators.iter()) {
            lend(&graph, &definition.manifest, operators.iter_mut());
        }
        Ok(operators)
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
