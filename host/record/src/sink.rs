//! The seam where records leave the pipeline: whatever takes outputs and dead letters is one
//! of these, Kafka as well as a file, standard output or a test.

use std::time::Duration;

use crate::batch::Batch;
use crate::failure::Failure;
use crate::headers::OutputHeaders;
use crate::output::Output;

/// Where the outputs of a batch go, in order.
pub trait Sink {
    /// Takes an output of `batch`.
    fn output(&mut self, batch: &Batch, output: &Output<'_>);

    /// Takes a record that failed: the one of `batch` that `failure` names.
    fn dead_letter(&mut self, batch: &Batch, failure: &Failure);

    /// Nothing more comes for a while: what is buffered is written.
    fn flush(&mut self) {}

    /// Whether nothing more is wanted: remaining work is pointless.
    fn is_closed(&self) -> bool {
        false
    }
}

/// A sink for what is written beside the stream. It never waits, and what it cannot get rid
/// of is lost and counted: the stream has precedence.
pub trait BestEffort: Send {
    /// Writes an output, whichever topic the pipeline would write it to.
    fn write(&self, output: &Output<'_>);

    /// How many outputs were lost since this was asked last.
    fn take_lost(&self) -> u64;

    /// Waits for what is on its way, no longer than `patience`.
    fn finish(&self, patience: Duration);
}

/// Opens a [`BestEffort`] sink to a topic; an error says what is wrong with the topic.
pub type OpenBestEffort =
    dyn Fn(&str, OutputHeaders) -> Result<Box<dyn BestEffort>, String> + Send + Sync;
