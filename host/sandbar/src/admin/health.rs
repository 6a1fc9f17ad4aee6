//! Whether a runner is well: for probes, on the server's address and on one of its own.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

use super::access::PROBES;
use super::subject::Subject;

pub(super) fn router(subject: Arc<Subject>) -> Router {
    let [healthz, readyz] = PROBES;
    Router::new().route(healthz, get(health)).route(readyz, get(readiness)).with_state(subject)
}

async fn health(State(subject): State<Arc<Subject>>) -> (StatusCode, String) {
    let Subject { deployment, patience, .. } = &*subject;
    match deployment.stats().now.since_poll() {
        Some(since) if since > *patience => {
            let seconds = since.as_secs();
            (StatusCode::SERVICE_UNAVAILABLE, format!("Kafka not polled for {seconds} s\n"))
        }
        // Before the first poll it waits for brokers and topics, which may take long.
        _ => (StatusCode::OK, "healthy\n".to_owned()),
    }
}

async fn readiness(State(subject): State<Arc<Subject>>) -> (StatusCode, &'static str) {
    let Subject { deployment, shutdown, .. } = &*subject;
    if shutdown.requested() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if deployment.memory().is_short() {
        (StatusCode::SERVICE_UNAVAILABLE, "short of memory\n")
    } else if deployment.stats().now.is_member() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not a member of the consumer group yet\n")
    }
}
