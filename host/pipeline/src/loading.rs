//! Loads what a pipeline is to serve: prepared in a process of its own first, if there is one.

use std::collections::{BTreeMap, BTreeSet};

use sandbar_inference::Artifact;
use sandbar_record::{Batch, Shutdown};
use sandbar_sandbox::Sandbox;

use crate::definition::Definition;
use crate::dry_run::{compare, try_out};
use crate::plan::{Plan, PlanError, Reason, error, load_model, load_models};
use crate::preparation::{PreparationError, Wanted, prepare};
use crate::revision::DryRun;
use crate::swap::SwapError;

/// What can serve.
pub(crate) struct Loaded {
    pub(crate) plan: Plan,
    pub(crate) models: BTreeMap<String, Artifact>,
}

impl Plan {
    /// Loads what the manifest names, sets every stage up once and has the model score its own
    /// sample rows, so that errors show now.
    ///
    /// # Errors
    /// If anything that the manifest names cannot be used, or does not fit.
    pub fn new(definition: &Definition, sandbox: &Sandbox) -> Result<Self, PlanError> {
        load(definition, sandbox, &Shutdown::default()).map(|loaded| loaded.plan)
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
    let wrong = |reason: Reason| error(definition, reason);
    let wanted = Wanted { stop, timeout: None };
    let report = prepare(definition, sandbox, None, wanted).map_err(|it| wrong(it.into()))?;
    let read = |_: &str, model| match report {
        Some(_) => Artifact::load_tried(model),
        None => Artifact::load(model),
    };
    let models = load_models(definition, read).map_err(wrong)?;
    let plan = match report {
        Some(report) => Plan::prepared(definition, &models, sandbox, report)?,
        None => Plan::with_models(definition, &models, sandbox)?,
    };
    // What the cache could not take was needed until now.
    drop(sandbox.take_compiled());
    Ok(Loaded { plan, models })
}

/// Loads what is to serve in the place of `old`, of whose models only those differ that have
/// `changed`, and tries it with a recent batch.
///
/// # Errors
/// As of [`load`], and if more records of the batch fail.
pub(crate) fn load_beside(
    definition: &Definition,
    sandbox: &Sandbox,
    (old, models, changed): (&Plan, &BTreeMap<String, Artifact>, &BTreeSet<String>),
    batch: Option<&Batch>,
    wanted: Wanted<'_>,
) -> Result<(Loaded, Option<DryRun>), SwapError> {
    let wrong = |reason: Reason| error(definition, reason);
    let mut report = prepare(definition, sandbox, batch, wanted).map_err(|it| wrong(it.into()))?;
    let mut models = models.clone();
    for name in changed {
        let read = match report {
            Some(_) => Artifact::load_tried,
            None => Artifact::load,
        };
        models.insert(name.clone(), load_model(definition, name, read).map_err(wrong)?);
    }
    let tried = report.as_mut().and_then(|report| report.tried.take());
    let plan = match report {
        Some(report) => Plan::prepared(definition, &models, sandbox, report)?,
        None => Plan::with_models(definition, &models, sandbox)?,
    };
    drop(sandbox.take_compiled());
    let trial = match (batch, tried) {
        (Some(batch), Some(tried)) => Some(compare(batch, old, tried)?),
        (Some(batch), None) => Some(try_out(batch, old, &plan)?),
        (None, _) => None,
    };
    if wanted.stop.requested() {
        let about = "the pipeline".to_owned();
        return Err(wrong(PreparationError::Cancelled { about }.into()).into());
    }
    Ok((Loaded { plan, models }, trial))
}
