//! What the tests share.
#![allow(dead_code, reason = "each test program uses a part of it")]

use record_filter::RecordFilter;
use sandbar_operator::testing::{Records, Stage, TestRecord, TransformerStage};
use serde_json::Value;

/// A stage with this configuration.
pub fn stage(config: Value) -> TransformerStage<RecordFilter> {
    Stage::new().config(config).transformer().expect("a valid configuration")
}

/// Why a configuration is refused.
pub fn refusal(config: Value) -> String {
    match Stage::new().config(config).transformer::<RecordFilter>() {
        Ok(_) => panic!("the configuration is accepted"),
        Err(error) => error.message().to_owned(),
    }
}

/// A record with this value.
pub fn record(value: impl AsRef<[u8]>) -> TestRecord {
    TestRecord { value: Some(value.as_ref().to_vec()), ..TestRecord::default() }
}

/// What becomes of one record: `keep`, `drop`, or its failure in words.
pub fn becomes(stage: &mut TransformerStage<RecordFilter>, record: TestRecord) -> String {
    let out = stage.transform(&Records::default().record(record.clone()));
    match (out.records.as_slice(), out.failures.as_slice()) {
        ([], []) => "drop".to_owned(),
        ([kept], []) => {
            assert_eq!((kept.origin, &kept.topic), (0, &None));
            assert_eq!(kept.record, record, "a record goes on as it is");
            "keep".to_owned()
        }
        ([], [(0, failure)]) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}
