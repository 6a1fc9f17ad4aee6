//! The HTTP server of a runner: metrics, health and readiness, and what it
//! serves, which can be changed ([`api`], or [`fleet`] for all its runners), by those who may
//! ([`access`]). `docs/reference/metrics.md` and `admin.md` are its reference.

pub mod access;
pub mod api;
pub mod fleet;
mod handle;
pub mod rollout;
mod serving;
mod subject;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use thiserror::Error;
use tokio::sync::oneshot;

pub use subject::Subject;

use sandbar_pipeline::rollout::metrics::RolloutMetrics;
use sandbar_telemetry::metrics::{CONTENT_TYPE, Metrics};

/// A server, which ends when this is dropped.
pub struct Admin {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Why there is no server.
#[derive(Debug, Error)]
#[error(
    "cannot listen on {address}: {cause}; choose another address with --admin or [admin] \
     listen, or \"off\""
)]
pub struct AdminError {
    /// Where it should be.
    pub address: SocketAddr,
    /// The system's reason.
    pub cause: io::Error,
}

struct Told {
    subject: Arc<Subject>,
    metrics: Metrics,
}

impl Admin {
    /// Serves at `address`; port 0 takes any that is free ([`Admin::address`]).
    ///
    /// # Errors
    /// If the address is in use or not available.
    pub fn start(address: SocketAddr, subject: Subject) -> Result<Self, AdminError> {
        Self::serve(address, subject).map_err(|cause| AdminError { address, cause })
    }

    fn serve(address: SocketAddr, subject: Subject) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let Subject { pipeline, deployment, .. } = &subject;
        let calls = deployment.plan().call_times();
        let rolling = Arc::downgrade(deployment);
        let rollouts = RolloutMetrics::new(move || {
            let rollout = rolling.upgrade()?.rollout()?;
            Some(rollout.comparison().clone())
        });
        let metrics = Metrics::new(pipeline, deployment.stats().clone(), calls);
        let metrics = metrics.with(Box::new(rollouts));
        let subject = Arc::new(subject);
        let router = api::router(subject.clone())
            .merge(rollout::router(subject.clone()))
            .merge(fleet::router(subject.clone()))
            .merge(router(Arc::new(Told { subject, metrics })));
        let (stop, stopped) = oneshot::channel();
        let work = async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tokio::select! {
                result = axum::serve(listener, router).into_future() => result,
                // A stop was requested, or the sender is gone. Open requests are not waited for.
                _ = stopped => Ok(()),
            }
        };
        let thread = std::thread::Builder::new().name("sandbar-admin".into()).spawn(move || {
            if let Err(error) = runtime.block_on(work) {
                tracing::error!(%error, "admin server failed, metrics and health are no longer served");
            }
            // A change that is still being prepared is not waited for.
            runtime.shutdown_background();
        })?;
        Ok(Admin { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn router(told: Arc<Told>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .route("/readyz", get(readiness))
        .with_state(told)
}

async fn metrics(State(told): State<Arc<Told>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], told.metrics.text())
}

async fn health(State(told): State<Arc<Told>>) -> (StatusCode, String) {
    let Subject { deployment, patience, .. } = &*told.subject;
    match deployment.stats().now.since_poll() {
        Some(since) if since > *patience => {
            let seconds = since.as_secs();
            (StatusCode::SERVICE_UNAVAILABLE, format!("Kafka not polled for {seconds} s\n"))
        }
        // Before the first poll it waits for brokers and topics, which may take long.
        _ => (StatusCode::OK, "healthy\n".to_owned()),
    }
}

async fn readiness(State(told): State<Arc<Told>>) -> (StatusCode, &'static str) {
    let Subject { deployment, shutdown, .. } = &*told.subject;
    if shutdown.requested() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if deployment.stats().now.is_member() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not a member of the consumer group yet\n")
    }
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
        let rollout = GAUGES.iter().map(|(name, help)| ((*name).to_owned(), (*help).to_owned()));
        let mut expected: Vec<(String, String)> = own.chain(rollout).collect();
        let mut documented = documented();
        documented.sort();
        expected.sort();
        assert_eq!(documented, expected);
    }
}
