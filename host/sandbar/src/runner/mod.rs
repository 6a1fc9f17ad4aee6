//! A runner: a pipeline on Kafka, with whatever belongs to one in production.
//!
//! - [`Runner`]: puts it together: deployment, fleet, metrics and health over HTTP.
//! - `stream`: source, workers and sinks of one deployment; `worker` takes batches through
//!   its own instances, `transactor` in transactions.

mod runner;
mod stream;
mod transactor;
mod worker;

pub use runner::{PreparedRunner, Runner, RunnerError};
pub use stream::{RunError, run};
