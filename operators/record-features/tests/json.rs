//! What becomes of JSON, good and bad.

mod common;

use common::{expect, read, refusal, stage};
use sandbar_operator::FailureCode::{Invalid, Malformed, Missing, TooLarge, Unsupported};
use sandbar_operator::testing::{Cell, Stage};
use serde_json::json;

/// A number `n` and a text `t`.
fn both() -> serde_json::Value {
    json!({ "format": "json", "columns": ["n", { "name": "t", "type": "text" }] })
}

#[test]
fn numbers_and_texts_are_read_under_their_names() {
    let mut stage = stage(both());
    let expected = Ok(vec![Cell::Number(-7.5), Cell::text("a\"b")]);
    for value in [
        r#"{"n":-7.5,"t":"a\"b"}"#,
        r#" { "t" : "a\u0022b" , "other" : [{"n": 1}] , "n" : "-75e-1" } "#,
        "\u{feff}{\"n\":-7.5,\"t\":\"a\\\"b\"}",
    ] {
        assert_eq!(read(&mut stage, value.as_bytes()), expected, "{value}");
    }
}

#[test]
fn a_number_beyond_f64_is_invalid() {
    let mut stage = stage(both());
    for number in ["1e400", "-1e400", &format!("1{}", "0".repeat(400)), "\"1e400\""] {
        let value = format!(r#"{{"n":{number},"t":"x"}}"#);
        expect(&mut stage, value.as_bytes(), Invalid, "out of range");
    }
    let tiny = read(&mut stage, br#"{"n":1e-400,"t":"x"}"#).expect("zero");
    assert_eq!(tiny[0], Cell::Number(0.0));
}

#[test]
fn words_for_no_number_are_refused() {
    let mut stage = stage(both());
    for word in ["NaN", "Infinity", "-Infinity", "nan", "+1", ".5", "01", "0x1"] {
        expect(&mut stage, format!(r#"{{"n":{word}}}"#).as_bytes(), Malformed, "not a JSON object");
    }
    for word in ["NaN", "Infinity", "inf", "0x1", "1_000", "1,5", "true"] {
        let value = format!(r#"{{"n":"{word}","t":"x"}}"#);
        expect(&mut stage, value.as_bytes(), Invalid, "expected a number");
    }
}

#[test]
fn integers_above_2_to_the_53_are_the_nearest_number_and_exact_as_text() {
    let mut stage = stage(both());
    let value = br#"{"n":9007199254740993,"t":9007199254740993}"#;
    let row = read(&mut stage, value).expect("a row");
    assert_eq!(row, [Cell::Number(9_007_199_254_740_992.0), Cell::text("9007199254740993")]);
}

#[test]
fn a_key_that_is_read_comes_once() {
    let mut stage = stage(both());
    let twice = br#"{"n":1,"n":1,"t":"x"}"#;
    expect(&mut stage, twice, Malformed, "duplicate key 'n'");
    expect(&mut stage, br#"{"n":1,"t":"x","\u006e":2}"#, Malformed, "duplicate key 'n'");
    let row = read(&mut stage, br#"{"n":1,"t":"x","o":1,"o":2}"#).expect("another key twice");
    assert_eq!(row[0], Cell::Number(1.0));
}

#[test]
fn other_encodings_are_unsupported() {
    let mut stage = stage(both());
    let text = r#"{"n":1,"t":"x"}"#;
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    expect(&mut stage, &little, Unsupported, "UTF-16");
    expect(&mut stage, &big, Unsupported, "UTF-16");
    expect(&mut stage, &[&[0xff, 0xfe], &little[..]].concat(), Unsupported, "UTF-16");
    expect(&mut stage, &[&[0xfe, 0xff], &big[..]].concat(), Unsupported, "UTF-16");
    expect(&mut stage, b"{\"n\":1,\"t\":\"\xff\"}", Malformed, "t: not UTF-8");
    // What nobody reads may be anything.
    assert!(read(&mut stage, b"{\"n\":1,\"t\":\"x\",\"o\":\"\xff\"}").is_ok());
}

#[test]
fn half_a_character_is_malformed() {
    let mut stage = stage(both());
    for half in [r"\ud83d", r"\ude00", r"\ud83dx", r"\ud83d\ud83d"] {
        let value = format!(r#"{{"n":1,"t":"{half}"}}"#);
        expect(&mut stage, value.as_bytes(), Malformed, "in a string");
    }
    let row = read(&mut stage, br#"{"n":1,"t":"\ud83d\ude00"}"#).expect("a whole one");
    assert_eq!(row[1], Cell::text("\u{1f600}"));
}

#[test]
fn ten_thousand_levels_of_nesting_do_no_harm() {
    let mut stage = stage(both());
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        let skipped = format!(r#"{{"deep":{deep},"n":1,"t":"x"}}"#);
        assert!(read(&mut stage, skipped.as_bytes()).is_ok());
        let wanted = format!(r#"{{"n":{deep},"t":"x"}}"#);
        expect(&mut stage, wanted.as_bytes(), Invalid, "n: unexpected JSON type");
        let open = format!(r#"{{"deep":{}"#, open.repeat(10_000));
        expect(&mut stage, open.as_bytes(), Malformed, "not a JSON object");
        expect(&mut stage, deep.as_bytes(), if close == "]" { Malformed } else { Missing }, "");
    }
}

#[test]
fn five_megabytes_of_one_string_are_too_large_unless_allowed() {
    let long = format!(r#"{{"n":1,"t":"{}"}}"#, "x".repeat(5 << 20));
    expect(&mut stage(both()), long.as_bytes(), TooLarge, "exceeds `max_bytes` (1048576)");
    let mut config = both();
    config["max_bytes"] = json!(6 << 20);
    let row = read(&mut stage(config), long.as_bytes()).expect("a row");
    assert_eq!(row[1], Cell::text("x".repeat(5 << 20)));
}

#[test]
fn what_is_absent_is_missing_or_fails() {
    let mut strict = stage(both());
    expect(&mut strict, br#"{"n":1}"#, Missing, "t: the record does not have it");
    expect(&mut strict, br#"{"other":1}"#, Missing, "none of the columns");
    expect(&mut strict, b"{}", Missing, "none of the columns");
    expect(&mut strict, b"", Missing, "empty");
    expect(&mut strict, b" \r\n\t", Missing, "empty");
    let missing = Ok(vec![Cell::Missing, Cell::Missing]);
    assert_eq!(read(&mut strict, br#"{"n":null,"t":""}"#), missing);
    assert_eq!(read(&mut strict, br#"{"n":" ","t":null}"#), missing);
    let mut config = both();
    config["absent"] = json!("missing");
    let mut lenient = stage(config);
    assert_eq!(read(&mut lenient, br#"{"n":1}"#), Ok(vec![Cell::Number(1.0), Cell::Missing]));
    expect(&mut lenient, br#"{"other":1}"#, Missing, "none of the columns");
}

#[test]
fn a_value_of_another_type_is_invalid() {
    let mut stage = stage(both());
    for (value, words) in [
        (r#"{"n":true,"t":"x"}"#, "n: unexpected JSON type: a boolean"),
        (r#"{"n":[1],"t":"x"}"#, "n: unexpected JSON type: an array"),
        (r#"{"n":1,"t":{}}"#, "t: unexpected JSON type: an object"),
        (r#"{"n":1,"t":1.0}"#, "t: unexpected JSON type: a number that is not whole"),
        (r#"{"n":1,"t":1e1}"#, "t: unexpected JSON type: a number that is not whole"),
        (r#"{"n":"x","t":"x"}"#, "n: expected a number, got \"x\""),
    ] {
        expect(&mut stage, value.as_bytes(), Invalid, words);
    }
    assert_eq!(
        read(&mut stage, br#"{"n":1,"t":12}"#),
        Ok(vec![Cell::Number(1.0), Cell::text("12")])
    );
}

#[test]
fn booleans_are_converted_on_request() {
    let mut config = both();
    config["booleans"] = json!("convert");
    let mut stage = stage(config);
    let row = read(&mut stage, br#"{"n":true,"t":false}"#);
    assert_eq!(row, Ok(vec![Cell::Number(1.0), Cell::text("false")]));
}

#[test]
fn unknown_keys_fail_on_request() {
    let mut config = both();
    config["unknown"] = json!("fail");
    let mut stage = stage(config);
    expect(&mut stage, br#"{"n":1,"t":"x","o":1}"#, Invalid, "unknown key 'o'");
    assert!(read(&mut stage, br#"{"n":1,"t":"x"}"#).is_ok());
}

#[test]
fn nested_values_are_found_by_pointers_and_dotted_paths() {
    let mut stage = stage(json!({ "columns": [
        { "name": "age", "from": "customer.age" },
        { "name": "second", "from": "/orders/1/price" },
        { "name": "dotted", "from": "/a.b" },
        { "name": "plain.name" },
    ] }));
    let value = br#"{"customer":{"age":33},"orders":[{},{"price":2.5}],"a.b":1,"plain.name":4}"#;
    let numbers = [33.0, 2.5, 1.0, 4.0].map(Cell::Number);
    assert_eq!(read(&mut stage, value), Ok(numbers.to_vec()));
    let null = br#"{"customer":null,"orders":[0,null],"a.b":1,"plain.name":4}"#;
    let row = read(&mut stage, null).expect("of null all is null");
    assert_eq!(row[..2], [Cell::Missing, Cell::Missing]);
    let other = br#"{"customer":7,"orders":[],"a.b":1,"plain.name":4}"#;
    expect(&mut stage, other, Invalid, "'customer': expected a JSON object or array, got a number");
    let short = br#"{"customer":{"age":1},"orders":[],"a.b":1,"plain.name":4}"#;
    expect(&mut stage, short, Missing, "second: the record does not have it");
}

#[test]
fn paths_that_overlap_are_refused() {
    let stage = Stage::new()
        .config(json!({ "format": "json", "columns": ["a", { "name": "b", "from": "a.b" }] }));
    assert!(refusal(&stage).contains("one is in the other"));
}

#[test]
fn texts_and_numbers_may_stand_for_no_value() {
    let mut stage = stage(json!({
        "missing": ["NA", "-999"],
        "columns": [
            "n",
            { "name": "t", "type": "text", "missing": ["?"] },
            { "name": "d", "default": 5 },
        ],
    }));
    let row = read(&mut stage, br#"{"n":-999.0,"t":"?","d":"NA"}"#).expect("a row");
    assert_eq!(row, [Cell::Missing, Cell::Missing, Cell::Number(5.0)]);
    let row = read(&mut stage, br#"{"n":" NA ","t":"NA"}"#).expect("a row");
    assert_eq!(row, [Cell::Missing, Cell::text("NA"), Cell::Number(5.0)]);
    let row = read(&mut stage, br#"{"n":-99,"t":"","d":-999}"#).expect("a row");
    assert_eq!(row, [Cell::Number(-99.0), Cell::Missing, Cell::Number(5.0)]);
}
