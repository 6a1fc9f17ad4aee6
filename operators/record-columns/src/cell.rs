//! What was found at a place, as the column that is read from it.

use std::ops::Range;

use sandbar_operator::{ElementType, text};

use crate::column::{Column, Origin};
use crate::config::{Absent, Booleans, Kind, Part, Scalar};
use crate::envelope::Envelope;
use crate::fault::{Fault, Problem};
use crate::found::{At, Findings, Found};

/// What a column has for one record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Missing,
    Number(f64),
    Text(&'a str),
    /// The text of a whole number.
    Whole(i64),
}

/// What a record's value is, and what was found in it.
#[derive(Clone, Copy)]
pub(crate) struct Content<'a> {
    pub(crate) value: &'a [u8],
    pub(crate) findings: &'a Findings,
    pub(crate) booleans: Booleans,
}

impl<'a> Content<'a> {
    /// What is at a place.
    #[inline]
    pub(crate) fn at(&self, place: usize) -> At<'a> {
        self.findings.at(self.value, place)
    }

    /// What a column has.
    #[inline(never)]
    pub(crate) fn cell(
        &self,
        column: &'a Column,
        envelope: &'a impl Envelope,
    ) -> Result<Cell<'a>, Fault> {
        let whole = |number: i64| match column.kind {
            _ if column.missing.number(number as f64) => Cell::Missing,
            Kind::Number => Cell::Number(number as f64),
            Kind::Text => Cell::Whole(number),
        };
        let cell = match &column.origin {
            Origin::Value(place) => self.found(column, self.at(*place))?,
            Origin::Constant(constant) => constant.into(),
            Origin::Header(name) => match envelope.header(name) {
                Some(Some(value)) => characters(column, value, 0..value.len())?,
                Some(None) => Cell::Missing,
                None => self.found(column, At::Other(Found::Absent))?,
            },
            Origin::Record(Part::Key) => match envelope.key() {
                Some(key) => characters(column, key, 0..key.len())?,
                None => Cell::Missing,
            },
            Origin::Record(Part::Topic) => {
                let topic = envelope.topic().as_bytes();
                characters(column, topic, 0..topic.len())?
            }
            Origin::Record(Part::Partition) => whole(envelope.partition().into()),
            Origin::Record(Part::Offset) => whole(envelope.offset()),
            Origin::Record(Part::Timestamp) => envelope.timestamp().map_or(Cell::Missing, whole),
        };
        match (cell, &column.default) {
            (Cell::Missing, Some(default)) => Ok(default.into()),
            (cell, _) => Ok(cell),
        }
    }

    /// What a column has by what is at its place.
    fn found(&self, column: &Column, at: At<'a>) -> Result<Cell<'a>, Fault> {
        let wrong = |found| value_fault(column, text::Fault::Type { found });
        let found = match at {
            At::Text(text, range) => return characters(column, text, range),
            At::Number(text, range) => {
                // 1.0 and 1e0 are one number but two texts; which one is meant is not known.
                let is_fraction = |byte: &u8| matches!(byte, b'.' | b'e' | b'E');
                if column.kind == Kind::Text && text[range.clone()].iter().any(is_fraction) {
                    return Err(wrong("a number that is not whole"));
                }
                return characters(column, text, range);
            }
            At::Float(number) => {
                return match column.kind {
                    Kind::Text => Err(wrong("a number that is not whole")),
                    Kind::Number if !number.is_finite() => Err(wrong("an infinite number")),
                    Kind::Number if column.missing.number(number) => Ok(Cell::Missing),
                    Kind::Number => Ok(Cell::Number(number)),
                };
            }
            At::Other(found) => found,
        };
        match found {
            Found::Null => Ok(Cell::Missing),
            Found::Absent => match (column.absent, &column.default) {
                (Absent::Missing, _) | (_, Some(_)) => Ok(Cell::Missing),
                (Absent::Fail, None) => Err(fault(column, Problem::Absent)),
            },
            Found::Bool(value) => match (self.booleans, column.kind) {
                (Booleans::Fail, _) => Err(wrong("a boolean")),
                (Booleans::Convert, Kind::Number) => Ok(Cell::Number(f64::from(u8::from(value)))),
                (Booleans::Convert, Kind::Text) => {
                    Ok(Cell::Text(if value { "true" } else { "false" }))
                }
            },
            other => Err(wrong(other.kind())),
        }
    }

    /// Appends a column as an element of a tensor.
    pub(crate) fn element(
        &self,
        column: &'a Column,
        envelope: &'a impl Envelope,
        element: ElementType,
        to: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let cell = self.cell(column, envelope)?;
        let exact = match column.origin {
            Origin::Value(place) => exact(&self.at(place)),
            _ => None,
        };
        cell.element(exact, element, to).map_err(|problem| fault(column, problem))
    }

    /// Appends what was found as an element of a tensor.
    pub(crate) fn found_element(
        &self,
        found: Found,
        element: ElementType,
        to: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        let at = self.findings.resolve(self.value, found);
        if let At::Float(number) = at {
            return append(number, None, element, to);
        }
        let (At::Text(text, range) | At::Number(text, range)) = &at else {
            return Err(Problem::Missing);
        };
        let bytes = &text[range.clone()];
        if bytes.trim_ascii().is_empty() {
            return Err(Problem::Missing);
        }
        let number = text::number(bytes).map_err(Problem::Value)?;
        append(number, exact(&at), element, to)
    }
}

impl Cell<'_> {
    /// Appends it as an element of a tensor; of a whole number with `exact` digits.
    pub(crate) fn element(
        self,
        exact: Option<i64>,
        element: ElementType,
        to: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        match self {
            Cell::Number(number) => append(number, exact, element, to),
            Cell::Missing => Err(Problem::Missing),
            Cell::Text(_) | Cell::Whole(_) => {
                Err(Problem::Value(text::Fault::Type { found: "a text" }))
            }
        }
    }
}

/// What a column has by characters.
fn characters<'a>(column: &Column, text: &'a [u8], range: Range<usize>) -> Result<Cell<'a>, Fault> {
    let bytes = &text[range.clone()];
    let missing = &column.missing;
    if missing.text(bytes) || column.kind == Kind::Number && missing.text(bytes.trim_ascii()) {
        return Ok(Cell::Missing);
    }
    let cell = match column.kind {
        Kind::Text => text::string_in(text, range).map(Cell::Text),
        Kind::Number => text::number(bytes).map(Cell::Number),
    };
    match cell {
        Ok(Cell::Number(number)) if missing.number(number) => Ok(Cell::Missing),
        Ok(cell) => Ok(cell),
        Err(fault) => Err(value_fault(column, fault)),
    }
}

/// A whole number, with all its digits.
fn exact(at: &At<'_>) -> Option<i64> {
    let (At::Text(text, range) | At::Number(text, range)) = at else { return None };
    str::from_utf8(&text[range.clone()]).ok()?.trim_ascii().parse().ok()
}

/// Appends a number as an element: the nearest of floats, and of whole numbers itself.
fn append(
    number: f64,
    exact: Option<i64>,
    element: ElementType,
    to: &mut Vec<u8>,
) -> Result<(), Problem> {
    /// Up to here each whole number is one of 64 bits of floating point.
    const EXACT: f64 = (1u64 << 53) as f64;
    let wrong = || Problem::Element {
        value: exact.map_or_else(|| number.to_string(), |exact| exact.to_string()),
        element: element.name(),
    };
    let is_whole = number.trunc() == number && number.abs() <= EXACT;
    let whole = exact.or_else(|| is_whole.then_some(number as i64));
    match element {
        ElementType::Fp64 => to.extend(number.to_le_bytes()),
        ElementType::Fp32 if (number as f32).is_finite() => {
            to.extend((number as f32).to_le_bytes())
        }
        ElementType::U8 => {
            let whole = whole.and_then(|it| u8::try_from(it).ok()).ok_or_else(wrong)?;
            to.push(whole);
        }
        ElementType::I32 => {
            let whole = whole.and_then(|it| i32::try_from(it).ok()).ok_or_else(wrong)?;
            to.extend(whole.to_le_bytes());
        }
        ElementType::I64 => to.extend(whole.ok_or_else(wrong)?.to_le_bytes()),
        ElementType::Fp32 | ElementType::Fp16 | ElementType::Bf16 => return Err(wrong()),
    }
    Ok(())
}

impl<'a> From<&'a Scalar> for Cell<'a> {
    fn from(value: &'a Scalar) -> Cell<'a> {
        match value {
            Scalar::Number(number) => Cell::Number(*number),
            Scalar::Text(text) => Cell::Text(text),
        }
    }
}

#[cold]
fn fault(column: &Column, problem: Problem) -> Fault {
    Fault::Column { name: column.name.clone(), problem }
}

#[cold]
fn value_fault(column: &Column, problem: text::Fault) -> Fault {
    fault(column, Problem::Value(problem))
}
