//! Records of Avro, Protobuf and JSON Schema, by schemas that the runner gives.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use record_features::RecordFeatures;
use sandbar_operator::FailureCode;
use sandbar_operator::schemas::{Key, Language, Schema, SchemaError};
use sandbar_operator::testing::{Cell, Records, Stage};

fn schema(language: Language, text: &str) -> Result<Schema, SchemaError> {
    Ok(Schema { language, text: text.to_owned(), references: Vec::new() })
}

fn avro(fields: &str) -> Result<Schema, SchemaError> {
    schema(Language::Avro, &format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#))
}

const FIELDS: &str = r#"{"name":"n","type":["null","long"]},{"name":"x","type":"double"},
    {"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
    {"name":"s","type":"string"},{"name":"b","type":"bytes"},{"name":"t","type":"boolean"}"#;

fn record(id: u8, n: &[u8], x: f64) -> Vec<u8> {
    [&[0, 0, 0, 0, id], n, &x.to_le_bytes(), &[4, 0x04, 0xd2, 4, b'7', b'1', 2, 0, 1]].concat()
}

type Rows = Vec<Result<Vec<Cell>, (FailureCode, String)>>;

fn rows(stage: &Stage, values: Vec<Vec<u8>>) -> Rows {
    let mut extractor = stage.extractor::<RecordFeatures>().unwrap();
    let rows = extractor.extract(&Records::of_values(values)).rows();
    rows.into_iter().map(|row| row.map_err(|it| (it.code, it.message.to_string()))).collect()
}

#[test]
fn avro_gives_numbers_and_texts() {
    let stage = Stage::new().schema(Key::Id(7), avro(FIELDS)).config(
        r#"{ "format": "avro", "booleans": "convert", "columns": [
            "n", "x", "d", "t", { "name": "code", "from": "s" },
            { "name": "s", "type": "text" }, { "name": "whole", "from": "n", "type": "text" } ] }"#,
    );
    let numbers = |n: f64, x: f64| [n, x, 12.34, 1.0, 71.0].map(Cell::Number).to_vec();
    let found = rows(
        &stage,
        vec![
            record(7, &[2, 8], 0.1),
            // -2^53 - 1, of which the text has all digits.
            record(7, &[2, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20], -1e300),
            record(7, &[0], f64::NAN),
        ],
    );
    let texts = |whole: Cell| vec![Cell::text("71"), whole];
    assert_eq!(found[0], Ok([numbers(4.0, 0.1), texts(Cell::text("4"))].concat()));
    let large = numbers(-9_007_199_254_740_992.0, -1e300);
    assert_eq!(found[1], Ok([large, texts(Cell::text("-9007199254740993"))].concat()));
    let mut missing = numbers(0.0, 0.0);
    (missing[0], missing[1]) = (Cell::Missing, Cell::Missing);
    assert_eq!(found[2], Ok([missing, texts(Cell::Missing)].concat()));
}

#[test]
fn what_is_no_number_or_text_fails_with_its_column() {
    for (column, values, problem) in [
        (r#""b""#, record(7, &[2, 8], 0.1), "b: "),
        (r#"{ "name": "x", "type": "text" }"#, record(7, &[2, 8], 0.1), "not whole"),
        (r#""x""#, record(7, &[2, 8], f64::INFINITY), "infinite"),
        (r#""none""#, record(7, &[2, 8], 0.1), "none of the columns"),
        (r#""x", "none""#, record(7, &[2, 8], 0.1), "none: "),
        (r#""t""#, record(7, &[2, 8], 0.1), "a boolean"),
        (r#""x""#, record(8, &[2, 8], 0.1), "not there"),
        (r#""x""#, b"{}".to_vec(), "byte 123"),
        (r#""x""#, record(7, &[2, 8], 0.1)[..9].to_vec(), "ends in the middle"),
    ] {
        let gone = SchemaError { code: FailureCode::Unavailable, message: "not there".into() };
        let config = format!(r#"{{ "format": "avro", "columns": [{column}] }}"#);
        let stage = Stage::new()
            .schema(Key::Id(7), avro(FIELDS))
            .schema(Key::Id(8), Err(gone))
            .config(config);
        let found = rows(&stage, vec![values]);
        let (_, message) = found[0].clone().unwrap_err();
        assert!(message.contains(problem), "{column}: {message}");
    }
}

#[test]
fn protobuf_and_json_behind_an_id() {
    let proto =
        "syntax = \"proto3\"; message M { double x = 1; string s = 2; repeated int32 l = 3; }";
    let columns = r#""columns": ["x", { "name": "s", "type": "text" }]"#;
    let stage = Stage::new().schema(Key::Id(7), schema(Language::Protobuf, proto));
    let stage = stage.config(format!(r#"{{ "format": "protobuf", {columns} }}"#));
    let body = [&[9][..], &2.5_f64.to_le_bytes(), &[0x12, 1, b'a']].concat();
    let found =
        rows(&stage, vec![[&[0, 0, 0, 0, 7, 0], &body[..]].concat(), vec![0, 0, 0, 0, 7, 0]]);
    assert_eq!(found[0], Ok(vec![Cell::Number(2.5), Cell::text("a")]));
    // Nothing is there, which are the numbers and texts that Protobuf does not write.
    assert_eq!(found[1], Ok(vec![Cell::Number(0.0), Cell::Missing]));

    let stage = Stage::new().config(format!(r#"{{ "format": "json-schema", {columns} }}"#));
    let json = [&[0, 0, 0, 0, 9], &br#"{"x":2.5,"s":"a"}"#[..]].concat();
    let found = rows(&stage, vec![json, b"{}".to_vec(), vec![0, 0, 0, 0, 9]]);
    assert_eq!(found[0], Ok(vec![Cell::Number(2.5), Cell::text("a")]));
    assert_eq!(found[1].clone().unwrap_err().0, FailureCode::Malformed);
    assert_eq!(found[2].clone().unwrap_err().0, FailureCode::Missing);
}

#[test]
fn records_without_ids_have_the_schema_of_the_configuration() {
    let stage = Stage::new()
        .schema(Key::File("r".into()), avro(FIELDS))
        .schema(
            Key::Subject("new".into(), None),
            avro(r#"{"name":"amount","aliases":["x"],"type":"double"},{"name":"y","type":"int","default":5}"#),
        )
        .config(
            r#"{ "format": "avro", "schema": { "file": "r" }, "read_as": { "subject": "new" },
                 "columns": ["amount", "y"] }"#,
        );
    let found = rows(&stage, vec![record(0, &[2, 8], 0.1)[5..].to_vec()]);
    assert_eq!(found[0], Ok(vec![Cell::Number(0.1), Cell::Number(5.0)]));
    for (format, key) in [("json", "schema"), ("protobuf", "read_as"), ("avro", "message")] {
        let value = if key == "message" { r#""M""# } else { r#"{ "file": "r" }"# };
        let config = format!(r#"{{ "format": "{format}", "{key}": {value}, "columns": ["a"] }}"#);
        let refused = Stage::new().config(config).extractor::<RecordFeatures>().err().unwrap();
        assert!(refused.message().contains(key), "{}", refused.message());
    }
}
