//! Writes what records have at places, as text: for tests of what the runner offers to those who
//! read records by their schemas.

use record_schemas::wire::VALUE_HEADER;
use record_schemas::{Format, Found, Place, Records, Value, Written};
use sandbar_operator::schemas::Key;
use sandbar_operator::{Emitter, Error, Failure, Record, Setup, Transformer};
use serde::Deserialize;

/// What is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// "avro" or "protobuf".
    format: String,
    /// Ways to places, with dots.
    places: Vec<String>,
    /// A file of `[schemas.files]` with which all records are written.
    file: Option<String>,
    /// The message of Protobuf that records are.
    message: Option<String>,
    /// A subject whose latest schema is that of the reader.
    reader: Option<String>,
    /// A subject that is asked for while the operator is configured.
    at_once: Option<String>,
}

/// The transformer.
pub struct Reading {
    records: Records,
    found: Found,
}

impl Transformer for Reading {
    type Config = Config;

    fn configure(config: Config, setup: &Setup) -> Result<Self, Error> {
        let schemas = setup.schemas();
        if let Some(subject) = config.at_once {
            schemas.get(&Key::Subject(subject, None)).map_err(|error| error.message)?;
        }
        let format = match config.format.as_str() {
            "avro" => Format::Avro,
            _ => Format::Protobuf,
        };
        let places = config.places.iter().map(|place| Place::at(place.split('.')));
        let written = config.file.map_or(Written::Named, |name| Written::With(Key::File(name)));
        let reader = config.reader.map(|subject| Key::Subject(subject, None));
        let records = Records::new(format, written, schemas, places.collect())
            .read_as(reader)
            .of_message(config.message);
        let found = records.found();
        Ok(Reading { records, found })
    }

    fn transform(&mut self, record: &Record<'_>, out: &mut Emitter<'_>) -> Result<(), Failure> {
        let value = record.value().ok_or_else(|| Failure::missing("the value is null"))?;
        let body = &value[self.records.open(value, record.header(VALUE_HEADER))?];
        self.records.read(body, &mut self.found)?;
        let text: Vec<String> =
            self.found.values.iter().map(|it| shown(&self.found, body, it)).collect();
        out.derive(record).value(text.join(" ").as_bytes()).send()
    }
}

fn shown(found: &Found, record: &[u8], value: &Value) -> String {
    match value {
        Value::Absent => "absent".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Text(_) | Value::Copied(_) => {
            format!("{:?}", found.text(record, value).unwrap_or_default())
        }
        Value::Decimal(_) => found.text(record, value).unwrap_or_default().to_owned(),
        Value::Array(_) | Value::Other(_) => "other".to_owned(),
        number => found.number(number).unwrap_or(f64::NAN).to_string(),
    }
}

sandbar_operator::transformer!(Reading);
