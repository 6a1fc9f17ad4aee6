//! One extractor or scorer alone. A transformer alone is a pipeline already.
//!
//! As in a pipeline, a batch whose call failed is retried record by record.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use sandbar_manifest::Runner;
//! use sandbar_pipeline::operator_harness::{ExtractorHarness, Value};
//! use sandbar_record::Input;
//! use sandbar_sandbox::{Component, Grants, LimitsSection, Operator, Sandbox, cache};
//! use sandbar_telemetry::CallTimes;
//!
//! # fn main() -> anyhow::Result<()> {
//! let sandbox = Sandbox::new(cache::default_folder())?;
//! let operator = Operator {
//!     stage: "words".into(),
//!     component: Component::load(&sandbox, Path::new("words.wasm"))?,
//!     grants: Grants { config: r#"{ "longest": 9 }"#.into(), ..Grants::default() }.into(),
//!     limits: (&LimitsSection::default()).into(),
//!     times: CallTimes::default(),
//! };
//! let mut words = ExtractorHarness::new(operator, (&Runner::default()).into())?;
//! let results = words.pipe([Input::value("two words"), Input::value("far too long")])?;
//!
//! assert_eq!(words.fields()[0].name, "words");
//! let (origin, features) = &results[0];
//! assert_eq!(origin.offset, 0);
//! assert_eq!(features.as_ref().unwrap()[0], Value::Number(2.0));
//! assert_eq!(results[1].1.as_ref().unwrap_err().code.as_str(), "too-large");
//! # Ok(())
//! # }
//! ```

mod batches;
mod error;
mod operator;
mod origin;

pub(crate) use batches::Batches;
pub use error::HarnessError;
pub use operator::{ExtractorHarness, Predicted, ScorerHarness, Value};
pub use origin::Origin;
