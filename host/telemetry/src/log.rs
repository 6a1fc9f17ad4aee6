//! Where log lines go, and in what form.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use tracing::field::{Field, Visit};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

use crate::visible;

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For a person.
    Text,
    /// A JSON object a line.
    Json,
}

/// Sends log lines to standard error. `filter` is in the form of `RUST_LOG`:
/// `info`, or `info,sandbar=debug`.
///
/// An event is one line, whatever its fields hold: what an operator prints, or what stands in a
/// record, cannot look like a line of its own.
///
/// # Errors
/// If the filter is not valid.
pub fn init(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        anyhow::anyhow!("--log '{filter}': {error}; try 'info' or 'sandbar=debug'")
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // It would say with `eprintln!` that standard error cannot be written.
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal());
    match format {
        LogFormat::Text => {
            builder.with_target(false).fmt_fields(VisibleFields).with_writer(io::stderr).init()
        }
        LogFormat::Json => {
            builder.json().flatten_event(true).with_writer(|| VisibleJson(io::stderr())).init();
        }
    }
    Ok(())
}

/// Fields as `message name=value`, as visible text.
struct VisibleFields;

impl<'w> FormatFields<'w> for VisibleFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut visitor = FieldWriter { writer, between: "", result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct FieldWriter<'w> {
    writer: Writer<'w>,
    between: &'static str,
    result: fmt::Result,
}

impl Visit for FieldWriter<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.result.is_err() {
            return;
        }
        let name = match field.name() {
            "message" => "",
            // Those say where an event of the crate `log` comes from.
            name if name.starts_with("log.") => return,
            name => name.trim_start_matches("r#"),
        };
        let equals = if name.is_empty() { "" } else { "=" };
        let value = format!("{value:?}");
        let value = visible::line(&value);
        self.result = write!(self.writer, "{}{name}{equals}{value}", self.between);
        self.between = " ";
    }
}

/// Standard error for events as JSON, each of which is written at once.
struct VisibleJson(io::Stderr);

impl Write for VisibleJson {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        self.0.write_all(visible::json(&text).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
