//! Any bytes as a record of any layout give a row that the interface allows or a failure, and
//! a reader owes nothing to what it read before.

use record_features::RecordFeatures;
use sandbar_operator::Failure;
use sandbar_operator::testing::{Cell, ExtractorStage, Records, Stage};

/// Configurations with what one format or another has: paths, arrays, defaults, sentinels.
const CONFIGS: [&str; 6] = [
    r#"{ "columns": ["n", { "name": "t", "type": "text" }] }"#,
    r#"{ "format": "csv", "fields": ["t", "x", "n"], "separator": ";",
         "columns": ["n", { "name": "t", "type": "text", "missing": ["NA"] }] }"#,
    r#"{ "format": "json", "absent": "missing", "booleans": "convert", "unknown": "fail",
         "columns": ["n", { "name": "a", "from": "a.b" }, { "name": "c", "from": "/a/c/1" }] }"#,
    r#"{ "format": "text", "columns": [{ "name": "t", "type": "text" }] }"#,
    r#"{ "missing": ["-1", "?"], "columns": [{ "name": "n", "default": 7 }, "m"] }"#,
    r#"{ "format": "csv", "header": "data", "columns": ["n", "m", "o"], "max_bytes": 64 }"#,
];

/// A graph whose input is an array, or several columns of a line.
const GRAPH: &str = r#"{ "kind": "onnx",
    "inputs": [{ "name": "n", "type": "i64", "shape": ["N", 2, 2] }] }"#;

fn read(stage: &mut ExtractorStage<RecordFeatures>, record: &[u8]) -> Result<Vec<Cell>, Failure> {
    let row = stage.extract(&Records::of_values([record])).rows().remove(0);
    for cell in row.iter().flatten() {
        match cell {
            Cell::Number(number) => assert!(number.is_finite()),
            Cell::Text(text) => assert!(!text.is_empty()),
            Cell::Tensor(elements) => assert_eq!(elements.len(), 32),
            Cell::Missing => {}
        }
    }
    row
}

/// Reads two records, which the last zero byte parts.
///
/// # Panics
/// Where the interface is broken, or the second changes what is read of the first.
pub fn any(bytes: &[u8]) {
    let middle = bytes.iter().rposition(|byte| *byte == 0).unwrap_or(bytes.len());
    let (first, second) = (&bytes[..middle], bytes.get(middle + 1..).unwrap_or_default());
    let stages = CONFIGS.map(|config| Stage::new().config(config));
    for stage in stages.into_iter().chain([Stage::new().description("net", GRAPH)]) {
        let new = || stage.extractor::<RecordFeatures>().expect("a valid configuration");
        let mut reader = new();
        let alone = read(&mut reader, first);
        let _ = read(&mut reader, second);
        assert_eq!(read(&mut reader, first), alone);
        assert_eq!(read(&mut new(), first), alone);
        if let Err(failure) = alone {
            assert!(failure.message.len() < 1000);
        }
    }
}
