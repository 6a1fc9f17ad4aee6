//! Formats: what each finds in a record's value.
//!
//! A format is a file with an implementation of [`Format`], a name in
//! [`FormatName`](crate::config::FormatName) and a row in [`reader`].

use std::fmt;

use sandbar_operator::Error;
use sandbar_operator::schemas::Schemas;

use crate::config::{Config, FormatName};
use crate::csv::Csv;
use crate::fault::Fault;
use crate::found::Findings;
use crate::json::Json;
use crate::layout::Layout;
use crate::schemas::{self, BehindId, ByPlan};
use crate::text::Text;

/// Reads the values of records, one after the other.
pub(crate) trait Format: fmt::Debug {
    /// Puts what the value has at each place of the layout into `findings`, which still has
    /// those of the record before: begin with [`Findings::clear`], and say of each place that
    /// has nothing that it is absent. The value is as it came, of any bytes; it is not empty.
    ///
    /// # Errors
    /// If the value cannot be read at all, or not at a place that is wanted;
    /// [`Fault::NoColumn`] where it has nothing that is wanted.
    fn read(&mut self, value: &[u8], findings: &mut Findings) -> Result<(), Fault>;

    /// The part of a value that is then read, of a format whose records name their schema: in
    /// front of it, or in the header [`VALUE_HEADER`](record_schemas::wire::VALUE_HEADER).
    ///
    /// # Errors
    /// If it does not name one, or the schema cannot be had.
    fn open<'a>(&mut self, value: &'a [u8], _header: Option<&[u8]>) -> Result<&'a [u8], Fault> {
        Ok(value)
    }
}

/// Whether records of a format name their schema; such a record may have no bytes of its own.
pub(crate) fn names_schema(format: FormatName) -> bool {
    matches!(format, FormatName::Avro | FormatName::Protobuf | FormatName::JsonSchema)
}

/// What reads values of the format that the configuration names.
///
/// # Errors
/// If the layout is none that the format can give.
pub(crate) fn reader(
    config: &Config,
    layout: &Layout,
    schemas: Schemas,
) -> Result<Box<dyn Format>, Error> {
    schemas::check(config)?;
    Ok(match config.format {
        FormatName::Auto => Box::new(Auto {
            json: Json::new(config, layout)?,
            csv: Csv::new(config, layout)?.map_err(Fault::NoFields),
        }),
        FormatName::Csv => Box::new(Csv::new(config, layout)??),
        FormatName::Json => Box::new(Json::new(config, layout)?),
        FormatName::Text => Box::new(Text::new(layout)?),
        FormatName::Avro | FormatName::Protobuf => Box::new(ByPlan::new(config, layout, schemas)),
        FormatName::JsonSchema => Box::new(BehindId(Json::new(config, layout)?)),
    })
}

/// JSON or CSV, each record for itself.
#[derive(Debug)]
struct Auto {
    json: Json,
    /// Or why there is none.
    csv: Result<Csv, Fault>,
}

impl Format for Auto {
    fn read(&mut self, value: &[u8], findings: &mut Findings) -> Result<(), Fault> {
        let text = sandbar_operator::text::bytes(value)?;
        match (text.trim_ascii_start().first(), &mut self.csv) {
            (None, _) => Err(Fault::Empty),
            (Some(b'{' | b'['), _) => self.json.object(value, text, findings),
            (_, Ok(csv)) => csv.line(value, text, findings),
            (_, Err(fault)) => Err(fault.clone()),
        }
    }
}
