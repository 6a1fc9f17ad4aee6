//! The requests and responses of roll-outs: below `/v1/rollout`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use serde::{Deserialize, Serialize};

use super::handle::{change, of_a_fleet};
use super::serving::{RollbackRequest, StageComponent, Swapped, Tried, seconds, stages};
use super::subject::Subject;
use sandbar_pipeline::rollout::{Ended, Rollout, RolloutReport, RolloutSpec};
use sandbar_pipeline::swap::SwapSpec;
use sandbar_registry::ArtifactSource;

/// A request for a dual run of other models or components.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolloutRequest {
    /// Models by the pipeline's names for them: a folder, or `{"registry": "flights@4"}`.
    #[serde(default)]
    pub models: BTreeMap<String, ArtifactSource>,
    /// Components by stage, in the same way.
    #[serde(default)]
    pub components: BTreeMap<String, ArtifactSource>,
    /// The revision that it should run beside.
    #[serde(default)]
    pub revision: Option<u64>,
    /// The rollout spec.
    pub terms: RolloutSpec,
}

/// A roll-out in progress.
#[derive(Debug, Serialize, Deserialize)]
pub struct Underway {
    /// The rollout spec.
    pub terms: RolloutSpec,
    /// Since when, in seconds since the epoch.
    pub since: u64,
    /// The revision that it runs beside.
    pub revision: u64,
    /// `name@version` of each of the candidate's models, by the pipeline's name for it.
    pub models: BTreeMap<String, String>,
    /// The component of each of its stages.
    pub components: Vec<StageComponent>,
    /// The model that makes its predictions.
    pub model: Option<String>,
    /// How many sample rows of its model its scorer has scored as expected.
    #[serde(default)]
    pub samples: usize,
    /// The dry run.
    pub trial: Option<Tried>,
    /// The comparison until now.
    pub comparison: RolloutReport,
}

/// A roll-out that is over.
#[derive(Debug, Serialize, Deserialize)]
pub struct Past {
    /// What it was.
    #[serde(flatten)]
    pub rollout: Underway,
    /// When it ended, in seconds since the epoch.
    pub ended: u64,
    /// `promoted`, `aborted` or `rolled-back`.
    pub outcome: String,
    /// Why.
    pub reason: String,
}

pub(super) fn router(subject: Arc<Subject>) -> Router {
    Router::new()
        .route("/v1/rollout", post(start))
        .route("/v1/rollout/promote", post(promote))
        .route("/v1/rollout/abort", post(abort))
        .with_state(subject)
}

async fn start(State(subject): State<Arc<Subject>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refusal) = of_a_fleet(&subject) {
        return refusal;
    }
    change(subject, &headers, &body, |subject, request: RolloutRequest| {
        let RolloutRequest { models, components, revision, terms } = request;
        let change = SwapSpec { models, components, revision, timeout: None };
        subject.deployment.start_rollout(&change, &terms).map(Underway::from)
    })
    .await
}

async fn promote(State(subject): State<Arc<Subject>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refusal) = of_a_fleet(&subject) {
        return refusal;
    }
    change(subject, &headers, &body, |subject, request: RollbackRequest| {
        let reason = "promoted on request".to_owned();
        subject.deployment.promote_rollout(request.revision, reason).map(Swapped::from)
    })
    .await
}

async fn abort(State(subject): State<Arc<Subject>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refusal) = of_a_fleet(&subject) {
        return refusal;
    }
    change(subject, &headers, &body, |subject, request: RollbackRequest| {
        let reason = "aborted on request".to_owned();
        subject.deployment.abort_rollout(request.revision, reason).map(Past::from)
    })
    .await
}

impl Underway {
    fn of(rollout: Rollout, comparison: RolloutReport) -> Self {
        let candidate = rollout.candidate;
        Underway {
            terms: rollout.spec,
            since: seconds(candidate.since),
            revision: candidate.number,
            models: candidate.models,
            components: stages(candidate.components),
            model: candidate.model.map(|model| model.to_string()),
            samples: rollout.samples,
            trial: rollout.trial.map(Tried::from),
            comparison,
        }
    }
}

impl From<Rollout> for Underway {
    fn from(rollout: Rollout) -> Self {
        let report = rollout.report();
        Underway::of(rollout, report)
    }
}

impl From<Ended> for Past {
    fn from(ended: Ended) -> Self {
        let Ended { rollout, report, at, end, reason } = ended;
        Past {
            rollout: Underway::of(rollout, report),
            ended: seconds(at),
            outcome: end.as_str().to_owned(),
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;
    use crate::admin::api::tests::assert_described;
    use sandbar_pipeline::rollout::{Confused, Fraction, Mode, Rules, Side, SplitKey, StageReport};

    /// Every field of requests and responses.
    #[test]
    fn the_description_has_what_there_is() {
        let share = Fraction::new(0.1);
        let terms = || RolloutSpec {
            weight: share,
            by: Some(SplitKey::Key),
            rules: Rules {
                max_failure_rate: share,
                min_agreement: share,
                max_p99: Some(std::time::Duration::from_millis(50)),
                ..Rules::default()
            },
            topic: Some("t".into()),
            ..RolloutSpec::new(Mode::Shadow)
        };
        let (models, components) = (BTreeMap::new(), BTreeMap::new());
        let request = RolloutRequest { models, components, revision: None, terms: terms() };
        let underway = || Underway {
            terms: terms(),
            since: 0,
            revision: 1,
            models: BTreeMap::new(),
            components: Vec::new(),
            model: None,
            samples: 0,
            trial: None,
            comparison: RolloutReport::default(),
        };
        let past =
            Past { rollout: underway(), ended: 0, outcome: String::new(), reason: String::new() };
        let confused = Confused { serving: String::new(), candidate: String::new(), records: 0 };
        let stages = [("score".to_owned(), StageReport::default())].into();
        let several = RolloutReport { stages, ..RolloutReport::default() };
        for (schema, value) in [
            ("RolloutRequest", serde_json::to_value(request).unwrap()),
            ("Terms", serde_json::to_value(terms()).unwrap()),
            ("Rules", serde_json::to_value(terms().rules).unwrap()),
            ("Rollout", serde_json::to_value(underway()).unwrap()),
            ("PastRollout", serde_json::to_value(past).unwrap()),
            ("Comparison", serde_json::to_value(several).unwrap()),
            ("StageComparison", serde_json::to_value(StageReport::default()).unwrap()),
            ("Side", serde_json::to_value(Side::default()).unwrap()),
            ("Confused", serde_json::to_value(confused).unwrap()),
        ] {
            assert_described(schema, &value);
        }
    }
}
