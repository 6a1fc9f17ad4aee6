//! A pipeline: from its manifest to a plan that is known to work, and batches through it.
//!
//! - [`definition`]: a manifest and where its models and components come from; [`plan`]:
//!   components loaded, models verified, stages fitted to each other.
//! - [`chain`]: the stages over one batch; `chain_runner`: one chain at work; [`processor`]
//!   drives it, with batches of any content; [`encoding`]: predictions as output records.
//! - [`policy`]: what is done about failures; `order`: records behind one of their key;
//!   `partition`: what is kept of partitions, and when.
//! - [`references`]: external payloads: what records name instead of carrying it.
//! - [`deployment`]: what serves, and other models and components in its place while it runs;
//!   workers come to them by [`handover`]. [`revision`], [`swap`]: what that is in data.
//! - [`rollout`]: a candidate beside what serves, before it takes its place; `trial` and
//!   `smoke`: what is new, tried on a batch and on a model's own samples.
//! - [`operator_harness`]: a lone operator under test; [`harness`]: a pipeline without Kafka.
//!
//! It knows nothing of Kafka: batches come with an acknowledgement handle, outputs leave
//! through a sink. It may use every crate above it but `sandbar-kafka`.

pub mod chain;
mod chain_runner;
pub mod definition;
pub mod deployment;
pub mod encoding;
mod events;
pub mod handover;
pub mod harness;
pub mod interrupted;
pub mod operator_harness;
mod order;
mod partition;
pub mod plan;
pub mod policy;
pub mod processor;
pub mod references;
pub mod revision;
pub mod rollout;
pub mod smoke;
pub mod swap;
pub mod trial;

pub use definition::{Definition, OpenError};
pub use deployment::Deployment;
pub use plan::{Plan, PlanError};
