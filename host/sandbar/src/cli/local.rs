//! `sandbar run --stdin` and `--file`: a pipeline over lines or files instead of topics.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use anyhow::Context;
use clap::Args;
use serde::Serialize;

use super::lines::{self, Chunk, LineSource, ReadError};
use sandbar_pipeline::Plan;
use sandbar_pipeline::harness::Harness;
use sandbar_record::Failure;
use sandbar_record::Input;
use sandbar_record::LINGER;
use sandbar_record::Output;
use sandbar_record::OutputHeaders;
use sandbar_record::Sink;
use sandbar_record::{Batch, Record};
use sandbar_telemetry::Snapshot;

/// Characters of a value that a dead letter shows.
const SHOWN: usize = 200;

/// Options of `sandbar run` without Kafka.
#[derive(Debug, Args)]
#[command(next_help_heading = "Without Kafka")]
pub(super) struct Local {
    /// Read records from standard input, one a line, instead of from Kafka.
    ///
    /// Predictions go to standard output, one a line; a record that fails to standard
    /// error, as a JSON object with stage, code, message, file, line and value. A line's
    /// end does not belong to its record; an empty line is an empty record. Lines that
    /// come slowly do not wait for a full batch longer than 20 ms.
    #[arg(long, group = "local", conflicts_with = "brokers")]
    stdin: bool,
    /// Read records from files, one a line, instead of from Kafka. The rest is as with
    /// --stdin.
    ///
    /// May be given several times. PIPELINE goes before it.
    #[arg(
        long = "file",
        value_name = "PATH",
        group = "local",
        num_args = 1..,
        conflicts_with = "brokers"
    )]
    files: Vec<PathBuf>,
    /// Take each file as one record, whose key is the file's path: for images.
    #[arg(long, requires = "files", conflicts_with = "stdin")]
    whole: bool,
    /// Print the topic of each output and a tab before it: for pipelines that route.
    #[arg(long, requires = "local")]
    with_topic: bool,
    /// End with status 1 if any record failed.
    #[arg(long, requires = "local")]
    strict: bool,
}

impl Local {
    /// Whether records do not come from Kafka.
    pub(super) fn is_asked(&self) -> bool {
        self.stdin || !self.files.is_empty()
    }

    /// Checks that the files exist, before the pipeline is set up.
    pub(super) fn look(&self) -> Result<(), ReadError> {
        self.files.iter().try_for_each(|path| lines::look(path))
    }

    /// Runs all records through the pipeline.
    pub(super) fn execute(&self, plan: &Plan) -> anyhow::Result<()> {
        let mut harness = Harness::new(plan)?;
        let mut printer = Printer {
            output: BufWriter::new(io::stdout().lock()),
            labels: harness.labels().clone(),
            with_topic: self.with_topic,
            whole: self.whole,
            places: self.places().iter().map(LineSource::name).collect(),
            broken: None,
        };
        let chunks =
            lines::read(self.places(), self.whole).context("cannot start the reader thread")?;
        let result = self.pump(&chunks, &mut harness, &mut printer);
        let end = harness.stats();
        match printer.broken.take() {
            // The reader of the output has closed it: `head`, for example.
            Some(cause) if cause.kind() == ErrorKind::BrokenPipe => {}
            Some(cause) => return Err(cause).context("cannot write the output"),
            None => {
                result?;
                tell_totals(&end);
            }
        }
        if self.strict {
            let (failed, records) = (end.failed(), end.records);
            anyhow::ensure!(
                failed == 0,
                "{failed} of {records} records failed, and --strict is set"
            );
        }
        Ok(())
    }

    fn places(&self) -> Vec<LineSource> {
        if self.stdin {
            return vec![LineSource::Stdin];
        }
        self.files.iter().cloned().map(LineSource::File).collect()
    }

    /// Runs chunks through the pipeline until they end, or the output is closed.
    fn pump(
        &self,
        chunks: &Receiver<Result<Chunk, ReadError>>,
        harness: &mut Harness,
        printer: &mut Printer<'_>,
    ) -> anyhow::Result<()> {
        let mut current = 0;
        while !printer.is_closed() {
            let next = match harness.waiting_since() {
                None => chunks.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(since) => chunks.recv_timeout(LINGER.saturating_sub(since.elapsed())),
            };
            match next {
                Ok(Ok(Chunk { place, values })) => {
                    if place != current && !self.whole {
                        // Batches are of one file, as they are of one partition.
                        harness.flush(printer)?;
                        current = place;
                    }
                    for value in values {
                        harness.push(&self.record(place, value), printer)?;
                        if printer.is_closed() {
                            return Ok(());
                        }
                    }
                }
                Ok(Err(error)) => {
                    harness.flush(printer)?;
                    printer.flush();
                    return Err(error.into());
                }
                Err(RecvTimeoutError::Timeout) => harness.flush(printer)?,
                Err(RecvTimeoutError::Disconnected) => {
                    harness.flush(printer)?;
                    printer.flush();
                    return Ok(());
                }
            }
            printer.flush();
        }
        Ok(())
    }

    /// A file is a partition, a line's number its offset, from 0. Where files are records
    /// they are all in partition 0, so that they share batches.
    fn record(&self, place: usize, value: Vec<u8>) -> Input {
        let record = Input::value(value);
        match self.files.get(place) {
            Some(path) if self.whole => record.key(path.as_os_str().as_encoded_bytes()),
            _ => record.partition(i32::try_from(place).unwrap_or(i32::MAX)),
        }
    }
}

/// Writes the counters to the log, at the end of a run.
pub(super) fn tell_totals(end: &Snapshot) {
    tracing::info!(
        records = end.records,
        outputs = end.outputs,
        failed = end.failed(),
        filtered = end.filtered,
        "run ended, totals"
    );
}

/// Outputs to standard output, dead letters to standard error.
struct Printer<'a> {
    output: BufWriter<io::StdoutLock<'a>>,
    labels: OutputHeaders,
    with_topic: bool,
    whole: bool,
    /// The names of the sources.
    places: Vec<String>,
    /// Why one of the two cannot be written.
    broken: Option<io::Error>,
}

/// A record that failed, as a line of JSON.
#[derive(Serialize)]
struct DeadLetterLine<'a> {
    stage: &'a str,
    code: &'a str,
    message: &'a str,
    file: &'a str,
    /// From 1; absent if the file is the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<i64>,
    value: Option<String>,
}

impl Printer<'_> {
    /// Flushes the buffered output.
    fn flush(&mut self) {
        let result = self.output.flush();
        self.note(result);
    }

    fn note(&mut self, result: io::Result<()>) {
        if let Err(cause) = result {
            self.broken.get_or_insert(cause);
        }
    }

    fn write(&mut self, output: &Output<'_>) -> io::Result<()> {
        if self.with_topic {
            write!(self.output, "{}\t", self.labels.topic(output))?;
        }
        self.output.write_all(output.value.unwrap_or_default())?;
        self.output.write_all(b"\n")
    }

    /// The name of the file that a record comes from, and the line's number.
    fn place(&self, record: &Record<'_>) -> (&str, Option<i64>) {
        let (partition, offset) = (i64::from(record.partition()), record.offset());
        let (place, line) = if self.whole { (offset, None) } else { (partition, Some(offset + 1)) };
        let name = usize::try_from(place).ok().and_then(|place| self.places.get(place));
        (name.map(String::as_str).unwrap_or_default(), line)
    }
}

impl Sink for Printer<'_> {
    fn output(&mut self, _: &Batch, output: &Output<'_>) {
        if self.broken.is_none() {
            let result = self.write(output);
            self.note(result);
        }
    }

    fn dead_letter(&mut self, batch: &Batch, failure: &Failure) {
        let record = batch.record(failure.record);
        let (file, line) = self.place(&record);
        let letter = DeadLetterLine {
            stage: &failure.stage,
            code: failure.code.as_str(),
            message: &failure.message,
            file,
            line,
            value: record.value().map(shown),
        };
        let result = serde_json::to_string(&letter)
            .map_err(io::Error::from)
            .and_then(|text| writeln!(io::stderr().lock(), "{text}"));
        self.note(result);
    }

    fn is_closed(&self) -> bool {
        self.broken.is_some()
    }
}

/// The beginning of a value, for a person.
fn shown(value: &[u8]) -> String {
    // A character has four bytes at most: the rest is never shown.
    let start = &value[..value.len().min(4 * SHOWN + 4)];
    let text = String::from_utf8_lossy(start);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_short() {
        assert_eq!(shown(b"short"), "short");
        assert_eq!(shown(b"\xff\xfe"), "\u{fffd}\u{fffd}");
        let long = "ä".repeat(SHOWN);
        assert_eq!(shown(long.as_bytes()), long);
        assert_eq!(shown("ä".repeat(9 * SHOWN).as_bytes()), format!("{long}…"));
        assert_eq!(shown(&[0xff; 9 * SHOWN]).chars().count(), SHOWN + 1);
    }
}
