//! Validates what an operator returned before anything else reads it. A component may be
//! wrong or hostile: whatever it says about lengths, ends and indices is checked
//! here, once, so that later code can rely on it.

use super::bindings::extraction::Extracted;
use super::bindings::scoring::Scored;
use super::bindings::transformation::Transformed;
use super::bindings::types::{
    ColumnResult as Column, Failure, FieldResult as Field, FieldTypeResult as FieldType,
    TensorShapeResult as TensorShape,
};
use crate::OutputSchema;
use sandbar_model::ElementType;
use sandbar_record::Headers;

/// A description of a contract violation.
pub type Violation = String;

/// The maximum number of columns of a table, and of names of an output.
const WIDTH_LIMIT: usize = 1 << 16;
/// Bytes of one of these names, and of all together: they are in every prediction's JSON.
const NAME_LIMIT: usize = 256;
const NAMES_LIMIT: usize = 1 << 20;
/// Dimensions of a tensor, one of a column's rows included.
pub(crate) const DIMENSIONS: usize = 16;

/// Features that an extractor declares: at least one, with distinct names.
pub fn fields(fields: &[Field]) -> Result<(), Violation> {
    names("feature", fields.iter().map(|field| field.name.as_str()))?;
    for field in fields {
        if let FieldType::Tensor(shape) = &field.ty {
            let dimensions = shape.dimensions.len();
            if dimensions > DIMENSIONS {
                return Err(format!(
                    "the tensor '{}' has {dimensions} dimensions; at most {DIMENSIONS} are accepted",
                    field.name
                ));
            }
            row_bytes(shape).ok_or_else(|| format!("the tensor '{}' is too large", field.name))?;
        }
    }
    Ok(())
}

/// Classes or values that a scorer declares: at least one, with distinct names.
pub fn output(output: &OutputSchema) -> Result<(), Violation> {
    match output {
        OutputSchema::Classes(classes) => names("class", classes.iter().map(String::as_str)),
        OutputSchema::Values(values) => names("value", values.iter().map(String::as_str)),
    }
}

fn names<'a>(what: &str, all: impl Iterator<Item = &'a str>) -> Result<(), Violation> {
    let mut seen = std::collections::HashSet::new();
    let mut total = 0usize;
    for name in all {
        total += name.len();
        if name.len() > NAME_LIMIT {
            let start = &name[..name.floor_char_boundary(32)];
            return Err(format!(
                "the name of {what} '{start}…' has {} bytes; at most {NAME_LIMIT} are accepted",
                name.len()
            ));
        }
        if total > NAMES_LIMIT {
            return Err(format!("the names of {what} have more than {NAMES_LIMIT} bytes together"));
        }
        if !seen.insert(name) {
            return Err(format!("the {what} '{name}' is declared twice"));
        }
    }
    match seen.len() {
        0 => Err(format!("no {what} is declared")),
        count if count > WIDTH_LIMIT => {
            Err(format!("expected at most {WIDTH_LIMIT} of {what}, got {count}"))
        }
        _ => Ok(()),
    }
}

/// A table for a batch of `records`.
pub fn extracted(records: usize, fields: &[Field], it: &Extracted) -> Result<(), Violation> {
    failures(records, &it.failures)?;
    let rows = it.table.rows as usize;
    accounted(records, rows, it.failures.len())?;
    if it.table.columns.len() != fields.len() {
        let count = it.table.columns.len();
        return Err(format!("expected {} columns, got {count}", fields.len()));
    }
    for (field, column) in fields.iter().zip(&it.table.columns) {
        self::column(rows, field, column)
            .map_err(|what| format!("column '{}': {what}", field.name))?;
    }
    Ok(())
}

fn column(rows: usize, field: &Field, column: &Column) -> Result<(), Violation> {
    match (&field.ty, column) {
        (FieldType::Number, Column::Numbers(numbers)) => length("numbers", rows, numbers.len()),
        (FieldType::Text, Column::Text(text)) => {
            length("ends", rows, text.ends.len())?;
            ends(&text.ends, text.bytes.len())?;
            let utf8 = std::str::from_utf8(&text.bytes).map_err(|_| "not UTF-8")?;
            if text.ends.iter().any(|end| !utf8.is_char_boundary(*end as usize)) {
                return Err("a text ends inside a character".into());
            }
            Ok(())
        }
        (FieldType::Tensor(shape), Column::Tensor(data)) => {
            let expected = row_bytes(shape).and_then(|row| row.checked_mul(rows));
            length("bytes", expected.unwrap_or(usize::MAX), data.len())
        }
        _ => Err("not of the declared type".into()),
    }
}

/// Bytes of one row of a tensor column; `None` beyond the address space.
pub fn row_bytes(shape: &TensorShape) -> Option<usize> {
    let element = ElementType::from(shape.element).size();
    shape
        .dimensions
        .iter()
        .try_fold(element, |bytes: usize, dimension| bytes.checked_mul(*dimension as usize))
}

/// Predictions for a table of `rows`.
pub fn scored(rows: usize, output: &OutputSchema, it: &Scored) -> Result<(), Violation> {
    failures(rows, &it.failures)?;
    let predictions = rows - it.failures.len();
    let width = match output {
        OutputSchema::Classes(classes) => {
            length("labels", predictions, it.labels.len())?;
            if let Some(label) = it.labels.iter().find(|label| **label as usize >= classes.len()) {
                return Err(format!("label {label} is out of range: {} classes", classes.len()));
            }
            classes.len()
        }
        OutputSchema::Values(values) => {
            length("labels", 0, it.labels.len())?;
            values.len()
        }
    };
    length("values", predictions * width, it.values.len())
}

/// Records for a batch of `records`, each routed to at most one of `topics`.
pub fn transformed(records: usize, topics: usize, it: &Transformed) -> Result<(), Violation> {
    failures(records, &it.failures)?;
    let out = &it.records;
    let count = out.origins.len();
    length("routes", count, out.routes.len())?;
    length("timestamps", count, out.timestamps.len())?;
    length("nulls", count, out.nulls.len())?;
    length("ends", 3 * count, out.ends.len())?;
    ends(&out.ends, out.bytes.len())?;
    if !out.origins.is_sorted() {
        return Err("origins decrease".into());
    }
    if let Some(origin) = out.origins.last().filter(|origin| **origin as usize >= records) {
        return Err(format!("origin {origin} is out of range: {records} records"));
    }
    if let Some(route) = out.routes.iter().find(|route| **route as usize > topics) {
        return Err(format!("route {route} is out of range: {topics} topics granted"));
    }
    let failed =
        |origin: &&u32| it.failures.binary_search_by_key(*origin, |failure| failure.index).is_ok();
    if let Some(origin) = out.origins.iter().find(failed) {
        return Err(format!("record {origin} failed and emitted a record"));
    }
    let headers =
        |triple: &[u32]| Headers::validate(&out.bytes[triple[1] as usize..triple[2] as usize]);
    if !out.ends.chunks_exact(3).all(headers) {
        return Err("headers are not encoded as the contract requires".into());
    }
    Ok(())
}

/// Failures in order, at most one for each of `count`.
fn failures(count: usize, failures: &[Failure]) -> Result<(), Violation> {
    if !failures.is_sorted_by(|a, b| a.index < b.index) {
        return Err("failures are not in order of their index".into());
    }
    match failures.last() {
        Some(last) if last.index as usize >= count => {
            Err(format!("failure index {} is out of range: {count}", last.index))
        }
        _ => Ok(()),
    }
}

fn accounted(records: usize, rows: usize, failures: usize) -> Result<(), Violation> {
    if rows.checked_add(failures) == Some(records) {
        return Ok(());
    }
    Err(format!(
        "expected a row or failure for each of {records} records, got {rows} rows and {failures} failures"
    ))
}

fn length(what: &str, expected: usize, found: usize) -> Result<(), Violation> {
    if expected == found { Ok(()) } else { Err(format!("expected {expected} {what}, got {found}")) }
}

/// Ends that never decrease, the last of them at `bytes`.
fn ends(ends: &[u32], bytes: usize) -> Result<(), Violation> {
    if !ends.is_sorted() {
        return Err("ends decrease".into());
    }
    match ends.last().map_or(0, |end| *end as usize) {
        last if last == bytes => Ok(()),
        last => Err(format!("expected a last end of {bytes}, got {last}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever writes an operator reads there what is refused here.
    #[test]
    fn the_contract_says_what_is_refused() {
        let contract = include_str!("../../../wit/types.wit").replace("///", " ");
        let contract = contract.split_whitespace().collect::<Vec<_>>().join(" ");
        for said in [
            format!("At most {DIMENSIONS}. dimensions"),
            format!("Of at most {NAME_LIMIT} bytes; another for each feature."),
            format!("at most {WIDTH_LIMIT} features, whose names have at most {NAMES_LIMIT} bytes"),
            format!(
                "At most {WIDTH_LIMIT} different names of at most {NAME_LIMIT} bytes each, \
                 {NAMES_LIMIT}"
            ),
            format!("{} bytes of it are kept", sandbar_record::MESSAGE_LIMIT),
        ] {
            assert!(contract.contains(&said), "wit/types.wit does not say: {said}");
        }
    }
}
