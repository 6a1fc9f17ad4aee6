//! Columns that are computed from others.

mod common;

use common::{expect, floats, read, refusal, stage};
use sandbar_operator::FailureCode::{Invalid, Missing, TooLarge};
use sandbar_operator::testing::{Cell, Records, Stage, TestRecord};
use serde_json::{Value, json};

/// The column `x` of this expression, over a number `a`, one `b` that may be missing, and a text
/// `t`, none of which go out.
fn of(expression: &str) -> Value {
    json!({
        "columns": [{ "name": "x", "expression": expression }],
        "inputs": [
            "a",
            { "name": "b", "from": "deep.b", "absent": "missing", "missing": ["-999"] },
            { "name": "t", "type": "text", "absent": "missing" },
        ],
    })
}

#[test]
fn numbers_texts_and_bools_are_computed() {
    let value = br#"{"a":30,"deep":{"b":120},"t":"SFO"}"#;
    for (expression, expected) in [
        ("a / b", Cell::Number(0.25)),
        ("7 / 2", Cell::Number(3.0)),
        ("t == 'SFO'", Cell::Number(1.0)),
        ("t != \"SFO\"", Cell::Number(0.0)),
        ("t.lowerAscii() + '-' + t", Cell::text("sfo-SFO")),
        ("size(t)", Cell::Number(3.0)),
        ("a > 20.0 && b > 20.0 ? 'large' : 'small'", Cell::text("large")),
        ("'' + t.substring(3)", Cell::Missing),
    ] {
        assert_eq!(read(&mut stage(of(expression)), value), Ok(vec![expected]), "{expression}");
    }
}

#[test]
fn csv_has_the_inputs_among_its_fields() {
    let config = json!({
        "fields": ["id", "amount", "limit"],
        "columns": ["amount", { "name": "share", "expression": "amount / limit" }],
        "inputs": ["limit"],
    });
    let row = read(&mut stage(config), b"7,30,120");
    assert_eq!(row, Ok(vec![Cell::Number(30.0), Cell::Number(0.25)]));
}

#[test]
fn what_is_missing_makes_the_result_missing() {
    for missing in [r#"{"a":1}"#, r#"{"a":1,"deep":{"b":null}}"#, r#"{"a":1,"deep":{"b":-999}}"#] {
        let missing = missing.as_bytes();
        assert_eq!(read(&mut stage(of("a / b")), missing), Ok(vec![Cell::Missing]));
        assert_eq!(read(&mut stage(of("b == null")), missing), Ok(vec![Cell::Number(1.0)]));
        assert_eq!(
            read(&mut stage(of("has(b) ? b : -1.0")), missing),
            Ok(vec![Cell::Number(-1.0)])
        );
        let mut config = of("a / b");
        config["columns"][0]["default"] = json!(0.5);
        assert_eq!(read(&mut stage(config), missing), Ok(vec![Cell::Number(0.5)]));
    }
    // As a column that goes out has it.
    expect(&mut stage(of("a + 1.0")), b"{\"t\":\"x\"}", Missing, "a: the record does not have it");
}

#[test]
fn a_column_that_cannot_be_read_is_not_one_that_is_missing() {
    let value = br#"{"a":"seven","t":"x"}"#;
    for expression in ["a + 1.0", "a == null", "has(a) ? a : 0.0", "a > 1.0 || true"] {
        expect(&mut stage(of(expression)), value, Invalid, "a: expected a number");
    }
    // It is not looked at.
    assert_eq!(read(&mut stage(of("true || a > 1.0")), value), Ok(vec![Cell::Number(1.0)]));
}

#[test]
fn what_is_no_number_fails_with_its_place() {
    let value = br#"{"a":1,"deep":{"b":0},"t":"x"}"#;
    for (expression, words) in [
        ("a / b", "x: the result is inf, and no number"),
        ("b / b", "x: the result is NaN, and no number"),
        ("1 / size(t.substring(1))", "x: line 1, column 3: "),
        ("a + double(t)", "x: line 1, column 5: "),
    ] {
        expect(&mut stage(of(expression)), value, Invalid, words);
    }
    let long = format!(r#"{{"a":1,"t":"{}"}}"#, "y".repeat(1 << 19));
    expect(
        &mut stage(of("t + t + t")),
        long.as_bytes(),
        TooLarge,
        "x: line 1, column 3: takes too many steps",
    );
}

#[test]
fn the_record_itself_may_be_named() {
    let config = json!({ "columns": [
        { "name": "hour", "expression": "hour(timestamp)" },
        { "name": "tier", "type": "text", "expression": "headers.tier", "default": "none" },
        { "name": "place", "expression": "topic + '/' + string(partition) + '/' + string(offset)" },
        { "name": "key", "expression": "key" },
    ]});
    // 2026-11-30T15:30:00Z.
    let at = 1_796_052_600_000;
    let whole = TestRecord {
        key: Some(b"k".to_vec()),
        value: Some(b"anything".to_vec()),
        headers: vec![("tier".into(), Some(b"gold".to_vec()))],
        timestamp: Some(at),
    };
    let records = Records::new("t", 0).record(whole).record(TestRecord::default());
    let rows = stage(config).extract(&records).rows();
    let whole = [Cell::Number(15.0), Cell::text("gold"), Cell::text("t/0/0"), Cell::text("k")];
    assert_eq!(rows[0], Ok(whole.to_vec()));
    let less = [Cell::Missing, Cell::text("none"), Cell::text("t/0/1"), Cell::Missing];
    assert_eq!(rows[1], Ok(less.to_vec()));
}

#[test]
fn a_model_gets_a_derived_column_as_its_own() {
    let description = json!({
        "kind": "onnx",
        "inputs": [{ "name": "X", "type": "fp32", "shape": ["N", 2] }],
        "preprocessing": { "columns": ["share", "amount"] },
    });
    let columns = json!([{ "name": "share", "expression": "amount / limit" }]);
    let of = |columns: Value| {
        Stage::new()
            .description("m", &description)
            .config(json!({ "columns": columns, "inputs": ["limit"] }))
    };
    let mut stage = of(columns).extractor().expect("a valid configuration");
    let row = read(&mut stage, br#"{"amount":30,"limit":120}"#);
    assert_eq!(row, Ok(vec![floats(&[0.25, 30.0])]));
    let problem = "share: has no value, and a tensor needs one";
    expect(&mut stage, br#"{"amount":30,"limit":null}"#, Missing, problem);
    let text = of(json!([{ "name": "share", "expression": "'a'" }]));
    let wanted = "column 'share': `expression`: expected a number or bool, it is text";
    assert_eq!(refusal(&text), wanted);
}

#[test]
fn what_is_wrong_is_refused_with_its_place() {
    let with = |columns: Value, inputs: Value| {
        refusal(&Stage::new().config(json!({ "columns": columns, "inputs": inputs })))
    };
    let of = |column: Value| with(json!([column, "amount"]), json!([]));
    let x = |more: Value| {
        let mut column = json!({ "name": "x", "expression": "amount" });
        for (key, value) in more.as_object().into_iter().flatten() {
            column[key] = value.clone();
        }
        of(column)
    };
    let at = "column 'x': `expression`: line 1, column 10: unknown variable 'amout'";
    let found = x(json!({ "expression": "amount + amout" }));
    assert!(found.starts_with(at), "{found}");
    for (more, words) in [
        (json!({ "expression": "amount +" }), "line 1, column "),
        (json!({ "expression": "amount + 'a'" }), "line 1, column "),
        (json!({ "expression": "[1, 2].map(it, it)" }), "line 1, column "),
        (json!({ "expression": "timestamp" }), "expected a number, text or bool, it is timestamp"),
        (json!({ "expression": "'a'", "type": "number" }), "expected a number or bool, it is text"),
        (json!({ "type": "text" }), "expected a text or bool, it is number"),
        (json!({ "default": "a" }), "`default`: expected a number"),
        (json!({ "from": "y" }), "`expression` and `from`: leave one of them out"),
        (json!({ "constant": 1 }), "`expression` and `constant`: leave one of them out"),
        (json!({ "missing": ["NA"] }), "`expression` and `missing`: leave one of them out"),
        (json!({ "absent": "missing" }), "`expression` and `absent`: leave one of them out"),
    ] {
        let found = x(more);
        assert!(found.starts_with("column 'x': ") && found.contains(words), "{found}");
    }
    // Of a derived column nothing is derived.
    let two = json!([
        { "name": "x", "expression": "1.0" },
        { "name": "y", "expression": "x + 1.0" },
    ]);
    assert!(with(two, json!([])).contains("unknown variable 'x'"));
    let derived = json!([{ "name": "x", "expression": "1.0" }]);
    let input = json!([{ "name": "y", "expression": "1.0" }]);
    assert!(with(derived.clone(), input).contains("column 'y': an input is read"));
    assert!(with(derived, json!(["x"])).contains("'x' is listed twice"));
    assert!(with(json!(["x"]), json!(["y"])).contains("`inputs`: no column has an `expression`"));
}
