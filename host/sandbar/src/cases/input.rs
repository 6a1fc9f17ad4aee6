//! The inputs of an operator or a pipeline in a case.

use std::path::Path;

use sandbar_manifest::cases::syntax::{FeatureSpec, FeatureType, RecordSpec, Test};
use sandbar_manifest::cases::values::{Cell, CellTable, HeaderValues, from_base64};
use sandbar_pipeline::operator_harness::Value;
use sandbar_record::Input;
use sandbar_sandbox::{Field, FieldType, TensorShape};

/// Characters of a value that a report shows.
const SHOWN: usize = 80;

/// The records of a case. Paths are relative to `base`.
///
/// # Errors
/// If a file cannot be read.
pub(super) fn records(test: &Test, base: &Path) -> Result<Vec<Input>, String> {
    let Some(lines) = &test.lines else {
        return test.records.iter().map(|record| input(record, base)).collect();
    };
    let mut text = read(&base.join(lines))?;
    if text.last() == Some(&b'\n') {
        text.pop();
    }
    let line = |line: &[u8]| Input::value(line.strip_suffix(b"\r").unwrap_or(line));
    Ok(text.split(|byte| *byte == b'\n').map(line).collect())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    sandbar_files::read(path, sandbar_files::limits::CASES)
        .map_err(|cause| format!("{}: {cause}", path.display()))
}

/// A record of a case, as it goes in.
fn input(record: &RecordSpec, base: &Path) -> Result<Input, String> {
    let value = if let Some(json) = &record.json {
        Some(json.to_string().into_bytes())
    } else if let Some(file) = &record.file {
        Some(read(&base.join(file))?)
    } else if let Some(text) = &record.base64 {
        Some(from_base64(text)?)
    } else {
        record.value.as_ref().and_then(|value| value.0.clone())
    };
    let each = |(name, values): (&String, &HeaderValues)| {
        let name = name.clone();
        values.0.clone().into_iter().map(move |value| (name.clone(), value.0))
    };
    Ok(Input {
        topic: record.topic.clone(),
        partition: record.partition,
        key: record.key.as_ref().and_then(|key| key.0.clone()),
        value,
        headers: record.headers.iter().flat_map(each).collect(),
        timestamp: record.timestamp,
    })
}

/// The beginning of a record's value, for a person.
pub(super) fn shown(input: &Input) -> String {
    let Some(value) = &input.value else { return "a tombstone".to_owned() };
    match std::str::from_utf8(value) {
        Ok(text) => match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{:?}…", &text[..end]),
            None => format!("{text:?}"),
        },
        Err(_) => format!("{} bytes", value.len()),
    }
}

/// A feature, as an extractor declares it.
fn field(feature: &FeatureSpec) -> Field {
    let ty = match (feature.element(), feature.ty) {
        (Some(element), _) => FieldType::Tensor(TensorShape {
            element: element.into(),
            dimensions: feature.shape.clone().unwrap_or_default(),
        }),
        (None, FeatureType::Text) => FieldType::Text,
        (None, _) => FieldType::Number,
    };
    Field { name: feature.name.clone(), ty }
}

/// The value of a row; missing if the row has none.
fn value(feature: &FeatureSpec, cell: Option<&Cell>, base: &Path) -> Result<Value, String> {
    let Some(element) = feature.element() else {
        return Ok(match (feature.ty, cell) {
            (_, Some(Cell::Number(number))) => Value::Number(*number),
            (_, Some(Cell::Text(text))) => Value::Text(text.clone()),
            (FeatureType::Text, _) => Value::Text(String::new()),
            _ => Value::Number(f64::NAN),
        });
    };
    let mut bytes = Vec::new();
    match cell {
        Some(Cell::Elements(elements)) => {
            elements.iter().for_each(|number| element.encode(*number, &mut bytes));
        }
        Some(Cell::Other(CellTable { file: Some(file), .. })) => bytes = read(&base.join(file))?,
        Some(Cell::Other(CellTable { fill: Some(number), .. })) => {
            element.encode(*number, &mut bytes);
            bytes = bytes.repeat(feature.elements().unwrap_or_default());
        }
        _ => {
            return Err(format!(
                "the tensor '{}' has no value; a tensor cannot be missing",
                feature.name
            ));
        }
    }
    Ok(Value::Tensor(bytes))
}

/// The features that a case declares.
pub(super) fn fields(test: &Test) -> Vec<Field> {
    test.features.iter().map(field).collect()
}

/// The rows of a case. Paths are relative to `base`.
///
/// # Errors
/// If a file cannot be read, or a tensor has no value.
pub(super) fn rows(test: &Test, base: &Path) -> Result<Vec<Vec<Value>>, String> {
    let row = |row: &indexmap::IndexMap<String, Cell>| {
        let cell = |feature: &FeatureSpec| value(feature, row.get(&feature.name), base);
        test.features.iter().map(cell).collect()
    };
    test.rows.iter().map(row).collect()
}
