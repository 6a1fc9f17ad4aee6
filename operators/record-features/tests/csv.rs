//! What becomes of CSV, good and bad, and of texts.

mod common;

use common::{expect, read, refusal, stage};
use sandbar_operator::FailureCode::{Invalid, Malformed, Missing, Unsupported};
use sandbar_operator::testing::{Cell, Records, Stage, TestRecord};
use serde_json::{Value, json};

/// A number `n` and a text `t`, which stand in lines of three.
fn both() -> Value {
    json!({
        "format": "csv",
        "fields": ["t", "other", "n"],
        "columns": ["n", { "name": "t", "type": "text" }],
    })
}

#[test]
fn columns_are_read_by_the_names_of_fields() {
    let mut stage = stage(both());
    for (line, n, t) in [
        ("a,,7", 7.0, "a"),
        ("a,x,7\r\n", 7.0, "a"),
        ("\u{feff}a,x, 7 \n", 7.0, "a"),
        ("\"a\",\"x\",\"7\"", 7.0, "a"),
        ("\"a,\nb\r\n\"\"c\"\"\",x,-1e3", -1000.0, "a,\nb\r\n\"c\""),
        (" a ,x,123456789012", 123_456_789_012.0, " a "),
    ] {
        let expected = Ok(vec![Cell::Number(n), Cell::text(t)]);
        assert_eq!(read(&mut stage, line.as_bytes()), expected, "{line:?}");
    }
    assert_eq!(read(&mut stage, b",,"), Ok(vec![Cell::Missing, Cell::Missing]));
    let long = format!("{},{},1", "a".repeat(100), "b".repeat(1000));
    let expected = Ok(vec![Cell::Number(1.0), Cell::text("a".repeat(100))]);
    assert_eq!(read(&mut stage, long.as_bytes()), expected);
}

#[test]
fn any_separator_will_do_that_is_in_no_value() {
    for separator in [";", "|", "\t", ":", " "] {
        let mut config = both();
        config["separator"] = json!(separator);
        let line = ["a", "x", "7"].join(separator);
        let row = read(&mut stage(config), line.as_bytes());
        assert_eq!(row, Ok(vec![Cell::Number(7.0), Cell::text("a")]));
    }
    for separator in ["a", "0", "\"", "-", ".", "\n", "ä"] {
        let mut config = both();
        config["separator"] = json!(separator);
        assert!(refusal(&Stage::new().config(config)).contains("`separator`"), "{separator}");
    }
}

#[test]
fn lines_of_other_lengths_are_malformed() {
    let mut stage = stage(both());
    expect(&mut stage, b"a,x", Malformed, "expected 3 columns, got 2");
    expect(&mut stage, b"a,x,1,", Malformed, "expected 3 columns, got 4");
    expect(&mut stage, b"a", Malformed, "expected 3 columns, got 1");
    expect(&mut stage, &[b','; 5000], Malformed, "expected 3 columns, got 5001");
    expect(&mut stage, b"\"a\",\"x\"", Malformed, "expected 3 columns, got 2");
    expect(&mut stage, b"", Missing, "empty");
    expect(&mut stage, b"\r\n", Missing, "empty");
}

#[test]
fn a_record_is_one_line() {
    let mut stage = stage(both());
    for value in ["a,x,1\nb,x,2", "a,x,1\r\nb,x,2\r\n", "a,x\r,1", "a\rb,x,1", "a,x,1\n\n"] {
        expect(&mut stage, value.as_bytes(), Malformed, "one line");
    }
    // At the end a lone CR is a line end as any.
    assert_eq!(read(&mut stage, b"a,x,1\r"), Ok(vec![Cell::Number(1.0), Cell::text("a")]));
}

#[test]
fn quotes_are_those_of_rfc_4180() {
    let mut stage = stage(both());
    expect(&mut stage, b"a\"b,x,1", Malformed, "column 1: quote inside an unquoted column");
    expect(&mut stage, b"\"a\"b,x,1", Malformed, "column 1: text after the closing quote");
    expect(&mut stage, b"a,\"x,1", Malformed, "column 2: unterminated quote");
}

#[test]
fn numbers_are_as_in_json_strings() {
    let mut stage = stage(both());
    expect(&mut stage, b"a,x,1e400", Invalid, "n: number out of range");
    for word in ["NaN", "inf", "1_0", "0x1", "NA", "true"] {
        expect(&mut stage, format!("a,x,{word}").as_bytes(), Invalid, "n: expected a number");
    }
    let row = read(&mut stage, b"9007199254740993,x,9007199254740993").expect("a row");
    assert_eq!(row, [Cell::Number(9_007_199_254_740_992.0), Cell::text("9007199254740993")]);
    expect(&mut stage, b"\xff,x,1", Malformed, "t: not UTF-8");
    assert!(read(&mut stage, b"a,\xff,1").is_ok(), "what nobody reads may be anything");
    let wide: Vec<u8> = "a,x,1".encode_utf16().flat_map(u16::to_le_bytes).collect();
    expect(&mut stage, &wide, Unsupported, "UTF-16");
}

#[test]
fn a_header_is_refused_in_whatever_order() {
    let mut strict = stage(both());
    expect(&mut strict, b"t,other,n", Unsupported, "a CSV header line, not a record");
    expect(&mut strict, b"\"t\",other,\"n\"\r\n", Unsupported, "header line");
    expect(&mut strict, b"n,t,other", Unsupported, "in another order");
    let mut config = both();
    config["header"] = json!("data");
    config["columns"] = json!([{ "name": "t", "type": "text" }]);
    assert_eq!(read(&mut stage(config), b"t,other,n"), Ok(vec![Cell::text("t")]));
}

#[test]
fn without_fields_a_line_is_what_is_read() {
    let columns = json!({ "columns": ["n", { "name": "t", "type": "text" }] });
    let mut stage = stage(columns);
    let expected = Ok(vec![Cell::Number(7.0), Cell::text("a")]);
    assert_eq!(read(&mut stage, b"7,a"), expected);
    // Each record for itself.
    assert_eq!(read(&mut stage, br#"{"t":"a","n":7}"#), expected);
    expect(&mut stage, b"7,a,1", Malformed, "expected 2 columns, got 3");
    expect(&mut stage, b"n,t", Unsupported, "header line");
    let nested = json!({ "columns": [{ "name": "n", "from": "a.b" }] });
    let mut stage = common::stage(nested.clone());
    expect(&mut stage, b"7", Unsupported, "list `fields`");
    let mut csv = nested;
    csv["format"] = json!("csv");
    assert!(refusal(&Stage::new().config(csv)).contains("list `fields`"));
}

#[test]
fn fields_must_have_what_is_wanted() {
    let config = |fields: Value| {
        Stage::new().config(json!({ "format": "csv", "fields": fields, "columns": ["n"] }))
    };
    assert!(refusal(&config(json!(["a", "b"]))).contains("`fields` has no 'n'"));
    assert!(refusal(&config(json!(["n", "n"]))).contains("listed twice"));
}

#[test]
fn a_text_is_one_column() {
    let mut stage = stage(json!({
        "format": "text",
        "columns": [{ "name": "line", "type": "text" }, { "name": "source", "type": "text",
            "constant": "log" }],
    }));
    let row = |text: &str| Ok(vec![Cell::text(text), Cell::text("log")]);
    assert_eq!(read(&mut stage, "{ \u{e9}\n".as_bytes()), row("{ \u{e9}\n"));
    assert_eq!(read(&mut stage, b"\xef\xbb\xbfa"), row("a"));
    expect(&mut stage, b"", Missing, "empty");
    expect(&mut stage, b"\xff", Malformed, "line: not UTF-8");
    let two = Stage::new().config(json!({ "format": "text", "columns": ["a", "b"] }));
    assert!(refusal(&two).contains("gives one column; got a, b"));
}

#[test]
fn the_record_itself_has_columns_too() {
    let mut stage = stage(json!({ "columns": [
        { "name": "key", "from": { "record": "key" } },
        { "name": "tenant", "from": { "header": "tenant" }, "default": "none" },
        { "name": "level", "from": { "header": "level" }, "type": "number" },
        { "name": "topic", "from": { "record": "topic" } },
        { "name": "partition", "from": { "record": "partition" }, "type": "text" },
        { "name": "offset", "from": { "record": "offset" } },
        { "name": "time", "from": { "record": "timestamp" } },
    ] }));
    let header = |name: &str, value: &str| (name.to_owned(), Some(value.as_bytes().to_vec()));
    let records = Records::default().record(TestRecord {
        key: Some(b"k".to_vec()),
        headers: vec![header("level", "1"), header("level", "2")],
        timestamp: Some(1_700_000_000_000),
        ..TestRecord::default()
    });
    let rows = stage.extract(&records.record(TestRecord::default())).rows();
    let row = rows[0].as_ref().expect("of a value that is null nothing is wanted");
    assert_eq!(row[..3], [Cell::text("k"), Cell::text("none"), Cell::Number(2.0)]);
    assert_eq!(row[4..], [Cell::text("0"), Cell::Number(0.0), Cell::Number(1.7e12)]);
    let failure = rows[1].as_ref().expect_err("there is no such header");
    assert_eq!((failure.code, &*failure.message), (Missing, "level: the record does not have it"));
}

#[test]
fn a_null_value_is_missing() {
    let mut stage = stage(both());
    let rows = stage.extract(&Records::default().record(TestRecord::default())).rows();
    assert_eq!(rows[0].as_ref().map_err(|failure| failure.code), Err(Missing));
}

#[test]
fn what_is_wrong_with_a_configuration_is_said() {
    for (config, words) in [
        (json!({}), "no columns"),
        (json!({ "colums": [] }), "colums"),
        (json!({ "columns": ["a", "a"] }), "listed twice"),
        (json!({ "columns": [7] }), "the name of a column, or a table with `name`"),
        (json!({ "columns": [{ "nam": "a" }] }), "unknown field `nam`"),
        (json!({ "columns": [{ "name": "a", "from": { "heder": "x" } }] }), "heder"),
        (json!({ "columns": [{ "name": "a", "from": { "record": "size" } }] }), "size"),
        (json!({ "columns": [{ "name": "a", "from": "a..b" }] }), "is empty"),
        (json!({ "columns": [{ "name": "a", "from": "/a~2" }] }), "~0"),
        (json!({ "columns": [{ "name": "a", "type": "date" }] }), "date"),
        (json!({ "columns": [{ "name": "a", "default": "x" }] }), "`default`: expected a number"),
        (json!({ "columns": [{ "name": "a", "type": "text", "constant": 1 }] }), "`constant`"),
        (json!({ "columns": [{ "name": "a", "constant": 1, "from": "b" }] }), "leave one"),
        (json!({ "columns": [{ "name": "a", "constant": 1, "default": 2 }] }), "leave one"),
        (json!({ "columns": ["a"], "max_bytes": 0 }), "`max_bytes`"),
        (json!({ "columns": ["a"], "format": "xml" }), "xml"),
    ] {
        let message = refusal(&Stage::new().config(&config));
        assert!(message.contains(words), "{config}: {message}");
    }
}
