//! A source of lines and files: what a reader thread has read, through a pipeline and into a
//! sink.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use sandbar_pipeline::harness::Harness;
use sandbar_record::{Input, LINGER, Shutdown, Sink, Source};

use super::lines::{Chunk, ReadError};

/// How often a source that waits for input looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Lines on their way through a pipeline.
pub(super) struct LineFeed<'a, S> {
    pub(super) chunks: Receiver<Result<Chunk, ReadError>>,
    /// The files, by the index of a chunk's source; none for standard input.
    pub(super) files: &'a [PathBuf],
    /// Whether each file is one record.
    pub(super) whole: bool,
    pub(super) harness: &'a mut Harness,
    pub(super) sink: &'a mut S,
}

impl<S: Sink> Source for LineFeed<'_, S> {
    type Error = anyhow::Error;

    /// Feeds until the input or the sink ends.
    fn run(self, shutdown: &Shutdown) -> anyhow::Result<()> {
        let LineFeed { chunks, files, whole, harness, sink } = self;
        let mut current = 0;
        while !sink.is_closed() && !shutdown.requested() {
            let patience = match harness.waiting_since() {
                None => LOOK,
                Some(since) => LINGER.saturating_sub(since.elapsed()),
            };
            let next = chunks.recv_timeout(patience);
            match next {
                Ok(Ok(Chunk { place, values })) => {
                    if place != current && !whole {
                        // Batches are of one file, as they are of one partition.
                        harness.flush(sink)?;
                        current = place;
                    }
                    for value in values {
                        harness.push(&record(files, whole, place, value), sink)?;
                        if sink.is_closed() {
                            return Ok(());
                        }
                    }
                }
                Ok(Err(error)) => {
                    harness.flush(sink)?;
                    sink.flush();
                    return Err(error.into());
                }
                Err(RecvTimeoutError::Timeout) => harness.flush(sink)?,
                Err(RecvTimeoutError::Disconnected) => {
                    harness.flush(sink)?;
                    sink.flush();
                    return Ok(());
                }
            }
            sink.flush();
        }
        if !sink.is_closed() {
            harness.flush(sink)?;
            sink.flush();
        }
        Ok(())
    }
}

/// A file is a partition, a line's number its offset, from 0. Where files are records
/// they are all in partition 0, so that they share batches.
fn record(files: &[PathBuf], whole: bool, place: usize, value: Vec<u8>) -> Input {
    let record = Input::value(value);
    match files.get(place) {
        Some(path) if whole => record.key(path.as_os_str().as_encoded_bytes()),
        _ => record.partition(i32::try_from(place).unwrap_or(i32::MAX)),
    }
}
