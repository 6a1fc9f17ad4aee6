//! Records on their way through a runner: what every other crate of the runner speaks.
//!
//! - [`Batch`]: records of one partition in flat columns; [`Record`], a view of one;
//!   [`Input`], one that owns its parts.
//! - [`Failure`]: why a record failed; [`Output`]: what became of one, and [`Sink`], where
//!   it leaves the pipeline; [`OutputHeaders`]: its topic and headers.
//! - [`AckHandle`]: follows a batch until everything that came of it is acknowledged.
//! - [`BatchLimits`]: when a batch is full; [`Shutdown`]: the request to stop.
//!
//! It may use no other crate of the runner.

mod ack;
mod batch;
mod failure;
mod headers;
mod input;
mod limits;
mod output;
mod shutdown;
mod sink;
mod source;

pub use ack::{AckEvent, AckHandle};
pub use batch::{Batch, Headers, NULL_KEY, NULL_VALUE, Record};
pub use failure::{Code, Failure, MESSAGE_LIMIT, REFERENCES, RESERVED_STAGES, shorten};
pub use headers::{
    DEAD_LETTER_HEADERS, MODEL_HEADER, OUTPUT_HEADERS, OutputHeaders, REPLAYED_HEADER,
    VARIANT_HEADER,
};
pub use input::{Input, OwnedHeaders};
pub use limits::{BatchLimits, LINGER};
pub use output::{Output, Variant};
pub use shutdown::Shutdown;
pub use sink::{BestEffort, OpenBestEffort, Sink};
pub use source::Source;
