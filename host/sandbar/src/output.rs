//! Standard output and standard error: the only place that writes to them, besides the log.
//!
//! **A reader that goes away** (`sandbar status | head -1`) is no error: what is printed from
//! then on is dropped, quietly, and the verb does the rest of its work, which decides its exit
//! status. Verbs that only print look at [`is_closed`], and end early. A write that fails for
//! another reason, such as a full disk, is an error when the verb ends: [`finish`].
//!
//! **What comes from elsewhere** is shown so that a terminal does nothing with it
//! ([`sandbar_telemetry::visible`]): a line that is printed here is one line on the terminal,
//! whatever names and messages are in it. Only [`raw`] and [`Records`] write what they are given.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, StdoutLock, Write};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use sandbar_telemetry::visible;
use serde::Serialize;

/// Why standard output could not be written for the first time.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a line, whose parts are given as to `println!`, to standard output.
macro_rules! say {
    () => { $crate::output::line("") };
    ($($parts:tt)*) => { $crate::output::line(format_args!($($parts)*)) };
}
/// Prints a text for a person, whose parts are given as to `eprintln!`, to standard error.
macro_rules! complain {
    ($($parts:tt)*) => { $crate::output::complaint(format_args!($($parts)*)) };
}
pub(crate) use {complain, say};

/// Prints one line to standard output.
pub(crate) fn line(text: impl Display) {
    put(&format!("{}\n", visible::line(&text.to_string())));
}

/// Prints lines to standard output.
pub(crate) fn lines<T: Display>(all: impl IntoIterator<Item = T>) {
    all.into_iter().for_each(line);
}

/// Prints a text of several lines to standard output: one of ours, in which what is from
/// elsewhere has no line ends.
pub(crate) fn text(text: impl Display) {
    put(&visible::lines(&text.to_string()));
}

/// Prints a file of ours, such as a manifest: as it is, or as lines that a terminal shows.
pub(crate) fn document(text: &str) {
    put(&if is_terminal() { visible::lines(text) } else { text.into() });
}

/// Prints a line with colours of ours; what is from elsewhere in it is
/// [visible](sandbar_telemetry::visible) already.
pub(crate) fn coloured(text: impl Display) {
    put(&format!("{text}\n"));
}

/// Prints a value as JSON to standard output, on lines that a person can read.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    put(&format!("{}\n", visible::json(&serde_json::to_string_pretty(value)?)));
    Ok(())
}

/// Prints JSON to standard output, on one line.
pub(crate) fn value(value: &serde_json::Value) {
    put(&format!("{}\n", visible::json(&value.to_string())));
}

/// Prints a text for a person to standard error, and a line end. Nobody could be told that it
/// cannot be written.
pub(crate) fn complaint(text: impl Display) {
    let text = text.to_string();
    let _ = io::stderr().lock().write_all(format!("{}\n", visible::lines(&text)).as_bytes());
}

/// Writes bytes to standard output as they are.
pub(crate) fn raw(bytes: &[u8]) {
    if !is_closed() {
        note(io::stdout().lock().write_all(bytes));
    }
}

/// Standard output for many records.
pub(crate) fn records() -> Records {
    Records(BufWriter::new(io::stdout().lock()))
}

/// Values of records, one a line. On a terminal they are text that a person can read; for any
/// other reader they are the bytes that they are.
pub(crate) struct Records(BufWriter<StdoutLock<'static>>);

impl Records {
    /// Writes a value after `before`, with a line end.
    pub(crate) fn write(
        &mut self,
        before: &str,
        value: &[u8],
        on_terminal: bool,
    ) -> io::Result<()> {
        if on_terminal {
            let value = String::from_utf8_lossy(value);
            return writeln!(self.0, "{before}{}", visible::line(&value));
        }
        self.0.write_all(before.as_bytes())?;
        self.0.write_all(value)?;
        self.0.write_all(b"\n")
    }

    /// Writes what is kept.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Standard error for a line of JSON.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn json_to_stderr(value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(value)?;
    io::stderr().lock().write_all(format!("{}\n", visible::json(&text)).as_bytes())
}

/// Whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether nothing that is printed arrives any more.
pub(crate) fn is_closed() -> bool {
    FAILED.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

/// Notes whether standard output could be written.
pub(crate) fn note(result: io::Result<()>) {
    if let Err(cause) = result {
        FAILED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cause);
    }
}

/// The end of what is printed.
///
/// # Errors
/// If something could not be printed, unless its reader has gone away.
pub fn finish() -> anyhow::Result<()> {
    note(io::stdout().flush());
    match FAILED.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(cause) if cause.kind() != ErrorKind::BrokenPipe => {
            Err(cause).context("standard output cannot be written, what was printed is incomplete")
        }
        _ => Ok(()),
    }
}

fn put(text: &str) {
    raw(text.as_bytes());
}
