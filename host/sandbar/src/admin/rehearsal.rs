//! A server without a runner, over bytes instead of a socket, for fuzzing: every request passes
//! what it passes in a runner, up to its body as a value. Nothing is changed by it.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

use super::access::{Access, PROBES};
use super::api::{self, CancelRequest, RollbackRequest, SwapRequest};
use super::connection;
use super::fleet::{FleetRolloutRequest, PlainRequest, PromoteRequest};
use super::gate::Gate;
use super::handle::{json, parsed, refused};
use super::peer::Peer;
use super::rollout::RolloutRequest;
use super::seats::Seats;

/// No answer is longer.
const ANSWER: usize = 1 << 20;

/// The server.
pub struct Rehearsal {
    runtime: Runtime,
    gate: Arc<Gate>,
    seats: Arc<Seats>,
}

impl Rehearsal {
    /// A server with the paths of a runner.
    ///
    /// # Errors
    /// If the system provides no timer.
    pub fn new(access: Access) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let [healthz, readyz] = PROBES;
        let router = Router::new()
            .route(healthz, get(nothing))
            .route(readyz, get(nothing))
            .route("/metrics", get(nothing))
            .route("/v1/openapi.json", get(api::description))
            .route("/v1/status", get(nothing))
            .route("/v1/fleet", get(nothing))
            .route("/v1/swap", post(request::<SwapRequest>))
            .route("/v1/rollback", post(request::<RollbackRequest>))
            .route("/v1/cancel", post(request::<CancelRequest>))
            .route("/v1/rollout", post(request::<RolloutRequest>))
            .route("/v1/rollout/promote", post(request::<RollbackRequest>))
            .route("/v1/rollout/abort", post(request::<RollbackRequest>))
            .route("/v1/fleet/promote", post(request::<PromoteRequest>))
            .route("/v1/fleet/rollback", post(request::<PlainRequest>))
            .route("/v1/fleet/rollout", post(request::<FleetRolloutRequest>))
            .route("/v1/fleet/rollout/promote", post(request::<PlainRequest>))
            .route("/v1/fleet/rollout/abort", post(request::<PlainRequest>));
        let gate = Arc::new(Gate::new(router, Some(access)));
        Ok(Rehearsal { runtime, gate, seats: Arc::default() })
    }

    /// The answer to these bytes, after which the client says no more.
    ///
    /// # Errors
    /// If the connection is broken off.
    pub fn answer(&self, bytes: &[u8], tls: bool) -> io::Result<Vec<u8>> {
        let peer = Peer { address: (Ipv4Addr::LOCALHOST, 1).into(), tls };
        let (mut client, io) = tokio::io::duplex(ANSWER);
        self.runtime.block_on(async {
            let Some(seat) = self.seats.take().await else { return Ok(Vec::new()) };
            let serve = connection::serve(io, self.gate.clone(), peer, seat);
            let ask = async {
                client.write_all(bytes).await?;
                client.shutdown().await?;
                let mut answer = Vec::new();
                client.read_to_end(&mut answer).await?;
                Ok(answer)
            };
            tokio::join!(serve, ask).1
        })
    }
}

async fn nothing() -> &'static str {
    "nothing\n"
}

/// Answers with the request, so that it is read back as it was understood.
async fn request<R: for<'a> Deserialize<'a> + Serialize>(
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match parsed::<R>(&headers, &body) {
        Ok(request) => json(StatusCode::OK, &request),
        Err((status, reason)) => refused(status, reason),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::super::access::Token;
    use super::*;
    use sandbar_manifest::Role;

    fn answer(server: &Rehearsal, request: &str, rest: &str) -> String {
        let bytes = format!("{request} HTTP/1.1\r\nhost: localhost\r\n{rest}");
        String::from_utf8(server.answer(bytes.as_bytes(), false).unwrap()).unwrap()
    }

    #[test]
    fn it_has_every_path_of_a_runner() {
        let server = Rehearsal::new(Access { local: true, ..Access::default() }).unwrap();
        let description: serde_json::Value = serde_json::from_str(api::OPENAPI).unwrap();
        for (path, methods) in description["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                let request = format!("{} {path}", method.to_uppercase());
                let json = "content-type: application/json\r\ncontent-length: 1\r\n\r\n{";
                let due = if method == "get" { "HTTP/1.1 200 " } else { "HTTP/1.1 400 " };
                let answer = answer(&server, &request, json);
                assert!(answer.starts_with(due), "{request}: {answer}");
            }
        }
    }

    #[test]
    fn a_request_is_understood() {
        let tokens = vec![Token::new("ada", Role::Change, "secret")];
        let server = Rehearsal::new(Access { tokens, ..Access::default() }).unwrap();
        let body = "content-type: application/json\r\ncontent-length: 14\r\n\r\n{\"revision\":4}";
        let given = format!("authorization: Bearer secret\r\n{body}");
        let done = answer(&server, "POST /v1/rollback", &given);
        assert!(done.starts_with("HTTP/1.1 200 ") && done.ends_with("{\"revision\":4}"), "{done}");
        let refused = answer(&server, "POST /v1/rollback", body);
        assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    }
}
