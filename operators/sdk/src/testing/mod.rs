//! Runs operators natively, for ordinary unit tests: the same code as in the sandbox,
//! with this module in the place of the host.
//!
//! A [`Stage`] stands for the pipeline's manifest. What goes in is built as
//! [`Records`] or [`Features`]; what comes out is one result per record.

mod features;
mod outcomes;
mod records;
mod stage;

pub use features::{Cell, Extracted, Features, Prediction};
pub use records::{EmittedRecord, Records, TestRecord, Transformed};
pub use stage::{ExtractorStage, ScorerStage, Stage, TransformerStage};
