//! A sink that prints: outputs to standard output, dead letters to standard error.

use std::borrow::Cow;
use std::io;

use sandbar_record::{Batch, Failure, Output, OutputHeaders, Record, Sink};
use serde::Serialize;

use crate::output::{self, Records};

/// Characters of a value that a dead letter shows.
const SHOWN: usize = 200;

/// Outputs to standard output, dead letters to standard error.
pub(super) struct Printer {
    pub(super) output: Records,
    /// Whether a person reads the output.
    pub(super) on_terminal: bool,
    pub(super) labels: OutputHeaders,
    pub(super) with_topic: bool,
    pub(super) whole: bool,
    /// The names of the sources.
    pub(super) places: Vec<String>,
    /// Why one of the two cannot be written.
    pub(super) broken: Option<io::Error>,
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

impl Printer {
    fn note(&mut self, result: io::Result<()>) {
        if let Err(cause) = result {
            self.broken.get_or_insert(cause);
        }
    }

    fn write(&mut self, output: &Output<'_>) -> io::Result<()> {
        let value = output.value.unwrap_or_default();
        let Printer { output: to, labels, on_terminal, .. } = self;
        let before = match self.with_topic {
            true => Cow::Owned(format!("{}\t", labels.topic(output))),
            false => Cow::Borrowed(""),
        };
        to.write(&before, value, *on_terminal)
    }

    /// The name of the file that a record comes from, and the line's number.
    fn place(&self, record: &Record<'_>) -> (&str, Option<i64>) {
        let (partition, offset) = (i64::from(record.partition()), record.offset());
        let (place, line) = if self.whole { (offset, None) } else { (partition, Some(offset + 1)) };
        let name = usize::try_from(place).ok().and_then(|place| self.places.get(place));
        (name.map(String::as_str).unwrap_or_default(), line)
    }
}

impl Sink for Printer {
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
        let result = output::json_to_stderr(&letter);
        self.note(result);
    }

    fn flush(&mut self) {
        let result = self.output.flush();
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
