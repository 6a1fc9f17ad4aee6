//! How a request is handled: by whom it is allowed, where it may block, and what is refused.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::subject::Subject;
use sandbar_pipeline::swap::SwapError;

/// Why a request was refused.
#[derive(Debug, Serialize, Deserialize)]
pub struct Refused {
    /// For a person.
    pub error: String,
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
            | SwapError::Busy { .. }
            | SwapError::NothingUnderway
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
