//! Any bytes as a record are kept, dropped or fail, whatever was read before; and what one
//! condition keeps its contrary drops.

use record_filter::RecordFilter;
use sandbar_operator::testing::{Records, Stage, TransformerStage};

/// How records are read, and a condition: with columns of each kind, paths and sentinels.
const CONFIGS: [(&str, &str); 4] = [
    (r#""columns": ["n", { "name": "t", "type": "text" }]"#, "n > 1 || t.contains('a')"),
    (
        r#""format": "csv", "fields": ["t", "x", "n"], "separator": ";", "missing": ["NA"],
           "columns": ["n", { "name": "t", "type": "text" }]"#,
        "n / 2 > double(t)",
    ),
    (
        r#""format": "json", "absent": "missing", "booleans": "convert",
           "columns": ["n", { "name": "a", "from": "a.b" }, { "name": "c", "from": "/a/c/1" }]"#,
        "has(n) ? n == a : int(c) % 2 == 0",
    ),
    (r#""format": "text", "columns": [{ "name": "t", "type": "text" }]"#, "size(t) > 3"),
];

/// What became of a record.
#[derive(Debug, PartialEq)]
enum Fate {
    Kept,
    Dropped,
    Failed(String),
}

fn fate(stage: &mut TransformerStage<RecordFilter>, record: &[u8]) -> Fate {
    let out = stage.transform(&Records::of_values([record]));
    match (out.records.as_slice(), out.failures.as_slice()) {
        ([], []) => Fate::Dropped,
        ([kept], []) => {
            assert_eq!(kept.record.value.as_deref(), Some(record));
            Fate::Kept
        }
        ([], [(0, failure)]) => {
            assert!(failure.message.len() < 1000);
            Fate::Failed(format!("{:?}", failure.code))
        }
        other => panic!("{other:?}"),
    }
}

/// Filters two records, which the last zero byte parts.
///
/// # Panics
/// Where a record has two fates, or the second changes that of the first.
pub fn any(bytes: &[u8]) {
    let middle = bytes.iter().rposition(|byte| *byte == 0).unwrap_or(bytes.len());
    let (first, second) = (&bytes[..middle], bytes.get(middle + 1..).unwrap_or_default());
    for (config, keep) in CONFIGS {
        let new = |keep: String| {
            let stage = Stage::new().config(format!("{{ \"keep\": {keep:?}, {config} }}"));
            stage.transformer::<RecordFilter>().expect("a valid configuration")
        };
        let mut filter = new(keep.to_owned());
        let alone = fate(&mut filter, first);
        let _ = fate(&mut filter, second);
        assert_eq!(fate(&mut filter, first), alone);
        let contrary = fate(&mut new(format!("!({keep})")), first);
        match alone {
            Fate::Kept => assert_eq!(contrary, Fate::Dropped),
            Fate::Dropped => assert_eq!(contrary, Fate::Kept),
            failed => assert_eq!(contrary, failed),
        }
    }
}
