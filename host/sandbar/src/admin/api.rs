//! The requests and responses of a runner, as JSON below `/v1`. `openapi.json` describes them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::Subject;
use super::rollout::{Past, Underway};
use sandbar_pipeline::revision::DryRun;
use sandbar_pipeline::revision::Revision;
use sandbar_pipeline::swap::{Swap, SwapError, SwapSpec};
use sandbar_registry::ArtifactSource;

const OPENAPI: &str = include_str!("openapi.json");

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
    /// The current roll-out.
    pub rollout: Option<Underway>,
    /// The last roll-out, and how it ended.
    pub last_rollout: Option<Past>,
}

/// One revision of a pipeline.
#[derive(Debug, Serialize, Deserialize)]
pub struct Serving {
    /// Counts from 1, with every swap.
    pub revision: u64,
    /// Since when, in seconds since the epoch.
    pub since: u64,
    /// `name@version` of each model, by the pipeline's name for it.
    pub models: BTreeMap<String, String>,
    /// The component of each stage.
    pub components: Vec<StageComponent>,
    /// The model that makes the predictions.
    pub model: Option<String>,
}

/// The component of a stage.
#[derive(Debug, Serialize, Deserialize)]
pub struct StageComponent {
    /// The stage.
    pub stage: String,
    /// The component's file.
    pub component: PathBuf,
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
}

/// A request to roll back.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackRequest {
    /// The revision that the change is based on.
    #[serde(default)]
    pub revision: Option<u64>,
}

/// A swap that was made.
#[derive(Debug, Serialize, Deserialize)]
pub struct Swapped {
    /// What serves now.
    #[serde(flatten)]
    pub serving: Serving,
    /// How many sample rows of its model the new scorer has scored as expected.
    #[serde(default)]
    pub samples: usize,
    /// The dry run.
    pub trial: Option<Tried>,
    /// Seconds to load and validate, while the old revision served.
    pub prepared: f64,
    /// Seconds until every worker used it.
    pub switched: f64,
}

/// The result of a batch that both the old and the new stages were given.
#[derive(Debug, Serialize, Deserialize)]
pub struct Tried {
    /// Its records.
    pub records: usize,
    /// How many of them failed with the old.
    pub failed_before: usize,
    /// And with the new.
    pub failed: usize,
}

/// Why a request was refused.
#[derive(Debug, Serialize, Deserialize)]
pub struct Refused {
    /// For a person.
    pub error: String,
}

pub(super) fn router(subject: Arc<Subject>) -> Router {
    Router::new()
        .route("/v1/openapi.json", get(description))
        .route("/v1/status", get(status))
        .route("/v1/swap", post(swap))
        .route("/v1/rollback", post(rollback))
        .with_state(subject)
}

async fn description() -> impl IntoResponse {
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
        let SwapRequest { models, components, revision } = request;
        subject.deployment.swap(&SwapSpec { models, components, revision }).map(Swapped::from)
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

/// A runner of a fleet cannot be changed alone.
pub(super) fn of_a_fleet(subject: &Subject) -> Option<Response> {
    let way_out = "this runner serves the desired version of its fleet, and cannot be changed \
                   alone; change the fleet: `sandbar promote`, `sandbar rollout`, or \
                   `sandbar fleet rollback`";
    subject.fleet.as_ref().map(|_| refused(StatusCode::CONFLICT, way_out))
}

/// An error as an HTTP response.
pub(super) trait Refusal: std::fmt::Display + Send + 'static {
    /// Its status.
    fn status(&self) -> StatusCode;
}

/// Handles a request, on a thread where it may block.
pub(super) async fn change<
    R: for<'a> Deserialize<'a> + Send + 'static,
    A: Serialize + Send + 'static,
    E: Refusal,
>(
    subject: Arc<Subject>,
    headers: &HeaderMap,
    body: &[u8],
    action: impl FnOnce(&Subject, R) -> Result<A, E> + Send + 'static,
) -> Response {
    if let Err((status, reason)) = subject.access.allows(headers) {
        return refused(status, reason);
    }
    let request = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => return refused(StatusCode::BAD_REQUEST, error.to_string()),
    };
    match tokio::task::spawn_blocking(move || action(&subject, request)).await {
        Ok(Ok(answer)) => json(StatusCode::OK, &answer),
        Ok(Err(error)) => refused(error.status(), error.to_string()),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

impl Refusal for SwapError {
    fn status(&self) -> StatusCode {
        match self {
            SwapError::Outdated { .. }
            | SwapError::NoneBefore
            | SwapError::Underway(_)
            | SwapError::NoRollout => StatusCode::CONFLICT,
            SwapError::NotRunning => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

pub(super) fn refused(status: StatusCode, error: impl Into<String>) -> Response {
    json(status, &Refused { error: error.into() })
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Who may change something.
#[derive(Debug, Clone)]
pub enum Access {
    /// Any client on this machine that uses an address of it.
    Local,
    /// Any client that knows the token.
    Token(String),
    /// Nobody: it is reachable from other machines, and there is no token.
    Nobody,
}

impl Access {
    /// Whether a request with these headers may change something.
    pub(super) fn allows(&self, headers: &HeaderMap) -> Result<(), (StatusCode, String)> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        // A page in a browser cannot send this without a preflight request.
        if text(header::CONTENT_TYPE).is_none_or(|it| !it.starts_with("application/json")) {
            let reason = "send JSON, with the header content-type: application/json";
            return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, reason.into()));
        }
        match self {
            // A name could have been made to resolve to this machine (DNS rebinding).
            Access::Local if text(header::HOST).is_some_and(is_address) => Ok(()),
            Access::Local => {
                let reason = "no [admin] token: address this runner by IP address or localhost";
                Err((StatusCode::FORBIDDEN, reason.into()))
            }
            Access::Token(token) => {
                let given = text(header::AUTHORIZATION).and_then(|it| it.strip_prefix("Bearer "));
                if given.is_some_and(|given| same(given.as_bytes(), token.as_bytes())) {
                    Ok(())
                } else {
                    Err((
                        StatusCode::UNAUTHORIZED,
                        "not authorized: send the token of [admin] token".into(),
                    ))
                }
            }
            Access::Nobody => {
                let reason = "changes from another machine need [admin] token";
                Err((StatusCode::FORBIDDEN, reason.into()))
            }
        }
    }
}

/// Whether a `host` header names an address or this machine.
fn is_address(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok()
}

/// Compares in constant time.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

impl From<Revision> for Serving {
    fn from(revision: Revision) -> Self {
        let Revision { number, since, models, components, model, pins: _ } = revision;
        Serving {
            revision: number,
            since: seconds(since),
            models,
            components: stages(components),
            model: model.map(|model| model.to_string()),
        }
    }
}

impl From<Swap> for Swapped {
    fn from(swap: Swap) -> Self {
        Swapped {
            serving: swap.revision.into(),
            samples: swap.samples,
            trial: swap.trial.map(Tried::from),
            prepared: swap.prepared.as_secs_f64(),
            switched: swap.switched.as_secs_f64(),
        }
    }
}

impl From<DryRun> for Tried {
    fn from(trial: DryRun) -> Self {
        let DryRun { records, failed_before, failed } = trial;
        Tried { records, failed_before, failed }
    }
}

pub(super) fn stages(components: Vec<(Arc<str>, PathBuf)>) -> Vec<StageComponent> {
    let stage = |(stage, component): (Arc<str>, PathBuf)| StageComponent {
        stage: stage.to_string(),
        component,
    };
    components.into_iter().map(stage).collect()
}

pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since: Duration| since.as_secs())
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(header::HeaderName, &'static str)| {
            (name.clone(), header::HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    const JSON: (header::HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

    #[test]
    fn changes_are_for_those_who_may() {
        let allows = |access: &Access, pairs: &[_]| access.allows(&headers(pairs)).is_ok();
        for host in ["127.0.0.1:9464", "localhost:9464", "[::1]:9464", "localhost"] {
            assert!(allows(&Access::Local, &[JSON, (header::HOST, host)]), "{host}");
        }
        for host in ["evil.example:9464", "", "localhost.evil.example"] {
            assert!(!allows(&Access::Local, &[JSON, (header::HOST, host)]), "{host}");
        }
        assert!(!allows(&Access::Local, &[(header::HOST, "localhost")]));
        let token = Access::Token("secret".into());
        assert!(allows(&token, &[JSON, (header::AUTHORIZATION, "Bearer secret")]));
        assert!(!allows(&token, &[JSON, (header::AUTHORIZATION, "Bearer secre")]));
        assert!(!allows(&token, &[JSON, (header::AUTHORIZATION, "secret")]));
        assert!(!allows(&token, &[JSON, (header::HOST, "localhost")]));
        assert!(!allows(&Access::Nobody, &[JSON, (header::HOST, "localhost")]));
    }

    /// Every path, and every field of requests and responses.
    #[test]
    fn the_description_has_what_there_is() {
        let description: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        let paths: Vec<&String> = description["paths"].as_object().unwrap().keys().collect();
        let expected = [
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
            ("Swapped", serde_json::to_value(swapped).unwrap()),
            ("SwapRequest", serde_json::to_value(SwapRequest::default()).unwrap()),
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
