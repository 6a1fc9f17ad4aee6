//! Records that Google's protobuf wrote, read as it reads them; and records that nobody wrote.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use record_schemas::protobuf::{Plan, Schema};
use record_schemas::{Fault, Found, Place, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};

#[derive(Deserialize)]
struct Case {
    proto: String,
    message: String,
    places: Vec<Vec<String>>,
    records: Vec<String>,
    expected: Vec<Vec<Json>>,
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

/// A value in the form that the file has it in.
fn shown(found: &Found, record: &[u8], value: &Value) -> Json {
    match value {
        Value::Absent => json!({"absent": true}),
        Value::Null => Json::Null,
        Value::Boolean(value) => json!(value),
        Value::Integer(number) => json!(number),
        Value::Unsigned(number) => json!(number),
        Value::Float(number) => json!({"float": number.to_string()}),
        Value::Text(_) | Value::Copied(_) => json!(found.text(record, value).unwrap()),
        Value::Decimal(_) | Value::Array(_) | Value::Other(_) => json!({"other": true}),
    }
}

fn same(found: &Json, expected: &Json) -> bool {
    let float = |json: &Json| json.get("float")?.as_str()?.parse::<f64>().ok();
    match (float(found), float(expected)) {
        (Some(found), Some(expected)) => found.to_bits() == expected.to_bits(),
        _ => found == expected,
    }
}

fn plan(proto: &str, message: &str, places: &[Place]) -> Plan {
    let schema = Schema::read(proto, []).unwrap();
    Plan::new(&schema.message_named(message).unwrap(), places).unwrap()
}

fn cases() -> Vec<(Case, Plan)> {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../testdata/protobuf.json")).unwrap();
    let planned = cases.into_iter().map(|case| {
        let places: Vec<Place> = case.places.iter().map(Place::at).collect();
        let plan = plan(&case.proto, &case.message, &places);
        (case, plan)
    });
    planned.collect()
}

#[test]
fn records_have_what_googles_library_finds() {
    let mut values = 0;
    let mut wrong = Vec::new();
    for (case, plan) in cases() {
        let mut found = Found::default();
        for (record, expected) in case.records.iter().zip(&case.expected) {
            let record = bytes(record);
            plan.read(&record, &mut found).unwrap();
            for (index, expected) in expected.iter().enumerate() {
                let found = shown(&found, &record, &found.values[index]);
                let steps = &case.places[index];
                if !same(&found, expected) {
                    wrong.push(format!("{steps:?}: expected {expected}, got {found}"));
                }
                values += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {values}: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    assert!(values > 3_000, "{values}");
}

/// Any beginning of a record, and any record with a byte changed, is read or refused.
#[test]
fn nothing_makes_it_panic() {
    for (case, plan) in cases() {
        let mut found = plan.found();
        for record in &case.records {
            let record = bytes(record);
            for end in 0..record.len() {
                _ = plan.read(&record[..end], &mut found);
                let mut changed = record.clone();
                for bits in [0xff, 0x80, 0x07] {
                    changed[end] ^= bits;
                    _ = plan.read(&changed, &mut found);
                }
            }
        }
    }
}

const PLAIN: &str =
    "syntax = \"proto3\"; message M { int32 a = 1; M m = 2; repeated float r = 3; string s = 4; }";

#[test]
fn records_of_other_schemas_are_refused() {
    let plan = plan(PLAIN, "M", &[Place::at(["a"]), Place::at(["m", "a"]), Place::at(["s"])]);
    let mut found = plan.found();
    for (record, fault) in [
        (&[0x0a, 0][..], "another schema"),
        (&[0x10, 1], "another schema"),
        (&[0x22, 1, 0xff], "UTF-8"),
        (&[0x08], "ends in the middle"),
        (&[0x22, 5, b'a'], "ends in the middle"),
        (&[0x12, 2, 0x08], "ends in the middle"),
        (&[0x12, 2, 0x22, 5], "ends in the middle"),
        (&[0x22, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "ends in the middle"),
        (&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "more than 64 bits"),
        (&[0x00, 1], "number 0"),
        (&[0x0e], "in no way"),
        (&[0x0c], "a group ends"),
        (&[0x5b, 0x64], "a group ends"),
        (&[0x5b], "ends in the middle"),
    ] {
        let found = plan.read(record, &mut found).unwrap_err().to_string();
        assert!(found.contains(fault), "{record:?}: {found}");
    }
    assert_eq!(plan.read(&vec![0x5b; 10_000], &mut found), Err(Fault::Deep));
}

#[test]
fn depth_is_bounded_where_it_is_wanted() {
    let steps = |levels: usize| vec!["m".to_owned(); levels];
    let nested = |levels: usize| {
        let mut record = vec![0x08, 7];
        for _ in 0..levels {
            let mut outer = vec![0x12];
            let mut length = record.len();
            while length >= 0x80 {
                outer.push(length as u8 | 0x80);
                length >>= 7;
            }
            outer.push(length as u8);
            outer.append(&mut record);
            record = outer;
        }
        record
    };
    for (levels, fits) in [(3, true), (62, true), (70, false)] {
        let place = Place::at([steps(levels), vec!["a".to_owned()]].concat());
        let plan = plan(PLAIN, "M", &[place]);
        let mut found = plan.found();
        let read = plan.read(&nested(levels), &mut found);
        assert_eq!(read.is_ok(), fits, "{levels}");
        if fits {
            assert_eq!(found.values[0], Value::Integer(7));
        }
        // What is not wanted is passed over by its length.
        plan.read(&nested(1), &mut found).unwrap();
    }
}

#[test]
fn lists_are_read_whole_if_they_have_the_size() {
    let place = |sizes: &[u32]| Place { array: Some(sizes.to_vec()), ..Place::at(["r"]) };
    let plan = plan(PLAIN, "M", &[place(&[2]), place(&[1]), place(&[1, 2]), Place::at(["r", "1"])]);
    let mut found = plan.found();
    // One value by itself, one packed.
    let record = [0x1d, 0, 0, 0x80, 0x3f, 0x1a, 4, 0, 0, 0, 0x40];
    plan.read(&record, &mut found).unwrap();
    assert_eq!(found.values[0], Value::Array(0));
    assert_eq!(found.arrays[0], [Value::Float(1.0), Value::Float(2.0)]);
    assert!(matches!(found.values[1], Value::Other(_)));
    assert!(matches!(found.values[2], Value::Other(_)));
    assert_eq!(found.values[3], Value::Float(2.0));
    plan.read(&[], &mut found).unwrap();
    assert!(matches!(found.values[0], Value::Other(_)));
}

#[test]
fn messages_are_found_by_their_indices_unless_it_is_not_clear() {
    let proto = "syntax = \"proto3\"; message A { message B { message C {} } message D {} }
                 message E { map<string, int32> m = 1; message F {} message G {} }";
    let schema = Schema::read(proto, []).unwrap();
    for (indices, name) in
        [(&[0][..], "A"), (&[1], "E"), (&[0, 0], "A.B"), (&[0, 0, 0], "A.B.C"), (&[0, 1], "A.D")]
    {
        assert_eq!(schema.message(indices).unwrap().full_name(), name);
    }
    for indices in [&[][..], &[2], &[0, 2], &[0, 0, 0, 0], &[u32::MAX]] {
        assert!(schema.message(indices).unwrap_err().contains("no message"), "{indices:?}");
    }
    for indices in [[1, 0], [1, 1], [1, 2]] {
        assert!(schema.message(&indices).unwrap_err().contains("not clear"), "{indices:?}");
    }
}

#[test]
fn files_that_are_none_are_refused() {
    for proto in [
        "",
        "{}",
        "message M {",
        "syntax = \"proto3\"; message M { N n = 1; }",
        "syntax = \"proto3\"; import \"other.proto\"; message M {}",
        "syntax = \"proto3\"; message M { int32 a = 1; int32 b = 1; }",
    ] {
        let read = Schema::read(proto, []);
        let message = read.and_then(|schema| schema.message(&[0]));
        assert!(message.is_err(), "{proto}");
    }
    let deep = format!("{}{}", "message M {".repeat(100_000), "}".repeat(100_000));
    assert!(Schema::read(&deep, []).unwrap_err().contains("nested"));
    let other = "syntax = \"proto3\"; package o; message N { int32 x = 1; }";
    let proto = "syntax = \"proto3\"; import \"other.proto\"; message M { o.N n = 1; }";
    assert!(Schema::read(proto, [("other.proto", other)]).is_ok());
    // Two files that import each other.
    let circle = "syntax = \"proto3\"; import \"b.proto\"; message M {}";
    let back = "syntax = \"proto3\"; import \"b.proto\";";
    assert!(Schema::read(circle, [("b.proto", back)]).is_err());
}
