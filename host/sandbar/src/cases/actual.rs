//! The actual results of a record, complete, in the form of expectations.

use indexmap::IndexMap;

use sandbar_manifest::cases::expectation::{Expectation, FailureSpec, OutputRecord, Prediction};
use sandbar_manifest::cases::values::{Bytes, Feature, HeaderValues, TensorValue};
use sandbar_model::ElementType;
use sandbar_pipeline::harness::Record;
use sandbar_pipeline::operator_harness::{Predicted, Value};
use sandbar_record::{Code, Failure};
use sandbar_sandbox::OutputSchema;
use sandbar_sandbox::{Field, FieldType};

/// A record of an extractor.
pub(super) fn extracted(fields: &[Field], row: Result<Vec<Value>, Failure>) -> Expectation {
    let values = match row {
        Ok(values) => values,
        Err(Failure { code, message, .. }) => return failure(failed(None, code, message)),
    };
    let feature = |(field, value): (&Field, Value)| {
        let feature = match (&field.ty, value) {
            (_, Value::Number(number)) => Feature::number(number),
            (_, Value::Text(text)) => Feature::text(&text),
            (FieldType::Tensor(shape), Value::Tensor(bytes)) => {
                let ty = shape.element.into();
                Feature::Tensor(TensorValue {
                    ty: Some(ty),
                    shape: Some(shape.dimensions.clone()),
                    values: Some(ElementType::decode(ty, &bytes)),
                    ..TensorValue::default()
                })
            }
            (_, Value::Tensor(_)) => Feature::Missing,
        };
        (field.name.clone(), feature)
    };
    let features = fields.iter().zip(values).map(feature).collect();
    Expectation { features: Some(features), ..Expectation::default() }
}

/// A row of a scorer.
pub(super) fn scored(output: &OutputSchema, row: Result<Predicted, Failure>) -> Expectation {
    let Predicted { label, values } = match row {
        Ok(predicted) => predicted,
        Err(Failure { code, message, .. }) => return failure(failed(None, code, message)),
    };
    let named = output.names().iter().cloned().zip(values).collect();
    let prediction = match output {
        OutputSchema::Classes(classes) => Prediction {
            label: label.and_then(|label| classes.get(label as usize).cloned()),
            probabilities: named,
            ..Prediction::default()
        },
        OutputSchema::Values(_) => Prediction { values: named, ..Prediction::default() },
    };
    Expectation { prediction: Some(prediction), ..Expectation::default() }
}

fn failure(failure: FailureSpec) -> Expectation {
    Expectation { failure: Some(failure), ..Expectation::default() }
}

/// A record that failed.
pub(super) fn failed(stage: Option<String>, code: Code, message: String) -> FailureSpec {
    FailureSpec { stage, code: Some(code), message: Some(message), contains: None }
}

/// An output record.
pub(super) fn written(record: Record) -> OutputRecord {
    let mut headers = IndexMap::new();
    for (name, value) in record.headers {
        let HeaderValues(values) = headers.entry(name).or_insert_with(|| HeaderValues(Vec::new()));
        values.push(Bytes(value));
    }
    OutputRecord {
        topic: Some(record.topic),
        key: Some(Bytes(record.key)),
        value: Some(Bytes(record.value)),
        headers,
        timestamp: record.timestamp,
        ..OutputRecord::default()
    }
}
