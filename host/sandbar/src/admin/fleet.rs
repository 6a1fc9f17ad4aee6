//! The requests and responses of the fleet, through any of its runners.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::handle::{self, Refusal, json, refused};
use super::serving::Tried;
use super::subject::Subject;
use crate::fleet::promote::{Intent, Promoted as Done, PromotionRequest};
use crate::fleet::{Fleet, FleetChange, FleetError, Known, Runner, RunnerReport, RunnerStatus};
use sandbar_pipeline::rollout::RolloutSpec;
use sandbar_registry::{ArtifactKind, Cause};

/// The desired version of a fleet, and its runners.
#[derive(Debug, Serialize, Deserialize)]
pub struct FleetStatus {
    /// The pipeline.
    pub pipeline: String,
    /// The consumer group.
    pub group: String,
    /// The control topic.
    pub topic: String,
    /// The runner that answers.
    pub runner: String,
    /// Whether the control topic is unreachable, so that the rest may be out of date.
    pub away: bool,
    /// The desired version; null before the first change.
    pub desired: Option<FleetChange>,
    /// Why this runner cannot read the desired version, if so.
    pub problem: Option<String>,
    /// The runners.
    pub runners: Vec<Member>,
    /// The changes, the newest first.
    pub history: Vec<FleetChange>,
}

/// A runner of the fleet.
#[derive(Debug, Serialize, Deserialize)]
pub struct Member {
    /// Its id.
    pub id: String,
    /// Its status.
    pub state: RunnerStatus,
    /// Seconds since its last report.
    pub silence: f64,
    /// Its last report.
    pub report: RunnerReport,
}

/// A request for another version.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromoteRequest {
    /// A model, by the pipeline's name for it or the registry's.
    #[serde(default)]
    pub model: Option<String>,
    /// Or an operator, by its stage or the registry's name.
    #[serde(default)]
    pub operator: Option<String>,
    /// A number or an alias of it, or `NAME@NUMBER` for another name.
    pub version: String,
    /// Who asks.
    pub by: String,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// The revision that the change is based on.
    #[serde(default)]
    pub revision: Option<u64>,
}

/// A request whose path says what to do: to roll back, or to end a roll-out.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainRequest {
    /// Who asks.
    pub by: String,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// The revision that the change is based on.
    #[serde(default)]
    pub revision: Option<u64>,
}

/// A request for a dual run of other versions.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetRolloutRequest {
    /// Models, by the pipeline's names for them or the registry's: a number or an alias of it,
    /// or `NAME@NUMBER` for another name.
    #[serde(default)]
    pub models: BTreeMap<String, String>,
    /// Operators, by their stages or the registry's names, in the same way.
    #[serde(default)]
    pub operators: BTreeMap<String, String>,
    /// The rollout spec.
    pub terms: RolloutSpec,
    /// Who asks.
    pub by: String,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// The revision that the change is based on.
    #[serde(default)]
    pub revision: Option<u64>,
}

/// A change that was made.
#[derive(Debug, Serialize, Deserialize)]
pub struct Promoted {
    /// The desired version now.
    pub change: FleetChange,
    /// Whether that is new; otherwise it was the desired version already.
    pub new: bool,
    /// How many sample rows of its model the runner asked has scored as expected.
    #[serde(default)]
    pub samples: usize,
    /// The dry run on the runner asked; null: none, or it served there already.
    pub trial: Option<Tried>,
}

pub(super) fn router(subject: Arc<Subject>) -> Router {
    Router::new()
        .route("/v1/fleet", get(status))
        .route("/v1/fleet/promote", post(promote))
        .route("/v1/fleet/rollback", post(rollback))
        .route("/v1/fleet/rollout", post(start_rollout))
        .route("/v1/fleet/rollout/promote", post(promote_rollout))
        .route("/v1/fleet/rollout/abort", post(abort_rollout))
        .with_state(subject)
}

async fn status(State(subject): State<Arc<Subject>>) -> Response {
    match &subject.fleet {
        Some(fleet) => json(StatusCode::OK, &FleetStatus::of(fleet)),
        None => alone(),
    }
}

fn alone() -> Response {
    refused(StatusCode::NOT_FOUND, "this runner belongs to no fleet: its manifest has no [fleet]")
}

async fn promote(State(subject): State<Arc<Subject>>, headers: HeaderMap, body: Bytes) -> Response {
    change(subject, &headers, &body, |subject, fleet, request: PromoteRequest| {
        let PromoteRequest { model, operator, version, by, reason, revision } = request;
        let (kind, name) = match (model, operator) {
            (Some(model), None) => (ArtifactKind::Model, model),
            (None, Some(operator)) => (ArtifactKind::Operator, operator),
            _ => return Err(FleetError::Refused("name either a model or an operator".to_owned())),
        };
        let wish = PromotionRequest { kind, name, version };
        fleet.promote(&subject.deployment, &wish, &Intent { by, reason, revision })
    })
    .await
}

async fn rollback(
    State(subject): State<Arc<Subject>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    change(subject, &headers, &body, |subject, fleet, request: PlainRequest| {
        fleet.rollback(&subject.deployment, &request.into())
    })
    .await
}

async fn start_rollout(
    State(subject): State<Arc<Subject>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    change(subject, &headers, &body, |subject, fleet, request: FleetRolloutRequest| {
        let FleetRolloutRequest { models, operators, terms, by, reason, revision } = request;
        let wish = |kind| move |(name, version)| PromotionRequest { kind, name, version };
        let models = models.into_iter().map(wish(ArtifactKind::Model));
        let wishes: Vec<PromotionRequest> =
            models.chain(operators.into_iter().map(wish(ArtifactKind::Operator))).collect();
        let intent = Intent { by, reason, revision };
        fleet.start_rollout(&subject.deployment, &wishes, &terms, &intent)
    })
    .await
}

async fn promote_rollout(
    State(subject): State<Arc<Subject>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    change(subject, &headers, &body, |subject, fleet, request: PlainRequest| {
        fleet.promote_rollout(&subject.deployment, &request.into())
    })
    .await
}

async fn abort_rollout(
    State(subject): State<Arc<Subject>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    change(subject, &headers, &body, |_, fleet, request: PlainRequest| {
        fleet.abort_rollout(&request.into())
    })
    .await
}

/// Handles a request, if this is a runner of a fleet.
async fn change<R: for<'a> Deserialize<'a> + Send + 'static>(
    subject: Arc<Subject>,
    headers: &HeaderMap,
    body: &[u8],
    action: impl FnOnce(&Subject, &Fleet, R) -> Result<Done, FleetError> + Send + 'static,
) -> Response {
    let Some(fleet) = subject.fleet.clone() else { return alone() };
    handle::change(subject, headers, body, move |subject, request| {
        action(subject, &fleet, request).map(Promoted::from)
    })
    .await
}

impl From<PlainRequest> for Intent {
    fn from(PlainRequest { by, reason, revision }: PlainRequest) -> Self {
        Intent { by, reason, revision }
    }
}

impl Refusal for FleetError {
    fn status(&self) -> StatusCode {
        match self {
            FleetError::Conflict(_) => StatusCode::CONFLICT,
            FleetError::Swap(error) => error.status(),
            FleetError::Registry(error) if error.cause == Cause::Unreachable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            FleetError::Refused(_) | FleetError::Registry(_) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl FleetStatus {
    fn of(fleet: &Fleet) -> Self {
        let Known { name, topic, away, desired, runners, history } = fleet.known();
        let (desired, problem) = match desired {
            Ok(desired) => (desired, None),
            Err(problem) => (None, Some(problem)),
        };
        let member = |Runner { id, standing, silence, report }| Member {
            id,
            state: standing,
            silence: silence.as_secs_f64(),
            report,
        };
        FleetStatus {
            pipeline: name.pipeline,
            group: name.group,
            topic,
            runner: fleet.runner().to_owned(),
            away,
            desired,
            problem,
            runners: runners.into_iter().map(member).collect(),
            history,
        }
    }
}

impl From<Done> for Promoted {
    fn from(done: Done) -> Self {
        let Done { change, new, tried } = done;
        Promoted { change, new, samples: tried.samples, trial: tried.trial.map(Tried::from) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use std::time::SystemTime;

    use super::*;
    use crate::admin::api::tests::assert_described;
    use crate::fleet::{Action, Candidate, ChangeProgress, Refusal};
    use sandbar_pipeline::rollout::Mode;
    use sandbar_registry::pins::Pins;

    /// Every field of requests and responses.
    #[test]
    fn the_description_has_what_there_is() {
        let at = SystemTime::UNIX_EPOCH;
        let candidate =
            || Candidate { pins: Pins::default(), terms: RolloutSpec::new(Mode::Shadow) };
        let request = FleetRolloutRequest {
            models: BTreeMap::new(),
            operators: BTreeMap::new(),
            terms: RolloutSpec::new(Mode::Shadow),
            by: String::new(),
            reason: None,
            revision: None,
        };
        let progress = ChangeProgress {
            agreement: Some(1.0),
            mean_difference: Some(0.0),
            ..ChangeProgress::default()
        };
        let change = || FleetChange {
            format: 1,
            revision: 1,
            id: String::new(),
            action: Action::Promote,
            pins: Pins::default(),
            rollout: Some(candidate()),
            by: String::new(),
            at,
            reason: Some(String::new()),
            back: Some(0),
        };
        let refused = Refusal { revision: 1, reason: String::new(), again: false };
        let report = || RunnerReport {
            format: 1,
            version: String::new(),
            at,
            desired: 0,
            serves: 0,
            since: Some(at),
            models: BTreeMap::new(),
            components: BTreeMap::new(),
            ready: true,
            refused: Some(refused.clone()),
            records: 0,
            outputs: 0,
            failed: 0,
            lag: 0,
            records_per_second: 0.0,
            outputs_per_second: 0.0,
            rollout: Some(progress.clone()),
        };
        let id = String::new();
        let member = Member { id, state: RunnerStatus::Lost, silence: 0.0, report: report() };
        let status = FleetStatus {
            pipeline: String::new(),
            group: String::new(),
            topic: String::new(),
            runner: String::new(),
            away: false,
            desired: None,
            problem: None,
            runners: Vec::new(),
            history: Vec::new(),
        };
        let promoted = Promoted { change: change(), new: true, samples: 0, trial: None };
        for (schema, value) in [
            ("Fleet", serde_json::to_value(status).unwrap()),
            ("FleetChange", serde_json::to_value(change()).unwrap()),
            ("FleetRunner", serde_json::to_value(member).unwrap()),
            ("FleetReport", serde_json::to_value(report()).unwrap()),
            ("FleetRefusal", serde_json::to_value(refused).unwrap()),
            ("PromoteRequest", serde_json::to_value(PromoteRequest::default()).unwrap()),
            ("FleetRollout", serde_json::to_value(candidate()).unwrap()),
            ("FleetProgress", serde_json::to_value(progress).unwrap()),
            ("FleetRolloutRequest", serde_json::to_value(request).unwrap()),
            ("FleetPlainRequest", serde_json::to_value(PlainRequest::default()).unwrap()),
            ("Promoted", serde_json::to_value(promoted).unwrap()),
        ] {
            assert_described(schema, &value);
        }
    }
}
