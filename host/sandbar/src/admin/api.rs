//! The requests and responses of a runner, as JSON below `/v1`. `openapi.json` describes them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

pub use super::access::Access;
pub use super::handle::Refused;
pub use super::memory::MemoryStatus;
pub use super::serving::{RollbackRequest, Serving, StageComponent, Swapped, Tried};

use super::handle::{change, json, of_a_fleet};
use super::rollout::{Past, Underway};
use super::subject::Subject;
use sandbar_pipeline::swap::SwapSpec;
use sandbar_registry::ArtifactSource;

pub(super) const OPENAPI: &str = include_str!("openapi.json");

/// What a pipeline serves, and its counters.
#[derive(Debug, Serialize, Deserialize)]
pub struct ServingStatus {
    /// Its name.
    pub pipeline: String,
    /// The version of the runner.
    pub version: String,
    /// Whether it is a member of its consumer group and not about to stop.
    pub ready: bool,
    /// What serves.
    #[serde(flatten)]
    pub serving: Serving,
    /// Records consumed since it started.
    pub records: u64,
    /// Outputs since then.
    pub outputs: u64,
    /// Dead letters since then.
    pub failed: u64,
    /// Partitions that the group has given to it.
    pub partitions: u64,
    /// Records of these partitions behind the committed offsets, as far as it is known.
    pub lag: u64,
    /// Memory of its process, if that has a limit.
    #[serde(default)]
    pub memory: Option<MemoryStatus>,
    /// The current roll-out.
    pub rollout: Option<Underway>,
    /// The last roll-out, and how it ended.
    pub last_rollout: Option<Past>,
}

/// A request for other models or components.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwapRequest {
    /// Models by the pipeline's names for them: a folder, or `{"registry": "flights@4"}`.
    #[serde(default)]
    pub models: BTreeMap<String, ArtifactSource>,
    /// Components by stage, in the same way.
    #[serde(default)]
    pub components: BTreeMap<String, ArtifactSource>,
    /// The revision that the change is based on.
    #[serde(default)]
    pub revision: Option<u64>,
    /// Seconds that it may take to prepare them, if fewer than `[limits] load-deadline`.
    #[serde(default)]
    pub timeout: Option<f64>,
}

impl From<SwapRequest> for SwapSpec {
    fn from(request: SwapRequest) -> Self {
        let SwapRequest { models, components, revision, timeout } = request;
        let timeout = timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        SwapSpec { models, components, revision, timeout }
    }
}

/// A request to cancel what is being prepared.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {}

/// What was cancelled.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cancelled {
    /// `swap`, `rollback`, `roll-out`, `validation`.
    pub cancelled: String,
}

pub(super) fn router(subject: Arc<Subject>) -> Router {
    Router::new()
        .route("/v1/openapi.json", get(description))
        .route("/v1/status", get(status))
        .route("/v1/swap", post(swap))
        .route("/v1/rollback", post(rollback))
        .route("/v1/cancel", post(cancel))
        .with_state(subject)
}

pub(super) async fn description() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

async fn status(State(subject): State<Arc<Subject>>) -> Response {
    let stats = subject.deployment.stats();
    let (seen, now) = (stats.snapshot(), stats.now.snapshot());
    json(
        StatusCode::OK,
        &ServingStatus {
            pipeline: subject.pipeline.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ready: stats.now.is_member() && !subject.shutdown.requested(),
            serving: subject.deployment.revision().into(),
            records: seen.records,
            outputs: seen.outputs,
            failed: seen.failed(),
            partitions: now.partitions,
            lag: now.lags.iter().map(|lag| lag.records).sum(),
            memory: MemoryStatus::of(subject.deployment.memory()),
            rollout: subject.deployment.rollout().map(Underway::from),
            last_rollout: subject.deployment.last_rollout().map(Past::from),
        },
    )
}

async fn swap(State(subject): State<Arc<Subject>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refusal) = of_a_fleet(&subject) {
        return refusal;
    }
    change(subject, &headers, &body, |subject, request: SwapRequest| {
        subject.deployment.swap(&request.into()).map(Swapped::from)
    })
    .await
}

/// Also where a fleet says what is served: it only ends what is not served yet.
async fn cancel(State(subject): State<Arc<Subject>>, headers: HeaderMap, body: Bytes) -> Response {
    change(subject, &headers, &body, |subject, _: CancelRequest| {
        subject.deployment.cancel().map(|what| Cancelled { cancelled: what.to_owned() })
    })
    .await
}

async fn rollback(
    State(subject): State<Arc<Subject>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refusal) = of_a_fleet(&subject) {
        return refusal;
    }
    change(subject, &headers, &body, |subject, request: RollbackRequest| {
        subject.deployment.rollback(request.revision).map(Swapped::from)
    })
    .await
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    /// Every path, and every field of requests and responses.
    #[test]
    fn the_description_has_what_there_is() {
        let description: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        let paths: Vec<&String> = description["paths"].as_object().unwrap().keys().collect();
        let expected = [
            "cancel",
            "fleet",
            "fleet/promote",
            "fleet/rollback",
            "fleet/rollout",
            "fleet/rollout/abort",
            "fleet/rollout/promote",
            "openapi.json",
            "rollback",
            "rollout",
            "rollout/abort",
            "rollout/promote",
            "status",
            "swap",
        ];
        assert_eq!(paths, expected.map(|it| format!("/v1/{it}")).iter().collect::<Vec<_>>());
        let serving = || Serving {
            revision: 1,
            since: 0,
            models: BTreeMap::new(),
            components: Vec::new(),
            model: None,
        };
        let memory = || MemoryStatus { used: 0, limit: 1, shortage: String::new() };
        let status = ServingStatus {
            pipeline: String::new(),
            version: String::new(),
            ready: true,
            serving: serving(),
            records: 0,
            outputs: 0,
            failed: 0,
            partitions: 0,
            lag: 0,
            memory: Some(memory()),
            rollout: None,
            last_rollout: None,
        };
        let tried = Tried { records: 0, failed_before: 0, failed: 0 };
        let swapped = Swapped {
            serving: serving(),
            samples: 0,
            trial: Some(tried),
            prepared: 0.0,
            switched: 0.0,
        };
        for (schema, value) in [
            ("Status", serde_json::to_value(status).unwrap()),
            ("Memory", serde_json::to_value(memory()).unwrap()),
            ("Swapped", serde_json::to_value(swapped).unwrap()),
            ("SwapRequest", serde_json::to_value(SwapRequest::default()).unwrap()),
            ("CancelRequest", serde_json::to_value(CancelRequest {}).unwrap()),
            ("Cancelled", serde_json::to_value(Cancelled { cancelled: String::new() }).unwrap()),
            ("RollbackRequest", serde_json::to_value(RollbackRequest::default()).unwrap()),
            ("Refused", serde_json::to_value(Refused { error: String::new() }).unwrap()),
        ] {
            assert_described(schema, &value);
        }
    }

    /// Checks that the description has every field of a request or response.
    pub(crate) fn assert_described(schema: &str, value: &serde_json::Value) {
        let description: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        let described = &description["components"]["schemas"][schema]["properties"];
        let mut described: Vec<&String> = described.as_object().unwrap().keys().collect();
        let mut there: Vec<&String> = value.as_object().unwrap().keys().collect();
        described.sort();
        there.sort();
        assert_eq!(described, there, "{schema}");
    }
}
