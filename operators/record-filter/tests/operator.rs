//! The filter through the SDK, natively.

mod common;

use common::{becomes, record, refusal, stage};
use flight_records::Flights;
use sandbar_operator::schemas::{Key, Language, Schema};
use sandbar_operator::testing::{Records, Stage, TestRecord};
use serde_json::json;

/// Asserts what becomes of values.
#[track_caller]
fn expect(config: serde_json::Value, values: &[(&str, &str)]) {
    let mut stage = stage(config);
    for (value, expected) in values {
        assert_eq!(becomes(&mut stage, record(value)), *expected, "{value}");
    }
}

#[test]
fn records_for_which_it_holds_go_on_as_they_are() {
    let mut payments = stage(json!({
        "keep": "amount > 100 && country in ['CH', 'DE'] && topic == 'test' && !has(headers.test)",
        "columns": ["amount", { "name": "country", "from": "customer.country", "type": "text" }],
    }));
    let payment = |amount: &str, country: &str| TestRecord {
        key: Some(b"\xff".to_vec()),
        headers: vec![("a".into(), None), ("a".into(), Some(b"\xff".to_vec()))],
        timestamp: Some(17),
        ..record(format!(r#" {{"customer":{{"country":"{country}"}},"amount": {amount}, "x":[]}}"#))
    };
    assert_eq!(becomes(&mut payments, payment("100.5", "CH")), "keep");
    assert_eq!(becomes(&mut payments, payment("100", "CH")), "drop");
    assert_eq!(becomes(&mut payments, payment("1e3", "DE")), "keep");
    assert_eq!(becomes(&mut payments, payment("1e3", "FR")), "drop");
    let mut tested = payment("1e3", "DE");
    tested.headers.push(("test".into(), Some(Vec::new())));
    assert_eq!(becomes(&mut payments, tested), "drop");
}

#[test]
fn what_is_missing_and_decides_is_for_the_configuration_to_say() {
    let with = |on_missing: Option<&str>| {
        let mut config = json!({ "keep": "n > 1 || sure == 'yes'", "missing": ["NA"],
            "columns": ["n", { "name": "sure", "type": "text", "absent": "missing" }] });
        if let Some(on_missing) = on_missing {
            config["on_missing"] = json!(on_missing);
        }
        config
    };
    let decided = [
        (r#"{"n":2}"#, "keep"),
        (r#"{"n":null,"sure":"yes"}"#, "keep"),
        (r#"{"n":1,"sure":"no"}"#, "drop"),
    ];
    for (on_missing, n, sure) in [
        (
            None,
            "missing: keep: line 1, column 1: 'n' is missing",
            "missing: keep: line 1, column 10: 'sure' is missing",
        ),
        (Some("keep"), "keep", "keep"),
        (Some("drop"), "drop", "drop"),
    ] {
        expect(with(on_missing), &decided);
        let undecided = [
            (r#"{"n":null}"#, n),
            (r#"{"n":"NA","sure":"no"}"#, n),
            (r#"{"n":1,"sure":""}"#, sure),
            // The record fails whatever is said of missing values: it should have the column.
            (r#"{"sure":"no"}"#, "missing: n: the record does not have it"),
            (r#"{}"#, "missing: n: the record does not have it"),
        ];
        expect(with(on_missing), &undecided);
    }
}

#[test]
fn a_record_that_cannot_be_told_fails_with_its_code() {
    let config = json!({ "keep": "int(n) / int(m) > 1", "columns": ["n", "m"], "max_bytes": 40 });
    let long = format!(r#"{{"n":1,"m":1,"x":"{}"}}"#, "x".repeat(40));
    expect(
        config,
        &[
            (r#"{"n":4,"m":2}"#, "keep"),
            (r#"{"n":4,"m":"4"}"#, "drop"),
            (r#"{"n":4,"m":"x"}"#, "invalid: m: expected a number, got \"x\""),
            (
                r#"{"n":1e400,"m":1}"#,
                "invalid: n: number out of range: \"1e400\": expected one up to 1.8e308",
            ),
            (r#"{"n":true,"m":1}"#, "invalid: n: unexpected JSON type: a boolean"),
            (
                r#"{"n":4,"m":0}"#,
                "invalid: keep: line 1, column 8: a whole number is divided by zero",
            ),
            ("4,2", "keep"),
            ("4", "malformed: expected 2 columns, got 1"),
            ("n,m", "unsupported: the value is a CSV header line, not a record"),
            ("", "missing: the value is empty"),
            (&long, "too large: the value has 60 bytes, which exceeds `max_bytes` (40)"),
        ],
    );
    let mut stage = stage(json!({ "keep": "n > 0", "columns": ["n"] }));
    let tombstone = TestRecord { key: Some(b"1".to_vec()), ..TestRecord::default() };
    assert_eq!(becomes(&mut stage, tombstone), "missing: the value is null (a tombstone)");
    let failure = becomes(&mut stage, record(r#"{"n":1,"n":2}"#));
    assert_eq!(failure, "malformed: duplicate key 'n' in the JSON object");
    let failure = becomes(&mut stage, record("[]"));
    assert!(failure.starts_with("malformed: not a JSON object: "), "{failure}");
}

#[test]
fn without_columns_the_value_is_not_looked_at() {
    let mut stage = stage(json!({ "keep": "has(key) && offset == 0 && key.startsWith('a')" }));
    let of = |key: Option<&str>, value: Option<&[u8]>| TestRecord {
        key: key.map(|key| key.as_bytes().to_vec()),
        value: value.map(<[u8]>::to_vec),
        ..TestRecord::default()
    };
    assert_eq!(becomes(&mut stage, of(Some("ab"), None)), "keep");
    assert_eq!(becomes(&mut stage, of(Some("ab"), Some(b"\xff\xfe\0{"))), "keep");
    assert_eq!(becomes(&mut stage, of(Some("b"), None)), "drop");
    assert_eq!(becomes(&mut stage, of(None, Some(b""))), "drop");
}

#[test]
fn a_record_may_have_none_of_the_columns_where_each_may_be_absent() {
    let config = json!({ "keep": "!has(error)", "absent": "missing",
        "columns": [{ "name": "error", "type": "text" }] });
    expect(
        config,
        &[
            (r#"{"id":1}"#, "keep"),
            ("{}", "keep"),
            (r#"{"error":"x"}"#, "drop"),
            (r#"{"id":2}"#, "keep"),
            (r#"{"error":null}"#, "keep"),
        ],
    );
}

#[test]
fn lines_texts_and_schemas_are_read_as_everywhere() {
    let lines = json!({ "format": "csv", "keep": "late > 10 && from != 'SFO'", "separator": ";",
        "fields": ["id", "from", "late"], "columns": ["late", { "name": "from", "type": "text" }] });
    expect(
        lines,
        &[("\"1\n\";\"A;B\";11", "keep"), ("1;SFO;11", "drop"), ("1;LAX;-11\r\n", "drop")],
    );
    let text = json!({ "format": "text", "keep": "t.contains('err') || size(t) > 5",
        "columns": [{ "name": "t", "type": "text" }] });
    expect(text, &[("an error", "keep"), ("fine", "drop"), ("\u{e9}\u{e9}\u{e9}\u{e9}", "drop")]);

    let schema = r#"{"type":"record","name":"R","fields":[{"name":"n","type":"long"}]}"#;
    let schema =
        Schema { language: Language::Avro, text: schema.to_owned(), references: Vec::new() };
    let stage = Stage::new()
        .schema(Key::Id(7), Ok(schema))
        .config(json!({ "format": "avro", "keep": "n == 3", "columns": ["n"] }));
    let mut stage = stage.transformer().expect("a valid configuration");
    assert_eq!(becomes(&mut stage, record([0, 0, 0, 0, 7, 6])), "keep");
    assert_eq!(becomes(&mut stage, record([0, 0, 0, 0, 7, 7])), "drop");
    assert!(becomes(&mut stage, record([0, 0, 0, 0, 7])).starts_with("malformed: "));
}

/// Real flights: those that the line itself says are late.
#[test]
fn flights_that_are_late_are_those_of_their_lines() {
    let names = [
        "Year",
        "Month",
        "DayofMonth",
        "DayOfWeek",
        "DepTime",
        "CRSDepTime",
        "ArrTime",
        "CRSArrTime",
        "UniqueCarrier",
        "FlightNum",
        "TailNum",
        "ActualElapsedTime",
        "CRSElapsedTime",
        "AirTime",
        "ArrDelay",
        "DepDelay",
        "Origin",
        "Dest",
        "Distance",
        "TaxiIn",
        "TaxiOut",
        "Cancelled",
        "CancellationCode",
        "Diverted",
        "CarrierDelay",
        "WeatherDelay",
        "NASDelay",
        "SecurityDelay",
        "LateAircraftDelay",
        "IsArrDelayed",
        "IsDepDelayed",
    ];
    let mut stage = stage(json!({
        "keep": "Cancelled == 0 && has(ArrDelay) && ArrDelay > 15 && Origin < Dest",
        "fields": names, "missing": ["NA"],
        "columns": ["ArrDelay", "Cancelled", { "name": "Origin", "type": "text" },
                    { "name": "Dest", "type": "text" }],
    }));
    let lines: Vec<String> = Flights::new(3).take(5000).collect();
    let out = stage.transform(&Records::of_values(&lines));
    assert_eq!(out.failures, []);
    let is_late = |line: &&String| {
        let fields: Vec<&str> = line.split(',').collect();
        let delay: f64 = fields[14].parse().unwrap_or(f64::NAN);
        fields[21] == "0" && delay > 15.0 && fields[16] < fields[17]
    };
    let expected: Vec<&[u8]> = lines.iter().filter(is_late).map(|line| line.as_bytes()).collect();
    let found: Vec<&[u8]> =
        out.records.iter().filter_map(|emitted| emitted.record.value.as_deref()).collect();
    assert!(expected.len() > 100 && expected.len() < 2500, "{}", expected.len());
    assert_eq!(found, expected);
}

#[test]
fn a_configuration_that_is_wrong_is_refused_with_its_place() {
    for (config, words) in [
        (json!({}), "`keep` is empty: write the condition"),
        (json!({ "keep": " " }), "`keep` is empty: write the condition"),
        (json!({ "keep": 1 }), "key 'keep'"),
        (
            json!({ "keep": "amount > limt", "columns": ["amount", "limit"] }),
            "`keep`: line 1, column 10: unknown variable 'limt'; did you mean 'limit'?",
        ),
        (json!({ "keep": "amount +", "columns": ["amount"] }), "`keep`: line 1, column"),
        (
            json!({ "keep": "amount", "columns": ["amount"] }),
            "`keep`: line 1, column 1: a condition",
        ),
        (json!({ "keep": "a == 'x'", "columns": ["a"] }), "`keep`: line 1, column"),
        (
            json!({ "keep": "a > 0", "columns": [{ "name": "a", "expression": "1" }] }),
            "column 'a': `expression`: only columns that are read can be named",
        ),
        (json!({ "keep": "a > 0", "columns": ["a", "a"] }), "'a' is listed twice"),
        (json!({ "keep": "a > 0", "columns": ["a"], "inputs": ["b"] }), "inputs"),
        (json!({ "keep": "true", "on_missing": "pass" }), "key 'on_missing'"),
        (json!({ "keep": "a > 0", "columns": ["a"], "message": "M" }), "`message`: only for"),
        (json!({ "keep": "a > 0", "columns": ["a"], "max_bytes": 0 }), "`max_bytes`"),
        (
            json!({ "keep": "a > 0", "columns": [{ "name": "a", "from": "b.c" }], "format": "csv" }),
            "'b.c' is no column of a line: list `fields`",
        ),
    ] {
        let refusal = refusal(config.clone());
        assert!(refusal.contains(words), "{config}: {refusal}");
    }
}
