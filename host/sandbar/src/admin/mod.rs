//! The HTTP server of a runner: metrics, health and readiness, and what it
//! serves, which can be changed ([`api`], or [`fleet`] for all its runners), by those who may
//! ([`access`]). `docs/reference/metrics.md` and `admin.md` are its reference.
//!
//! It is built for being exposed. `server` listens and has a thread; `seats` bounds its
//! connections; `tls` encrypts them; `connection` reads one request from each, in bounded time
//! and size; `gate` decides by `access` and `hosts` whether it may be, and logs that (`audit`);
//! then it reaches the routers, which are the other modules.

pub mod access;
pub mod api;
mod audit;
mod connection;
pub mod fleet;
mod gate;
mod handle;
mod health;
mod hosts;
mod memory;
mod peer;
pub mod rehearsal;
pub mod rollout;
mod seats;
mod server;
mod serving;
mod subject;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use thiserror::Error;

pub use hosts::Names;
pub use subject::Subject;
pub use tls::{Tls, TlsFiles};

use gate::Gate;
use memory::MemoryMetrics;
use sandbar_pipeline::rollout::metrics::RolloutMetrics;
use sandbar_telemetry::metrics::{CONTENT_TYPE, Metrics};
use server::Server;

/// A server, which ends when this is dropped.
pub struct Admin(Server);

/// Why there is no server.
#[derive(Debug, Error)]
#[error("cannot listen on {address}: {cause}; choose another address with {option}, or \"off\"")]
pub struct AdminError {
    /// Where it should be.
    pub address: SocketAddr,
    /// The system's reason.
    pub cause: io::Error,
    /// Where another address is chosen.
    pub option: &'static str,
}

impl Admin {
    /// Serves everything at `address`; port 0 takes any that is free ([`Admin::address`]).
    ///
    /// # Errors
    /// If the address is in use or not available.
    pub fn start(
        address: SocketAddr,
        tls: Option<Tls>,
        subject: Arc<Subject>,
    ) -> Result<Self, AdminError> {
        let router = api::router(subject.clone())
            .merge(rollout::router(subject.clone()))
            .merge(fleet::router(subject.clone()))
            .merge(health::router(subject.clone()))
            .merge(metrics_router(&subject));
        let gate = Gate::new(router, Some(subject.access.clone()));
        let option = "--admin or [admin] listen";
        let server = Server::start("sandbar-admin", address, tls, gate);
        server.map(Admin).map_err(|cause| AdminError { address, cause, option })
    }

    /// Serves health and readiness alone, to everybody, on a thread of its own: however busy the
    /// other server is, probes are answered.
    ///
    /// # Errors
    /// If the address is in use or not available.
    pub fn health(address: SocketAddr, subject: Arc<Subject>) -> Result<Self, AdminError> {
        let gate = Gate::new(health::router(subject), None);
        let option = "--health or [admin] health";
        let server = Server::start("sandbar-health", address, None, gate);
        server.map(Admin).map_err(|cause| AdminError { address, cause, option })
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

fn metrics_router(subject: &Subject) -> Router {
    let Subject { pipeline, deployment, .. } = subject;
    let rolling = Arc::downgrade(deployment);
    let rollouts = RolloutMetrics::new(move || {
        let rollout = rolling.upgrade()?.rollout()?;
        Some(rollout.comparison().clone())
    });
    let calls = deployment.plan().call_times();
    let metrics = Metrics::new(pipeline, deployment.stats().clone(), calls);
    let memory = MemoryMetrics(deployment.memory().clone());
    let metrics = metrics.with(Box::new(rollouts)).with(Box::new(memory));
    Router::new().route("/metrics", get(text)).with_state(Arc::new(metrics))
}

async fn text(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], metrics.text())
}

#[cfg(test)]
mod tests {
    use sandbar_pipeline::rollout::metrics::GAUGES;
    use sandbar_telemetry::metrics;

    /// The names in a table of the documents, each with what it says.
    fn documented() -> Vec<(String, String)> {
        let text = include_str!("../../../../docs/reference/metrics.md");
        let row = |line: &str| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, name, _, _, help, _] = cells[..] else { return None };
            let name = name.strip_prefix('`')?.strip_suffix('`')?;
            Some((name.to_owned(), help.trim_end_matches('.').to_owned()))
        };
        text.lines().filter_map(row).collect()
    }

    #[test]
    fn the_documents_list_every_metric() {
        let own = metrics::documented().into_iter().map(|(name, help)| (name, help.to_owned()));
        let memory = super::memory::documented().map(|(name, help)| (name, help.to_owned()));
        let rollout = GAUGES.iter().map(|(name, help)| ((*name).to_owned(), (*help).to_owned()));
        let mut expected: Vec<(String, String)> = own.chain(rollout).chain(memory).collect();
        let mut documented = documented();
        documented.sort();
        expected.sort();
        assert_eq!(documented, expected);
    }
}
