//! A whole pipeline in this process, without Kafka: records go in, its output records
//! come out. For tests of operators and pipelines, and for records that
//! are in no topic.
//!
//! Records go through the code that the runner's workers use: the same batches, the same
//! stages in the sandbox, external payloads fetched, a batch with a failed call retried
//! record by record. Only Kafka's part is missing: delivery, commits, and
//! topics that refuse a record.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use sandbar_manifest::Manifest;
//! use sandbar_pipeline::Plan;
//! use sandbar_pipeline::harness::Harness;
//! use sandbar_record::Input;
//! use sandbar_sandbox::{Sandbox, cache};
//!
//! # fn main() -> anyhow::Result<()> {
//! let manifest = Manifest::load(Path::new("pipelines/flights.toml"))?;
//! let sandbox = Sandbox::new(cache::default_folder())?;
//! let plan = Plan::new(&manifest.into(), &sandbox)?;
//! let mut harness = Harness::new(&plan)?;
//!
//! let classic = "1987,10,14,3,741,730,912,849,PS,1451,NA,91,79,NA,23,11,SAN,SFO,447,\
//!                NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,YES";
//! let written = harness.pipe([
//!     Input::value(classic).key("PS1451"),
//!     Input::value("this is not a flight"),
//! ])?;
//!
//! let prediction = &written.outputs[0];
//! assert_eq!(prediction.topic, "flight-predictions");
//! assert_eq!(prediction.key.as_deref(), Some("PS1451".as_bytes()));
//! assert!(prediction.text().starts_with(r#"{"label":"YES""#));
//! assert_eq!(prediction.header("sandbar-model").as_deref(), Some("flights-gbm@1"));
//!
//! let letter = &written.dead_letters[0];
//! assert_eq!((&*letter.stage, letter.code.as_str()), ("features", "malformed"));
//! assert_eq!(letter.record.origin.offset, 1);
//! # Ok(())
//! # }
//! ```
//!
//! An operator alone: [`operator_harness`](crate::operator_harness). A transformer alone is a
//! pipeline already.
//!
//! [`Harness::pipe`] collects the outputs. If they may be more than the memory
//! holds, [`Harness::push`] and [`Harness::flush`] pass them to a
//! [`Sink`](sandbar_record::Sink) at once.

mod pipeline;
mod written;

pub use pipeline::Harness;
pub use written::{DeadLetter, Record, Written};
