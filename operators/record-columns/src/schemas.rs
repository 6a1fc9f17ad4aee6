//! Formats whose records are read by a schema of the pipeline.

use record_schemas::{Format as Language, Found as Parts, Place, Records, Value, Written, wire};
use sandbar_operator::schemas::{Key, Schemas};
use sandbar_operator::{Error, Failure};

use crate::config::{Config, FormatName, SchemaName};
use crate::fault::Fault;
use crate::format::Format;
use crate::found::{Findings, Found, Span};
use crate::json::Json;
use crate::layout;

/// Refuses keys of other formats.
///
/// # Errors
/// If the configuration has one.
pub(crate) fn check(config: &Config) -> Result<(), Error> {
    let (avro, protobuf) =
        (config.format == FormatName::Avro, config.format == FormatName::Protobuf);
    for (key, given, known, formats) in [
        ("schema", config.schema.is_some(), avro || protobuf, "\"avro\" or \"protobuf\""),
        ("read_as", config.read_as.is_some(), avro, "\"avro\""),
        ("message", config.message.is_some(), protobuf, "\"protobuf\""),
    ] {
        if given && !known {
            return Err(format!("`{key}`: only for `format` {formats}: leave it out").into());
        }
    }
    Ok(())
}

/// Reads Avro and Protobuf.
#[derive(Debug)]
pub(crate) struct ByPlan {
    records: Records,
    parts: Parts,
}

impl ByPlan {
    pub(crate) fn new(config: &Config, wanted: &[layout::Place], schemas: Schemas) -> ByPlan {
        let language = match config.format {
            FormatName::Protobuf => Language::Protobuf,
            _ => Language::Avro,
        };
        let place = |place: &layout::Place| Place {
            steps: place.steps.clone(),
            array: place.array.clone(),
        };
        let written = config.schema.as_ref().map_or(Written::Named, |it| Written::With(key(it)));
        let records = Records::new(language, written, schemas, wanted.iter().map(place).collect())
            .read_as(config.read_as.as_ref().map(key))
            .of_message(config.message.clone());
        ByPlan { parts: records.found(), records }
    }
}

fn key(name: &SchemaName) -> Key {
    match name {
        SchemaName::Subject(subject) => Key::Subject(subject.clone(), None),
        SchemaName::File(name) => Key::File(name.clone()),
    }
}

impl Format for ByPlan {
    fn open<'a>(&mut self, value: &'a [u8], header: Option<&[u8]>) -> Result<&'a [u8], Fault> {
        let body = self.records.open(value, header).map_err(fault)?;
        Ok(value.get(body).unwrap_or_default())
    }

    fn read(&mut self, value: &[u8], findings: &mut Findings) -> Result<(), Fault> {
        self.records.read(value, &mut self.parts).map_err(fault)?;
        findings.clear();
        let mut any = false;
        for place in 0..findings.places.len() {
            let found = match &self.parts.values[place] {
                Value::Array(array) => {
                    let first = findings.elements.len();
                    for value in &self.parts.arrays[*array] {
                        let found = found(&self.parts, value, findings);
                        findings.elements.push(found);
                    }
                    Found::Array(first as u32, findings.elements.len() as u32)
                }
                value => found(&self.parts, value, findings),
            };
            any |= found != Found::Absent;
            findings.places[place] = found;
        }
        if any { Ok(()) } else { Err(Fault::NoColumn) }
    }
}

/// A value as the columns are made of it.
fn found(parts: &Parts, value: &Value, findings: &mut Findings) -> Found {
    match value {
        Value::Absent => Found::Absent,
        Value::Null => Found::Null,
        Value::Boolean(value) => Found::Bool(*value),
        Value::Integer(number) => {
            Found::Number(digits(*number < 0, number.unsigned_abs(), findings))
        }
        Value::Unsigned(number) => Found::Number(digits(false, *number, findings)),
        // What is no number says that there is none.
        Value::Float(number) if number.is_nan() => Found::Null,
        Value::Float(number) => findings.float(*number),
        Value::Text(range) => Found::Text(Span::of_value(range.clone())),
        Value::Copied(range) => Found::Text(
            findings.copy(parts.copied.get(range.clone()).unwrap_or_default().as_bytes()),
        ),
        Value::Decimal(range) => {
            let text = parts.copied.get(range.clone()).unwrap_or_default();
            Found::Number(findings.copy(text.as_bytes()))
        }
        Value::Array(_) => Found::List,
        Value::Other("a record" | "a map" | "a message") => Found::Object,
        Value::Other(what) if what.starts_with("an array") => Found::List,
        Value::Other(_) => Found::Bytes,
    }
}

/// A whole number written out.
fn digits(negative: bool, mut number: u64, findings: &mut Findings) -> Span {
    let mut text = [0; 20];
    let mut start = text.len();
    loop {
        start -= 1;
        text[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if negative {
        // 2^63 has 19 digits.
        start -= 1;
        text[start] = b'-';
    }
    findings.copy(&text[start..])
}

fn fault(failure: Failure) -> Fault {
    Fault::Schema { code: failure.code, problem: failure.message.into_owned() }
}

/// Reads JSON behind the id of its schema.
#[derive(Debug)]
pub(crate) struct BehindId(pub(crate) Json);

impl Format for BehindId {
    fn open<'a>(&mut self, value: &'a [u8], header: Option<&[u8]>) -> Result<&'a [u8], Fault> {
        let envelope = wire::open(value, header, false)
            .map_err(|problem| fault(Failure::malformed(problem.to_string())))?;
        match value.get(envelope.body).unwrap_or_default() {
            [] => Err(Fault::Empty),
            body => Ok(body),
        }
    }

    fn read(&mut self, value: &[u8], findings: &mut Findings) -> Result<(), Fault> {
        self.0.read(value, findings)
    }
}
