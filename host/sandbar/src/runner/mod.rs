//! A runner: a pipeline on Kafka, with whatever belongs to one in production.
//!
//! - [`Runner`]: puts it together: deployment, fleet, metrics and health over HTTP.
//! - `memory`: keeps its process within its memory limit, or ends it in order.
//! - `http`: its servers, with their tokens and certificates.
//! - `stream`: source, workers and sinks of one deployment; `worker` takes batches through
//!   its own instances, `transactional_worker` in transactions.

mod assembly;
mod http;
mod memory;
mod stream;
mod transactional_worker;
mod worker;

pub use assembly::{PreparedRunner, Runner, RunnerError};
pub use http::ServerError;
pub use memory::OutOfMemory;
pub use stream::{RunError, run};
