//! Promotion of a version for all runners of a fleet: resolved, validated by the runner asked, and
//! only then written.

use std::sync::PoisonError;

use super::error::FleetError;
use super::events::{Asked, shown};
use super::follower::swap;
use super::record::{Action, FORMAT, FleetChange};
use super::report::now;
use super::writer::{Writer, outdated};
use super::{Fleet, Shared};
use sandbar_pipeline::Deployment;
use sandbar_pipeline::revision::Revision;
use sandbar_pipeline::revision::Validation;
use sandbar_pipeline::swap::SwapError;
use sandbar_registry::pins::{Pin, Pins};
use sandbar_registry::resolver::ArtifactResolver;
use sandbar_registry::version::check_text;
use sandbar_registry::{ArtifactKind, Reference};

/// Who makes a change, why, and based on which revision.
#[derive(Debug, Clone, Default)]
pub struct Intent {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// The expected revision: if another is the newest, nothing is done.
    pub revision: Option<u64>,
}

/// A promotion request.
#[derive(Debug, Clone)]
pub struct PromotionRequest {
    /// A model or an operator.
    pub kind: ArtifactKind,
    /// The pipeline's name for the model, or the stage; or the registry's name of it.
    pub name: String,
    /// A number or an alias of it in the registry, or `NAME@...` for another name.
    pub version: String,
}

/// The result of a request.
#[derive(Debug, Clone)]
pub struct Promoted {
    /// The desired version now.
    pub change: FleetChange,
    /// Whether that is new. It is not if it was the desired version already.
    pub new: bool,
    /// The dry run on the runner that was asked: empty if it serves there already.
    pub tried: Validation,
}

/// The state that a decision is based on.
pub(super) struct Base {
    /// The newest revision.
    pub(super) last: u64,
    pub(super) desired: Option<FleetChange>,
    /// The desired version or, before the first change, what this runner serves.
    pub(super) pins: Pins,
    serving: Revision,
}

impl Fleet {
    /// Makes all runners serve another version, once it is validated here.
    ///
    /// # Errors
    /// If there is no such version, it does not work, or there was a concurrent change. Nothing
    /// is changed then, anywhere.
    pub fn promote(
        &self,
        deployment: &Deployment,
        wish: &PromotionRequest,
        intent: &Intent,
    ) -> Result<Promoted, FleetError> {
        let what = format!("promote {} {} {}", wish.kind, wish.name, wish.version);
        self.ask(&what, intent, || {
            let base = self.base(deployment, intent)?;
            let pins = self.with(&base, std::slice::from_ref(wish))?;
            if let Some(change) = base.desired.clone().filter(|change| change.pins == pins) {
                return Ok(Promoted { change, new: false, tried: Validation::default() });
            }
            let tried = self.validate(deployment, &pins)?;
            let mut changes = base.begin(&pins, intent)?;
            let last = base.last.saturating_add(changes.len() as u64);
            let back = base.pins.covers(&pins).then_some(last);
            changes.push(next(last, Action::Promote, pins, intent, back)?);
            self.write(&changes, tried)
        })
    }

    /// Makes all runners serve the desired version before the last promotion.
    ///
    /// # Errors
    /// If there is nothing to roll back to, it does not work here, or there was a
    /// concurrent change.
    pub fn rollback(
        &self,
        deployment: &Deployment,
        intent: &Intent,
    ) -> Result<Promoted, FleetError> {
        self.ask("rollback", intent, || {
            let Base { last, desired, .. } = self.base(deployment, intent)?;
            let nothing =
                || FleetError::Conflict("no previous revision to roll back to".to_owned());
            let back = desired.and_then(|change| change.back).ok_or_else(nothing)?;
            let before = self.lock().view.change(back).cloned();
            let before = before.ok_or_else(|| {
                FleetError::Conflict(format!(
                    "revision {back} is no longer kept: promote its versions instead"
                ))
            })?;
            let tried = self.validate(deployment, &before.pins)?;
            let change = next(last, Action::Rollback, before.pins, intent, before.back)?;
            self.write(&[change], tried)
        })
    }

    /// Makes changes one at a time, each with its event.
    pub(super) fn ask(
        &self,
        what: &str,
        intent: &Intent,
        action: impl FnOnce() -> Result<Promoted, FleetError>,
    ) -> Result<Promoted, FleetError> {
        let _one = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let texts =
            [("who changes it (--by)", Some(&intent.by)), ("--reason", intent.reason.as_ref())];
        let checked = texts.into_iter().try_for_each(|(name, text)| {
            text.map_or(Ok(()), |text| check_text(name, text)).map_err(FleetError::Refused)
        });
        let result = checked.and_then(|()| action());
        let result_told = result.as_ref().map(|promoted| &promoted.change);
        Asked { by: &intent.by, what, result: result_told }.emit();
        result
    }

    /// The newest change and its number, if it is the expected one.
    pub(super) fn newest(&self, intent: &Intent) -> Result<(u64, Option<FleetChange>), FleetError> {
        let shared = self.lock();
        let Shared { view, .. } = &*shared;
        let last = view.last();
        if let Some(expected) = intent.revision.filter(|expected| *expected != last) {
            return Err(outdated(view, expected));
        }
        Ok((last, view.desired().map_err(FleetError::Refused)?.cloned()))
    }

    /// The state that a decision to start something new is based on.
    pub(super) fn base(
        &self,
        deployment: &Deployment,
        intent: &Intent,
    ) -> Result<Base, FleetError> {
        let serving = deployment.revision();
        let (last, desired) = self.newest(intent)?;
        if let Some(change) = &desired
            && let Some(candidate) = &change.rollout
        {
            return Err(SwapError::Underway(candidate.beside(change)).into());
        }
        let pins = desired.as_ref().map_or_else(|| serving.pins.clone(), |it| it.pins.clone());
        Ok(Base { last, desired, pins, serving })
    }

    /// The desired version with other versions in it.
    pub(super) fn with(
        &self,
        base: &Base,
        wishes: &[PromotionRequest],
    ) -> Result<Pins, FleetError> {
        let mut pins = base.pins.clone();
        for wish in wishes {
            let targets = targets(&base.serving, base.pins.clone(), wish)?;
            let reference = reference(base.pins.clone(), &targets, wish)?;
            let pin = Pin::of(&self.supply()?.get(wish.kind, &reference)?);
            let targets = targets.into_iter().map(|target| (target, pin.clone()));
            pins.of_sort(wish.kind).extend(targets);
        }
        Ok(pins)
    }

    /// Dry run: fetches, loads and validates all of it here, beside what serves.
    fn validate(&self, deployment: &Deployment, pins: &Pins) -> Result<Validation, FleetError> {
        let differing = self.differing(deployment, pins)?;
        if differing.is_empty() {
            return Ok(Validation::default());
        }
        tracing::info!(
            versions = shown(&differing),
            "dry run, these versions are loaded and validated before the change is written"
        );
        Ok(deployment.validate(&swap(&differing))?)
    }

    /// What this runner does not serve of it, fetched.
    pub(super) fn differing(
        &self,
        deployment: &Deployment,
        pins: &Pins,
    ) -> Result<Pins, FleetError> {
        let supply = self.supply()?;
        let differing = pins.beyond(&deployment.revision().pins);
        for (kind, _, pin) in differing.iter() {
            supply.pinned(kind, pin)?;
        }
        Ok(differing)
    }

    pub(super) fn write(
        &self,
        changes: &[FleetChange],
        tried: Validation,
    ) -> Result<Promoted, FleetError> {
        let writer = Writer { connection: &self.connection, topic: &self.topic, fleet: &self.name };
        let (Some(first), Some(last)) = (changes.first(), changes.last()) else {
            return Err(FleetError::Refused("there is nothing to change".to_owned()));
        };
        writer.write(first.revision - 1, changes)?;
        Ok(Promoted { change: last.clone(), new: true, tried })
    }

    fn supply(&self) -> Result<&ArtifactResolver, FleetError> {
        let none = || {
            let reason =
                "a fleet serves versions of a registry, but the manifest has no [registry]";
            FleetError::Refused(reason.to_owned())
        };
        self.supply.as_deref().ok_or_else(none)
    }
}

impl Base {
    /// What is written before the first change, so that there is something to roll back to:
    /// what served until then, if all of it that `pins` change is of the registry.
    pub(super) fn begin(
        &self,
        pins: &Pins,
        intent: &Intent,
    ) -> Result<Vec<FleetChange>, FleetError> {
        if self.desired.is_some() || !self.pins.covers(pins) {
            return Ok(Vec::new());
        }
        let begin = Some("what served before the fleet's first change".to_owned());
        let first = Intent { by: intent.by.clone(), reason: begin, revision: None };
        Ok(vec![next(self.last, Action::Begin, self.pins.clone(), &first, None)?])
    }
}

/// The models or stages of the pipeline that a name means.
fn targets(
    serving: &Revision,
    mut base: Pins,
    wish: &PromotionRequest,
) -> Result<Vec<String>, FleetError> {
    let (what, known): (_, Vec<String>) = match wish.kind {
        ArtifactKind::Model => ("model", serving.models.keys().cloned().collect()),
        ArtifactKind::Operator => {
            ("stage", serving.components.iter().map(|(stage, _)| stage.to_string()).collect())
        }
    };
    if known.contains(&wish.name) {
        return Ok(vec![wish.name.clone()]);
    }
    let pins = base.of_sort(wish.kind);
    let named = pins.iter().filter(|(_, pin)| pin.version.name == wish.name);
    let named: Vec<String> = named.map(|(target, _)| target.clone()).collect();
    if !named.is_empty() {
        return Ok(named);
    }
    let known: Vec<String> = known
        .iter()
        .map(|name| match pins.get(name) {
            Some(pin) => format!("'{name}' ({})", pin.version),
            None => format!("'{name}'"),
        })
        .collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(FleetError::Refused(format!("the pipeline has no {what} '{}'; it has {known}", wish.name)))
}

/// The requested version, of what is configured there or, if that is a file, of what the
/// pipeline calls it.
fn reference(
    mut base: Pins,
    targets: &[String],
    wish: &PromotionRequest,
) -> Result<Reference, FleetError> {
    let PromotionRequest { kind, name, version } = wish;
    if version.contains('/') || version.contains('\\') || version.starts_with('.') {
        return Err(FleetError::Refused(format!(
            "'{version}' is a path, which is local to one machine; a fleet serves \
             versions of the registry: add it with `sandbar {} add {version}`, and promote its number",
            kind.folder()
        )));
    }
    let pins = base.of_sort(*kind);
    let of = targets.first().and_then(|target| pins.get(target));
    let of = of.map_or(name.as_str(), |pin| pin.version.name.as_str());
    let text = if version.contains('@') { version.clone() } else { format!("{of}@{version}") };
    text.parse().map_err(FleetError::Refused)
}

/// The change behind the `last`.
pub(super) fn next(
    last: u64,
    action: Action,
    pins: Pins,
    intent: &Intent,
    back: Option<u64>,
) -> Result<FleetChange, FleetError> {
    let full = || FleetError::Refused("no revision number left for a change".to_owned());
    Ok(FleetChange {
        format: FORMAT,
        revision: last.checked_add(1).ok_or_else(full)?,
        id: format!("{:016x}", rand::random::<u64>()),
        action,
        pins,
        rollout: None,
        by: intent.by.clone(),
        at: now(),
        reason: intent.reason.clone(),
        back,
    })
}
