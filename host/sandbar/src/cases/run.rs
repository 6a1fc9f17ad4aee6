//! Runs a case, and compares the actual results with the expectations.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::actual::{extracted, failed, scored, written};
use super::compare::{compare, refusal};
use super::find::{self, Subject, Suite};
use super::input;
use super::verdict::Verdict;
use sandbar_inference::Artifact;
use sandbar_manifest::cases::expectation::Expectation;
use sandbar_manifest::cases::syntax::Test;
use sandbar_manifest::cases::values::ModelSpec;
use sandbar_manifest::{Manifest, OnFailure, Stage, retries};
use sandbar_model::Model;
use sandbar_pipeline::Definition;
use sandbar_pipeline::Plan;
use sandbar_pipeline::Reason;
use sandbar_pipeline::harness::{DeadLetter, Harness, Written};
use sandbar_pipeline::operator_harness::{ExtractorHarness, Origin, ScorerHarness};
use sandbar_pipeline::plan::operator;
use sandbar_record::Input;
use sandbar_registry::ArtifactSource;
use sandbar_sandbox::{Clock, Sandbox, StageError, Usage, World};

/// The result of a case.
#[derive(Debug)]
pub struct CaseReport {
    /// The case.
    pub name: String,
    /// The file with its expectations, if they are not in the case file.
    pub expectations: Option<PathBuf>,
    /// Whether the actual results match the expected ones.
    pub verdict: Verdict,
    /// What each stage has used, by its name.
    pub usage: Vec<(Arc<str>, Usage)>,
    /// How long it took, including set-up.
    pub took: Duration,
}

/// Why a case has no results.
enum Stop {
    /// The operator or pipeline could not be set up, which a case may expect.
    Refused(String),
    /// The case itself, or a file that it names, is invalid.
    Error(String),
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Stop::Error(message)
    }
}

/// The actual results of a case.
struct Results {
    /// In the order of the records or rows.
    came: Vec<Expectation>,
    /// The beginning of each record's value; of rows none.
    about: Vec<String>,
    usage: Vec<(Arc<str>, Usage)>,
}

/// Runs cases. Models are loaded once.
pub struct Runner {
    sandbox: Sandbox,
    models: BTreeMap<PathBuf, Artifact>,
}

impl Runner {
    /// Runs cases in this sandbox.
    pub fn new(sandbox: Sandbox) -> Self {
        Runner { sandbox, models: BTreeMap::new() }
    }

    /// Runs one case of a suite.
    pub fn run(&mut self, suite: &Suite, test: &Test) -> CaseReport {
        let start = Instant::now();
        let (verdict, usage) = match (self.results(suite, test), &test.refused) {
            (Ok(results), None) => (compare(test, &results.came, &results.about), results.usage),
            (Ok(results), Some(expected)) => (refusal(test, expected, None), results.usage),
            (Err(Stop::Refused(reason)), Some(expected)) => {
                (refusal(test, expected, Some(&reason)), Vec::new())
            }
            (Err(Stop::Refused(reason) | Stop::Error(reason)), _) => {
                (Verdict::Error(reason), Vec::new())
            }
        };
        let (name, expectations) = (test.name.clone(), test.expectations(&suite.path));
        CaseReport { name, expectations, verdict, usage, took: start.elapsed() }
    }

    fn results(&mut self, suite: &Suite, test: &Test) -> Result<Results, Stop> {
        let base = suite.path.parent().unwrap_or(Path::new(""));
        match &suite.subject {
            Subject::Operator(subject) => self.alone(subject, test, base),
            Subject::Pipeline(manifest) => {
                let mut definition = Definition::cached_as((**manifest).clone(), &self.sandbox);
                let manifest = &mut definition.manifest;
                for stage in &mut manifest.stages {
                    if let Some(spec) = test.stages.get(&stage.name) {
                        if let Some(config) = &spec.config {
                            stage.config.clone_from(config);
                        }
                        stage.limits = spec.limits.over(&stage.limits);
                    }
                }
                let mut models = BTreeMap::new();
                let manifest = &definition.manifest;
                for (name, source) in &manifest.models {
                    let model = match (test.models.get(name), source) {
                        (Some(model), _) => self.model(name, model, base)?,
                        (None, ArtifactSource::Path(folder)) => {
                            self.folder(name, &manifest.resolve(folder))?
                        }
                        (None, _) => definition
                            .open_model(name)
                            .and_then(|model| Ok(Artifact::load(model)?))
                            .map_err(|error| format!("model '{name}': {error}"))?,
                    };
                    models.insert(name.clone(), model);
                }
                self.pipeline(&definition, &models, test, base, false)
            }
        }
    }

    /// Runs an operator alone.
    fn alone(
        &mut self,
        subject: &find::Operator,
        test: &Test,
        base: &Path,
    ) -> Result<Results, Stop> {
        let stage = Stage {
            name: subject.name.clone(),
            component: subject.component.clone().into(),
            from: Vec::new(),
            columns: BTreeMap::new(),
            config: test.config.clone(),
            models: test.models.keys().cloned().collect(),
            topics: test.topics.clone(),
            load_graphs: test.load_graphs,
            on_failure: OnFailure::default(),
            retries: retries(),
            grants: test.grants.clone(),
            limits: Default::default(),
            overrides: test.limits.clone(),
        };
        let manifest = Manifest::of_operator(stage, subject.limits.clone());
        let definition = Definition::cached_as(manifest, &self.sandbox);
        let manifest = &definition.manifest;
        let stage = &manifest.stages[0];
        let mut models = BTreeMap::new();
        for (name, model) in &test.models {
            models.insert(name.clone(), self.model(name, model, base)?);
        }
        let operator =
            operator(&definition, stage, &models, &clock(test, Clock::default()), &self.sandbox);
        let operator = operator.map_err(|reason| stop(reason, true))?;
        let (name, limits) = (operator.stage.clone(), (&manifest.runner).into());
        match operator.component.world() {
            World::Transformer => self.pipeline(&definition, &models, test, base, true),
            World::Extractor => {
                let records = take_records(test, base, World::Extractor)?;
                let mut harness = ExtractorHarness::new(operator, limits)
                    .map_err(|error| refused(error, true))?;
                let origins = origins(&records, &manifest.source.topics[0]);
                let about = records.iter().map(input::shown).collect();
                let rows = harness.pipe(records).map_err(|error| error.to_string())?;
                let mut came = vec![Expectation::default(); origins.len()];
                for (origin, row) in rows {
                    if let Some(place) = origins.get(&origin) {
                        came[*place] = extracted(harness.fields(), row);
                    }
                }
                Ok(Results { came, about, usage: vec![(name, harness.usage())] })
            }
            World::Scorer => {
                if test.rows.is_empty() && test.refused.is_none() {
                    return Err(Stop::Error("a scorer takes rows; give features and rows".into()));
                }
                let (fields, rows) = (input::fields(test), input::rows(test, base)?);
                let mut harness = ScorerHarness::new(operator, fields, limits)
                    .map_err(|error| refused(error, true))?;
                let predicted = harness.pipe(&rows).map_err(|error| error.to_string())?;
                let came = predicted.into_iter().map(|row| scored(harness.output(), row)).collect();
                Ok(Results { came, about: Vec::new(), usage: vec![(name, harness.usage())] })
            }
        }
    }

    /// Runs a whole pipeline, or a transformer `alone` as a pipeline of one stage.
    fn pipeline(
        &mut self,
        definition: &Definition,
        models: &BTreeMap<String, Artifact>,
        test: &Test,
        base: &Path,
        alone: bool,
    ) -> Result<Results, Stop> {
        let records = take_records(test, base, World::Transformer)?;
        let plan = Plan::with_models(definition, models, &self.sandbox);
        let plan = plan.map_err(|error| stop(error.reason, alone))?.readable();
        clock(test, plan.clock().clone());
        let mut harness = Harness::new(&plan).map_err(|error| stop(error.reason, alone))?;
        let origins = origins(&records, &definition.manifest.source.topics[0]);
        let about = records.iter().map(input::shown).collect();
        let Written { outputs, dead_letters } =
            harness.pipe(records).map_err(|error| error.to_string())?;
        let none = Expectation { outputs: Some(Vec::new()), ..Expectation::default() };
        let mut came = vec![none; origins.len()];
        for record in outputs {
            if let Some(place) = origins.get(&record.origin) {
                came[*place].outputs.get_or_insert_default().push(written(record));
            }
        }
        for DeadLetter { record, stage, code, message } in dead_letters {
            if let Some(place) = origins.get(&record.origin) {
                let stage = Some(stage).filter(|_| !alone);
                came[*place].failure = Some(failed(stage, code, message));
            }
        }
        Ok(Results { came, about, usage: harness.usage() })
    }

    fn model(&mut self, name: &str, model: &ModelSpec, base: &Path) -> Result<Artifact, String> {
        match model {
            ModelSpec::Folder(folder) => self.folder(name, &base.join(folder)),
            ModelSpec::StandIn(stub) => {
                stub.artifact(name, base).map_err(|error| format!("model '{name}': {error}"))
            }
        }
    }

    fn folder(&mut self, name: &str, folder: &Path) -> Result<Artifact, String> {
        if let Some(model) = self.models.get(folder) {
            return Ok(model.clone());
        }
        let model = Model::open(folder).and_then(Artifact::load);
        let model = model.map_err(|error| format!("model '{name}': {error}"))?;
        self.models.insert(folder.to_owned(), model.clone());
        Ok(model)
    }
}

/// The records of a case, for subjects that take records.
fn take_records(test: &Test, base: &Path, world: World) -> Result<Vec<Input>, String> {
    if !test.rows.is_empty() {
        let found = if world == World::Extractor { "an extractor" } else { "a transformer" };
        return Err(format!("rows are for a scorer; this is {found}, which takes records"));
    }
    input::records(test, base)
}

/// Whether an error in setting up a pipeline is one that a case may expect.
fn stop(reason: Reason, alone: bool) -> Stop {
    match reason {
        Reason::Component { error, .. } => Stop::Error(error.to_string()),
        Reason::Stage(error) => refused(error, alone),
        other => Stop::Refused(other.to_string()),
    }
}

fn refused(error: StageError, alone: bool) -> Stop {
    match error {
        // The operator's own message, if there is only one.
        StageError::Refused { reason, .. } if alone => Stop::Refused(reason),
        StageError::Refused { .. } | StageError::Call(_) => Stop::Refused(error.to_string()),
        StageError::World { .. } | StageError::Link { .. } => Stop::Error(error.to_string()),
    }
}

/// Sets the clock as the case says.
fn clock(test: &Test, clock: Clock) -> Clock {
    if let Some(time) = test.time {
        clock.set(Duration::from_millis(time));
    }
    clock
}

/// The index of each record, by its origin in the harness.
fn origins(records: &[Input], topic: &str) -> BTreeMap<Origin, usize> {
    let mut next: BTreeMap<(String, i32), i64> = BTreeMap::new();
    let mut origins = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        let topic = record.topic.clone().unwrap_or_else(|| topic.to_owned());
        let partition = record.partition;
        let next = next.entry((topic.clone(), partition)).or_default();
        origins.insert(Origin { topic, partition, offset: *next }, place);
        *next += 1;
    }
    origins
}
