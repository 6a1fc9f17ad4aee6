//! Loads what a pipeline is to serve: prepared in a process of its own first, if there is one.
//!
//! What that process has read is what is loaded: each file is compared with the digest that was
//! found there, before anything is made of it. What was prepared before with the same files is
//! not prepared again ([`memo`]).

use std::collections::{BTreeMap, BTreeSet};

use sandbar_inference::Artifact;
use sandbar_model::{ApprovedFiles, FileDigests, ModelError, Sha256};
use sandbar_record::{Batch, Shutdown};
use sandbar_sandbox::Sandbox;

use crate::definition::{Definition, OpenError};
use crate::dry_run::{compare, try_out};
use crate::events::PreparedBefore;
use crate::plan::{Plan, load_model, load_models};
use crate::plan_error::{PlanError, Reason, error};
use crate::preparation::{PreparationError, Report, Subject, Wanted, child, memo, prepare};
use crate::revision::DryRun;
use crate::swap::SwapError;

/// What can serve.
pub(crate) struct Loaded {
    pub(crate) plan: Plan,
    pub(crate) models: BTreeMap<String, Artifact>,
    pub(crate) basis: Basis,
}

/// What of it was prepared in a process of its own; nothing, if there was none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Basis {
    /// The files that were read there.
    files: FileDigests,
    /// Tells it from all with another manifest or other files.
    pub(crate) fingerprint: Option<Sha256>,
}

/// What serves already, beside which something is loaded.
pub(crate) struct Beside<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) models: &'a BTreeMap<String, Artifact>,
    pub(crate) basis: &'a Basis,
    /// The models that are to be loaded anew.
    pub(crate) changed: &'a BTreeSet<String>,
    /// What has served before, by its fingerprint.
    pub(crate) served: &'a BTreeSet<Sha256>,
}

impl Plan {
    /// Loads what the manifest names, sets every stage up once and has the model score its own
    /// sample rows, so that errors show now; unless that was done before with the same files.
    ///
    /// # Errors
    /// If anything that the manifest names cannot be used, or does not fit.
    pub fn new(definition: &Definition, sandbox: &Sandbox) -> Result<Self, PlanError> {
        load(definition, sandbox, &Shutdown::default()).map(|loaded| loaded.plan)
    }

    /// The same, whatever was done before: for who wants to see it done.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn anew(definition: &Definition, sandbox: &Sandbox) -> Result<Self, PlanError> {
        load_new(definition, sandbox, &Shutdown::default(), false).map(|loaded| loaded.plan)
    }
}

/// Loads what a manifest names; `stop` says that nobody wants it any more.
///
/// # Errors
/// As of [`Plan::new`], and if it was stopped.
pub(crate) fn load(
    definition: &Definition,
    sandbox: &Sandbox,
    stop: &Shutdown,
) -> Result<Loaded, PlanError> {
    load_new(definition, sandbox, stop, true)
}

fn load_new(
    definition: &Definition,
    sandbox: &Sandbox,
    stop: &Shutdown,
    recall: bool,
) -> Result<Loaded, PlanError> {
    let wrong = |reason: Reason| error(definition, reason);
    let read =
        |definition: &Definition| load_models(definition, |_, model| Artifact::load_tried(model));
    let Some(child) = child(definition, sandbox) else {
        let models = load_models(definition, |_, model| Artifact::load(model)).map_err(wrong)?;
        let plan = Plan::with_models(definition, &models, sandbox)?;
        return Ok(Loaded { plan, models, basis: Basis::default() });
    };
    let subject = Subject::of(definition).map_err(|it| wrong(it.into()))?;
    let before = recall.then(|| memo::recall(&subject, sandbox)).flatten();
    if let Some(loaded) = before.and_then(|report| again(&subject, sandbox, report, read)) {
        return Ok(loaded);
    }
    let wanted = Wanted { stop, timeout: None, yields: false };
    let report = prepare(child, &subject, sandbox, None, wanted);
    let report = report.map_err(|it| wrong(it.into()))?;
    let files = ApprovedFiles::only(report.files.clone());
    let loaded = approved(&subject, sandbox, &report, &files, read);
    // What the cache could not take was needed until now.
    drop(sandbox.take_compiled());
    let loaded = loaded?;
    memo::remember(&subject, sandbox, &report);
    Ok(loaded)
}

/// Loads what is to serve in the place of something else, of whose models only those differ that
/// have changed, and tries it with a recent batch.
///
/// # Errors
/// As of [`load`], and if more records of the batch fail.
pub(crate) fn load_beside(
    definition: &Definition,
    sandbox: &Sandbox,
    beside: &Beside<'_>,
    batch: Option<&Batch>,
    wanted: Wanted<'_>,
) -> Result<(Loaded, Option<DryRun>), SwapError> {
    let wrong = |reason: Reason| error(definition, reason);
    let memory = sandbox.memory();
    memory.ask(beside.needs(definition)).map_err(SwapError::Memory)?;
    let (loaded, tried) = match child(definition, sandbox) {
        None => {
            let mut models = beside.models.clone();
            for name in beside.changed {
                let model = load_model(definition, name, Artifact::load).map_err(wrong)?;
                models.insert(name.clone(), model);
            }
            let plan = Plan::with_models(definition, &models, sandbox)?;
            (Loaded { plan, models, basis: Basis::default() }, None)
        }
        Some(child) => {
            let subject = Subject::of(definition).map_err(|it| wrong(it.into()))?;
            // External payloads are fetched from the network, which a child does not have.
            let there = batch.filter(|_| definition.manifest.references.is_none());
            let read = |definition: &Definition| beside.models(definition);
            let before = memo::recall(&subject, sandbox).filter(|report| {
                // On records it is tried where it can do little, unless it has served them.
                let served = |it| beside.served.contains(&it);
                let known =
                    there.is_none() || memo::fingerprint(&subject, report).is_some_and(served);
                known && beside.check(&subject, report).is_ok()
            });
            match before.and_then(|report| again(&subject, sandbox, report, read)) {
                Some(loaded) => (loaded, None),
                None => {
                    let report = prepare(child, &subject, sandbox, there, wanted);
                    let mut report = report.map_err(|it| wrong(it.into()))?;
                    beside.check(&subject, &report).map_err(wrong)?;
                    let files = ApprovedFiles::only(report.files.clone());
                    let loaded = approved(&subject, sandbox, &report, &files, read);
                    drop(sandbox.take_compiled());
                    let loaded = loaded?;
                    memo::remember(&subject, sandbox, &report);
                    (loaded, report.tried.take())
                }
            }
        }
    };
    // Better what serves than both.
    memory.ask(0).map_err(SwapError::Memory)?;
    let old = beside.plan;
    let trial = match (batch, tried) {
        (Some(batch), Some(tried)) => Some(compare(batch, old, tried)?),
        (Some(batch), None) => Some(try_out(batch, old, &loaded.plan)?),
        (None, _) => None,
    };
    memory.ask(0).map_err(SwapError::Memory)?;
    if wanted.stop.requested() {
        let about = "the pipeline".to_owned();
        return Err(wrong(PreparationError::Cancelled { about }.into()).into());
    }
    Ok((loaded, trial))
}

/// Loads what was prepared before; `None` if anything is not as it was then: then it is prepared
/// again, which says what is wrong.
fn again(
    subject: &Subject,
    sandbox: &Sandbox,
    report: Report,
    models: impl Fn(&Definition) -> Result<BTreeMap<String, Artifact>, Reason>,
) -> Option<Loaded> {
    let files = ApprovedFiles::only(report.files.clone());
    let loaded = approved(subject, sandbox, &report, &files, models).ok()?;
    // Samples, and what serves already.
    files.check_rest().ok()?;
    PreparedBefore { samples: report.samples }.emit();
    Some(loaded)
}

/// Loads what was prepared, from the very files that were read then.
fn approved(
    subject: &Subject,
    sandbox: &Sandbox,
    report: &Report,
    files: &ApprovedFiles,
    models: impl Fn(&Definition) -> Result<BTreeMap<String, Artifact>, Reason>,
) -> Result<Loaded, PlanError> {
    let definition = subject.approved(files.clone());
    let wrong = |reason: Reason| error(&definition, reason);
    let models = models(&definition).map_err(wrong)?;
    let plan = Plan::prepared(&definition, &models, &sandbox.without_compiler(), report)?;
    let fingerprint = memo::fingerprint(subject, report);
    let basis = Basis { files: report.files.clone(), fingerprint };
    Ok(Loaded { plan, models, basis })
}

impl Beside<'_> {
    /// Bytes that its models take at least while they are loaded: one after the other is read, and
    /// then kept in the form in which it is used.
    fn needs(&self, definition: &Definition) -> u64 {
        let sizes = self.changed.iter().filter_map(|name| definition.open_model(name).ok()?.size);
        let (sum, most) =
            sizes.fold((0_u64, 0), |(sum, most), size| (sum.saturating_add(size), size.max(most)));
        sum.saturating_add(most)
    }

    /// Its models, of which those that have changed are loaded.
    fn models(&self, definition: &Definition) -> Result<BTreeMap<String, Artifact>, Reason> {
        let mut models = self.models.clone();
        for name in self.changed {
            models.insert(name.clone(), load_model(definition, name, Artifact::load_tried)?);
        }
        Ok(models)
    }

    /// Whether the models that are not loaded again were prepared as they serve.
    fn check(&self, subject: &Subject, report: &Report) -> Result<(), Reason> {
        let files = &self.basis.files;
        for name in self.models.keys().filter(|name| !self.changed.contains(*name)) {
            let Some(folder) = subject.folder(name) else { continue };
            let changed = report.files.iter().find(|(path, digest)| {
                path.starts_with(folder) && files.get(*path).is_some_and(|it| it != *digest)
            });
            if let Some((path, _)) = changed {
                let reason = "it was changed since it was loaded, and is not what serves: name its model in the change too, or put the file back";
                let (path, reason) = (path.clone(), reason.to_owned());
                let error = OpenError::Model(ModelError::File { path, reason });
                return Err(Reason::Model { name: name.clone(), error: Box::new(error) });
            }
        }
        Ok(())
    }
}
