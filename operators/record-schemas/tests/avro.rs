//! Records that fastavro wrote, read as fastavro reads them; and records that nobody wrote.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use record_schemas::avro::{Plan, Schema};
use record_schemas::{Fault, Found, Place, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};

#[derive(Deserialize)]
struct Case {
    schema: Json,
    reader: Option<Json>,
    places: Vec<Vec<String>>,
    records: Vec<String>,
    expected: Vec<Json>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../testdata/avro.json")).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

fn schema(json: &Json) -> Schema {
    Schema::read(&json.to_string(), []).unwrap()
}

fn plan(case: &Case) -> Result<Plan, String> {
    let places: Vec<Place> = case.places.iter().map(Place::at).collect();
    Plan::new(&schema(&case.schema), case.reader.as_ref().map(schema).as_ref(), &places)
}

/// A value in the form that the file has it in.
fn shown(found: &Found, record: &[u8], value: &Value) -> Json {
    match value {
        Value::Absent => json!({"absent": true}),
        Value::Null => Json::Null,
        Value::Boolean(value) => json!(value),
        Value::Integer(number) => json!(number),
        Value::Float(number) => json!({"float": number.to_string()}),
        Value::Decimal(range) => json!({"decimal": found.copied[range.clone()]}),
        Value::Text(_) | Value::Copied(_) => json!(found.text(record, value).unwrap()),
        Value::Unsigned(_) | Value::Array(_) | Value::Other(_) => json!({"other": true}),
    }
}

fn same(found: &Json, expected: &Json) -> bool {
    let float = |json: &Json| json.get("float")?.as_str()?.parse::<f64>().ok();
    match (float(found), float(expected)) {
        (Some(found), Some(expected)) => found.to_bits() == expected.to_bits(),
        _ => found == expected,
    }
}

#[test]
fn records_have_what_fastavro_finds() {
    let mut values = 0;
    for case in cases() {
        let plan = plan(&case);
        let mut found = Found::default();
        for (record, expected) in case.records.iter().zip(&case.expected) {
            let record = bytes(record);
            let read = match &plan {
                Ok(plan) => plan.read(&record, &mut found).map_err(|fault| fault.to_string()),
                Err(problem) => Err(problem.clone()),
            };
            let about = format!("{} as {:?}", case.schema, case.reader);
            let Json::Array(expected) = expected else {
                assert!(read.is_err(), "{about}: read, but not by fastavro");
                continue;
            };
            assert_eq!(read, Ok(()), "{about}");
            for (index, expected) in expected.iter().enumerate() {
                let found = shown(&found, &record, &found.values[index]);
                assert!(
                    same(&found, expected),
                    "{about} at {:?}: expected {expected}, got {found}",
                    case.places[index]
                );
                values += 1;
            }
        }
    }
    assert!(values > 3_000, "{values}");
}

/// A record that ends too early or goes on is never one of the same schema.
#[test]
fn no_other_length_is_read() {
    for case in cases().iter().filter(|case| case.reader.is_none()) {
        let plan = plan(case).unwrap();
        let mut found = plan.found();
        for record in &case.records {
            let record = bytes(record);
            for end in 0..record.len() {
                assert!(plan.read(&record[..end], &mut found).is_err(), "{}", case.schema);
            }
            let longer = [&record[..], &[0]].concat();
            assert!(plan.read(&longer, &mut found).is_err(), "{}", case.schema);
        }
    }
}

#[test]
fn lengths_and_counts_of_any_size_end_at_once() {
    // 2^62 as Avro has it.
    let huge = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
    for (ty, wanted) in [
        (json!("string"), "x"),
        (json!("bytes"), "x"),
        (json!({"type": "array", "items": "null"}), "x.5"),
        (json!({"type": "array", "items": "null"}), "y"),
        (json!({"type": "array", "items": "int"}), "x.5"),
        (json!({"type": "map", "values": "null"}), "x.k"),
        (json!({"type": "map", "values": "null"}), "y"),
    ] {
        let record = json!({"type": "record", "name": "R", "fields": [{"name": "x", "type": ty}]});
        let plan = Plan::new(&schema(&record), None, &[Place::at(wanted.split('.'))]).unwrap();
        let mut found = plan.found();
        let fault = plan.read(&huge, &mut found).unwrap_err();
        assert_eq!(fault, Fault::Truncated, "{ty}");
        // Blocks that say that they are empty, or longer than the record.
        let mut block = vec![0x01];
        block.extend(huge);
        assert!(plan.read(&block, &mut found).is_err(), "{ty}");
    }
    // So many nothings are an array of Avro, in twelve bytes.
    let array = schema(&json!({"type": "array", "items": "null"}));
    let plan = Plan::new(&array, None, &[Place::at(["3"])]).unwrap();
    let mut found = plan.found();
    plan.read(&[&huge[..], &[0]].concat(), &mut found).unwrap();
    assert_eq!(found.values[0], Value::Null);
}

#[test]
fn depth_is_bounded() {
    let node =
        json!({"type": "record", "name": "N", "fields": [{"name": "n", "type": ["null", "N"]}]});
    for wanted in [Place::at(["n"]), Place::at(["none"])] {
        let plan = Plan::new(&schema(&node), None, &[wanted]).unwrap();
        let mut found = plan.found();
        let deep = |levels: usize| [vec![2; levels], vec![0]].concat();
        assert_eq!(plan.read(&deep(60), &mut found), Ok(()));
        assert_eq!(plan.read(&deep(100_000), &mut found), Err(Fault::Deep));
    }
}

#[test]
fn arrays_are_read_whole_if_they_have_the_size() {
    let ty = json!({"type": "record", "name": "R", "fields": [
        {"name": "x", "type": {"type": "array", "items": {"type": "array", "items": ["null", "int"]}}},
        {"name": "s", "type": "string"}
    ]});
    let place = |steps: &[&str], sizes: &[u32]| Place {
        array: Some(sizes.to_vec()),
        ..Place::at(steps.iter().copied())
    };
    let places = [
        place(&["x"], &[2, 2]),
        Place::at(["x", "1", "0"]),
        place(&["s"], &[1]),
        place(&["x", "0"], &[2]),
    ];
    let plan = Plan::new(&schema(&ty), None, &places).unwrap();
    let mut found = plan.found();
    // [[1, null], [2, 3]], the first as two blocks; "a".
    let record = [2, 4, 2, 2, 0, 0, 2, 4, 2, 4, 2, 6, 0, 0, 2, b'a'];
    plan.read(&record, &mut found).unwrap();
    let whole = [Value::Integer(1), Value::Null, Value::Integer(2), Value::Integer(3)];
    assert_eq!(found.values[0], Value::Array(0));
    assert_eq!(found.arrays[0], whole);
    assert_eq!(found.values[1], Value::Integer(2));
    assert!(matches!(found.values[2], Value::Text(_)));
    assert_eq!((&found.values[3], found.arrays[3].as_slice()), (&Value::Array(3), &whole[..2]));
    // [[1], [2, 3]]
    plan.read(&[4, 2, 2, 2, 0, 4, 2, 4, 2, 6, 0, 0, 2, b'a'], &mut found).unwrap();
    assert!(matches!(found.values[0], Value::Other(_)));
    assert!(matches!(found.values[3], Value::Other(_)));
}

#[test]
fn schemas_that_are_none_are_refused_with_their_place() {
    for (text, problem) in [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("7", "expected a type"),
        ("\"strin\"", "'strin' is not defined"),
        (r#"{"type":"array"}"#, "`items`"),
        (r#"["null",["int"]]"#, "a union in it"),
        (r#"{"type":"record","name":"R","fields":[{"name":"a","type":"b"}]}"#, "field 'a' of 'R'"),
        (
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
            "two of this name",
        ),
        (
            r#"[{"type":"fixed","name":"F","size":1},{"type":"fixed","name":"F","size":1}]"#,
            "defined twice",
        ),
    ] {
        let found = Schema::read(text, []).unwrap_err();
        assert!(found.contains(problem), "{text}: {found}");
    }
    // Deep, and large: 1 MB of fields.
    let deep =
        format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(5_000), "}".repeat(5_000));
    assert!(Schema::read(&deep, []).is_err());
    let fields: Vec<Json> =
        (0..30_000).map(|n| json!({"name": format!("f{n}"), "type": "int"})).collect();
    let large = json!({"type": "record", "name": "R", "fields": fields});
    let plan = Plan::new(&schema(&large), None, &[Place::at(["f29999"])]).unwrap();
    let mut found = plan.found();
    let mut record = vec![0; 30_000];
    record[29_999] = 8;
    plan.read(&record, &mut found).unwrap();
    assert_eq!(found.values[0], Value::Integer(4));
}

/// Files stand beside each other in no order.
#[test]
fn references_are_read_in_any_order() {
    let a = r#"{"type":"record","name":"x.A","fields":[{"name":"b","type":"B"}]}"#;
    let b = r#"{"type":"record","name":"x.B","fields":[{"name":"v","type":"int"}]}"#;
    let root = r#"{"type":"record","name":"Root","fields":[{"name":"a","type":"x.A"}]}"#;
    for references in [[a, b], [b, a]] {
        let schema = Schema::read(root, references).unwrap();
        let plan = Plan::new(&schema, None, &[Place::at(["a", "b", "v"])]).unwrap();
        let mut found = plan.found();
        plan.read(&[6], &mut found).unwrap();
        assert_eq!(found.values[0], Value::Integer(3));
    }
    let problem = Schema::read(root, [a]).unwrap_err();
    assert!(problem.contains("'B' is not defined"), "{problem}");
}
