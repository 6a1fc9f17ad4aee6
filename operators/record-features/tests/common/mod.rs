//! What the tests share.
#![allow(dead_code, reason = "each test program uses a part of it")]

use record_features::RecordFeatures;
use sandbar_operator::testing::{Cell, ExtractorStage, Records, Stage};
use sandbar_operator::{Failure, FailureCode};
use serde_json::Value;

/// A stage with this configuration and no model.
pub fn stage(config: Value) -> ExtractorStage<RecordFeatures> {
    Stage::new().config(config).extractor().expect("a valid configuration")
}

/// Why a configuration is refused.
pub fn refusal(stage: &Stage) -> String {
    match stage.extractor::<RecordFeatures>() {
        Ok(_) => panic!("the configuration is accepted"),
        Err(error) => error.message().to_owned(),
    }
}

/// What one value gives.
pub fn read(
    stage: &mut ExtractorStage<RecordFeatures>,
    value: &[u8],
) -> Result<Vec<Cell>, Failure> {
    stage.extract(&Records::of_values([value])).rows().remove(0)
}

/// The code and message of a value that fails.
pub fn fails(stage: &mut ExtractorStage<RecordFeatures>, value: &[u8]) -> (FailureCode, String) {
    match read(stage, value) {
        Err(Failure { code, message }) => (code, message.into_owned()),
        Ok(row) => panic!("{} gives {row:?}", value.escape_ascii()),
    }
}

/// Asserts that a value fails with this code, and a message with these words.
#[track_caller]
pub fn expect(
    stage: &mut ExtractorStage<RecordFeatures>,
    value: &[u8],
    code: FailureCode,
    words: &str,
) {
    let (found, message) = fails(stage, value);
    let shown = value[..value.len().min(80)].escape_ascii();
    assert_eq!(found, code, "{shown}: {message}");
    assert!(message.contains(words), "{shown}: {message}");
    assert!(message.len() < 400, "{message}");
}

/// Bytes of elements.
pub fn floats(numbers: &[f32]) -> Cell {
    Cell::Tensor(numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
}
