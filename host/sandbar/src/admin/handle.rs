//! How a request is handled: by whom it is allowed, where it may block, and what is refused.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::hosts;
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

/// Handles a request, on a thread where it may block. Whether it may be was decided before its
/// body was read (`gate`).
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
    let request = match parsed(headers, body) {
        Ok(request) => request,
        Err((status, reason)) => return refused(status, reason),
    };
    match tokio::task::spawn_blocking(move || action(&subject, request)).await {
        Ok(Ok(answer)) => json(StatusCode::OK, &answer),
        Ok(Err(error)) => refused(error.status(), error.to_string()),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// The request in a body.
pub(super) fn parsed<R: for<'a> Deserialize<'a>>(
    headers: &HeaderMap,
    body: &[u8],
) -> Result<R, (StatusCode, String)> {
    is_json(headers).map_err(|reason| (StatusCode::UNSUPPORTED_MEDIA_TYPE, reason))?;
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
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
            SwapError::NotRunning | SwapError::Memory(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

/// Why a request was refused, for the log: an extension of the response.
#[derive(Debug, Clone)]
pub(super) struct Reason(pub(super) String);

pub(super) fn refused(status: StatusCode, error: impl Into<String>) -> Response {
    let error = error.into();
    let mut response = json(status, &Refused { error: error.clone() });
    response.extensions_mut().insert(Reason(error));
    response
}

/// Whether a body is JSON as its header has it. A page in a browser cannot send this type
/// without asking first. Of its parameters only the one encoding of JSON is allowed
/// (RFC 8259, 8.1), and a body that is compressed is not read.
fn is_json(headers: &HeaderMap) -> Result<(), String> {
    let way_out = "send JSON, with the header content-type: application/json";
    let value = hosts::only(headers, &header::CONTENT_TYPE)?.ok_or(way_out)?;
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_fine = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        parameter.is_empty()
            || (name.eq_ignore_ascii_case("charset")
                && value.trim_matches('"').eq_ignore_ascii_case("utf-8"))
    };
    if !essence.eq_ignore_ascii_case("application/json") || !parts.all(is_fine) {
        return Err(way_out.to_owned());
    }
    match headers.contains_key(header::CONTENT_ENCODING) {
        true => Err("header content-encoding: not supported; send plain JSON".to_owned()),
        false => Ok(()),
    }
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    fn fits(pairs: &[(header::HeaderName, &str)]) -> bool {
        let pair =
            |(name, value): &(header::HeaderName, &str)| (name.clone(), value.parse().unwrap());
        is_json(&pairs.iter().map(pair).collect()).is_ok()
    }

    #[test]
    fn content_types_are_compared_whole() {
        let of = |value| (header::CONTENT_TYPE, value);
        for value in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json;",
        ] {
            assert!(fits(&[of(value)]), "{value}");
        }
        for value in [
            "application/jsonx",
            "application/json-patch+json",
            "application/json, text/plain",
            "text/plain; application/json",
            "application/json; charset=latin1",
            "application/json; boundary=x",
            "",
        ] {
            assert!(!fits(&[of(value)]), "{value}");
        }
        assert!(!fits(&[]));
        assert!(!fits(&[of("application/json"), of("application/json")]));
        assert!(!fits(&[of("application/json"), (header::CONTENT_ENCODING, "gzip")]));
    }
}
