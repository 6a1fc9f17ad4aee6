//! A pipeline: from its manifest to a plan that is known to work, and batches through it.
//!
//! - [`definition`]: a manifest and where its models, components and `schemas` come from;
//!   [`plan`]: components loaded, models verified, a `stage_plan` each, or a `plan_error`; [`graph`]: what
//!   each stage reads, [`picture`]: for people; `granted`: models that extractors know of the
//!   scorers that read them; `fit`: instances that fit each other.
//! - [`chain`]: the stages over one batch; [`outcome`]: what becomes of it; `chain_runner`: one
//!   chain at work; [`processor`] drives it, with batches of any content; [`encoding`]:
//!   predictions as output records, `registration`: their schemas in a registry; [`routing`]: to which
//!   `topics`, with which keys and headers.
//! - [`preparation`]: what is untrusted, prepared in a process of its own, which does
//!   [`prepare`]; `loading`: what was prepared, loaded by the process that serves.
//! - [`policy`]: what is done about failures; `key_ordering`: records behind one of their key;
//!   `partition`: what is kept of partitions, and when.
//! - [`external_payloads`]: external payloads: what records name instead of carrying it.
//! - [`deployment`]: what serves, and other models and components in its place while it runs;
//!   workers come to them by [`hot_swap`]. [`revision`], [`swap`]: what that is in data.
//! - [`rollout`]: a candidate beside what serves, before it takes its place; [`dry_run`] and
//!   [`validation`]: what is new, tried on a batch and on a model's own samples, by `trials`; `answers`: samples, answered.
//! - [`interrupted`]: why a batch did not get through; `events`: log lines and counters.
//! - [`capture`] and `reaching`: what reaches a stage, for measurements; [`operator_harness`]: a lone operator under
//!   test; [`harness`]: a pipeline without Kafka.
//!
//! It knows nothing of Kafka: batches come with an acknowledgement handle, outputs leave
//! through a sink. It may use every crate before it in the list of crates but `sandbar-kafka`.

mod answers;
pub mod capture;
pub mod chain;
mod chain_runner;
pub mod definition;
pub mod deployment;
pub mod dry_run;
pub mod encoding;
mod events;
pub mod external_payloads;
mod fit;
mod granted;
pub mod graph;
pub mod harness;
pub mod hot_swap;
pub mod interrupted;
mod key_ordering;
mod loading;
pub mod operator_harness;
pub mod outcome;
mod partition;
pub mod picture;
pub mod plan;
mod plan_error;
pub mod policy;
pub mod preparation;
pub mod prepare;
pub mod processor;
mod reaching;
mod registration;
pub mod revision;
pub mod rollout;
pub mod routing;
mod schemas;
mod stage_plan;
pub mod swap;
mod topics;
mod trials;
pub mod validation;

pub use definition::{Definition, OpenError};
pub use deployment::Deployment;
pub use encoding::TopicSchema;
pub use picture::{GraphStyle, Picture};
pub use plan::Plan;
pub use plan_error::{PlanError, Reason};
pub use reaching::CaptureError;
