//! What each kind of record gives: the table in the crate's documentation,
//! line by line, and the configuration.

mod common;

use common::{Value, config, reader, row};
use flight_features::{CLASSIC, COLUMNS, Fault, Reader};
use flight_records::CLASSIC as FLIGHTS;
use sandbar_operator::FailureCode;
use sandbar_operator::text as reading;

const EIGHT: &str = "{}";

fn number(number: f64) -> Value {
    Value::Number(number)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// What the first classic flight gives with the default configuration.
fn classic_row() -> Vec<Value> {
    let numbers = [1987.0, 10.0, 14.0, 3.0, 730.0].map(number);
    numbers.into_iter().chain(["PS", "SAN", "SFO"].map(text)).collect()
}

/// The classic flight with some columns replaced.
fn flight_with(changes: &[(&str, &str)]) -> String {
    let mut fields: Vec<&str> = FLIGHTS[0].split(',').collect();
    for (name, value) in changes {
        let column = COLUMNS.iter().position(|column| column.name == *name);
        fields[column.expect("a column")] = value;
    }
    fields.join(",")
}

/// What a line gives where only this column is wanted.
fn only(column: &str, line: &[u8]) -> Result<Value, Fault> {
    let mut reader = reader(&format!(r#"{{"features": ["{column}"]}}"#));
    row(&mut reader, line).map(|mut row| row.remove(0))
}

/// What is wrong with the value of a column.
fn fault<T>(column: &'static str, fault: reading::Fault) -> Result<T, Fault> {
    Err(Fault::Value { column, fault })
}

/// Quotes that are wrong in the column of this number.
fn quotes<T>(column: usize, problem: &'static str) -> Result<T, Fault> {
    Err(Fault::Text(reading::Fault::Quotes { column, problem }))
}

/// What a value in this column of a line gives.
fn value(column: &str, value: &str) -> Result<Value, Fault> {
    only(column, flight_with(&[(column, value)]).as_bytes())
}

#[test]
fn a_line_gives_the_classic_eight() {
    let mut reader = reader(EIGHT);
    assert_eq!(reader.features().iter().map(|f| f.name).collect::<Vec<_>>(), CLASSIC);
    assert_eq!(row(&mut reader, FLIGHTS[0].as_bytes()), Ok(classic_row()));
    let mut later = classic_row();
    later[0] = number(1999.0);
    assert_eq!(row(&mut reader, FLIGHTS[1].as_bytes()), Ok(later));
}

#[test]
fn an_object_gives_the_same() {
    let object = r#" {"Dest": "SFO", "Year": 1987, "Month": "10", "DayofMonth": 14.0, "Extra":
        {"Year": 3}, "DayOfWeek": " 3 ", "CRSDepTime": 73e1, "UniqueCarrier": "PS",
        "Origin": "S\u0041N", "year": 5} "#;
    assert_eq!(row(&mut reader(EIGHT), object.as_bytes()), Ok(classic_row()));
}

#[test]
fn features_go_out_in_their_order() {
    let mut reader = reader(r#"{"features": ["IsDepDelayed", "TailNum", "Year", "ArrDelay"]}"#);
    assert_eq!(
        row(&mut reader, FLIGHTS[0].as_bytes()),
        Ok(vec![text("YES"), Value::Missing, number(1987.0), number(23.0)])
    );
    let object = br#"{"ArrDelay":23,"Year":1987,"IsDepDelayed":"YES"}"#;
    assert_eq!(
        row(&mut reader, object),
        Ok(vec![text("YES"), Value::Missing, number(1987.0), number(23.0)])
    );
}

#[test]
fn a_row_owes_nothing_to_the_record_before() {
    let mut reader = reader(EIGHT);
    for before in [&br#"{"Year": 5, "Origin": "X"}"#[..], b"\"1\",2", b"1,2,3", b"{\"Year\":"] {
        let _ = row(&mut reader, before);
        assert_eq!(row(&mut reader, FLIGHTS[0].as_bytes()), Ok(classic_row()));
        assert_eq!(
            row(&mut reader, br#"{"Month": 10}"#).map(|row| row[..2].to_vec()),
            Ok(vec![Value::Missing, number(10.0)])
        );
    }
}

#[test]
fn line_ends_and_byte_order_mark_do_not_matter() {
    let line = FLIGHTS[0];
    for value in [format!("{line}\n"), format!("{line}\r\n"), format!("\u{feff}{line}\n")] {
        assert_eq!(row(&mut reader(EIGHT), value.as_bytes()), Ok(classic_row()), "{value:?}");
    }
    // The line end is not part of the last column.
    assert_eq!(only("IsDepDelayed", format!("{line}\r\n").as_bytes()), Ok(text("YES")));
}

#[test]
fn quotes_are_taken_off() {
    let line = flight_with(&[
        ("Year", "\"1987\""),
        ("Origin", "\"S\"\"A,\nN\""),
        ("TailNum", "\"\""),
        ("IsDepDelayed", "\"YES\""),
    ]);
    let mut expected = classic_row();
    expected[6] = text("S\"A,\nN");
    assert_eq!(row(&mut reader(EIGHT), line.as_bytes()), Ok(expected));
    assert_eq!(only("TailNum", line.as_bytes()), Ok(Value::Missing));
    assert_eq!(only("IsDepDelayed", format!("{line}\r\n").as_bytes()), Ok(text("YES")));
    assert_eq!(value("Dest", "\"NA\""), Ok(Value::Missing));
    assert_eq!(value("Month", "\" 4 \""), Ok(number(4.0)));
}

#[test]
fn other_separators() {
    for separator in [";", "|", "\t", " "] {
        let mut reader = reader(&format!(r#"{{"separator": {separator:?}}}"#));
        let line = FLIGHTS[0].replace(',', separator);
        assert_eq!(row(&mut reader, line.as_bytes()), Ok(classic_row()));
    }
}

#[test]
fn missing_values() {
    for missing in ["NA", "", " NA ", "  ", "\t"] {
        assert_eq!(value("Month", missing), Ok(Value::Missing), "{missing:?}");
    }
    for missing in ["NA", ""] {
        assert_eq!(value("Origin", missing), Ok(Value::Missing), "{missing:?}");
    }
    for missing in [r#""Month": null,"#, r#""Month": "NA","#, r#""Month": "","#, ""] {
        let object = format!(r#"{{{missing} "Year": 1}}"#);
        assert_eq!(only("Year", object.as_bytes()), Ok(number(1.0)));
        let mut reader = reader(r#"{"features": ["Month", "Year"]}"#);
        let expected = Ok(vec![Value::Missing, number(1.0)]);
        assert_eq!(row(&mut reader, object.as_bytes()), expected, "{object}");
    }
}

#[test]
fn texts_are_as_they_are() {
    for exact in [" SAN", "na", "Zürich", "-", "0", "\u{feff}"] {
        assert_eq!(value("Origin", exact), Ok(text(exact)));
    }
    assert_eq!(only("TailNum", br#"{"TailNum": 112}"#), Ok(text("112")));
    assert_eq!(only("TailNum", br#"{"TailNum": -5}"#), Ok(text("-5")));
}

#[test]
fn numbers() {
    for (written, meant) in [
        ("730", 730.0),
        ("-12", -12.0),
        ("+3", 3.0),
        ("007", 7.0),
        (" 8\t", 8.0),
        ("7.5", 7.5),
        ("-.5", -0.5),
        ("1e3", 1000.0),
        ("999999999999999", 999_999_999_999_999.0),
        ("9007199254740993", 9_007_199_254_740_992.0),
        ("123456789012345678901234567890", 1.234_567_890_123_456_8e29),
    ] {
        assert_eq!(value("Month", written), Ok(number(meant)), "{written}");
        let object = format!(r#"{{"Month": {written:?}}}"#);
        assert_eq!(only("Month", object.as_bytes()), Ok(number(meant)), "{object}");
    }
    for wrong in
        ["x", "1 2", "1,", "--1", "-", "0x10", "1_0", "nan", "NaN", "inf", "-infinity", "१"]
    {
        let expected = fault("Month", reading::Fault::NotANumber(wrong.to_owned()));
        let quoted = flight_with(&[("Month", &format!("\"{wrong}\""))]);
        assert_eq!(only("Month", quoted.as_bytes()), expected);
        let object = serde_json::json!({ "Month": wrong }).to_string();
        assert_eq!(only("Month", object.as_bytes()), expected);
    }
    for large in ["1e400", "-1e400", "1e309", "1.8E+308", &"9".repeat(310)] {
        let shown = reading::shown(large.as_bytes());
        let expected = fault("Month", reading::Fault::OutOfRange(shown));
        assert_eq!(value("Month", large), expected);
        assert_eq!(value("Month", &format!("\"{large}\"")), expected);
        for object in [format!(r#"{{"Month": {large}}}"#), format!(r#"{{"Month": "{large}"}}"#)] {
            assert_eq!(only("Month", object.as_bytes()), expected, "{object}");
        }
        assert_eq!(expected.map_err(|fault| fault.code()), Err(FailureCode::Invalid));
        // Nobody wants it, so nobody reads it.
        let object = format!(r#"{{"Month": {large}, "Year": 1}}"#);
        assert_eq!(only("Year", object.as_bytes()), Ok(number(1.0)));
        let wrong_type =
            fault("Origin", reading::Fault::Type { found: "a number that is not whole" });
        let object = format!(r#"{{"Origin": {large}}}"#);
        let is_whole = !large.contains(['e', 'E']);
        let expected = if is_whole { Ok(text(large)) } else { wrong_type };
        assert_eq!(only("Origin", object.as_bytes()), expected);
    }
    // Nobody wants it, so nobody reads it.
    assert_eq!(only("Year", flight_with(&[("Month", "x")]).as_bytes()), Ok(number(1987.0)));
}

#[test]
fn values_in_messages_are_short() {
    let message = value("Month", &"ü".repeat(5000)).expect_err("not a number").to_string();
    assert_eq!(message, format!("Month: expected a number, got \"{}…\"", "ü".repeat(40)));
    let line = flight_with(&[("Month", "\u{7}\"")]).replace('"', "\0");
    let message = only("Month", line.as_bytes()).expect_err("not a number").to_string();
    assert_eq!(message, r#"Month: expected a number, got "\u{7}\0""#);
}

#[test]
fn no_value_at_all() {
    let mut sink = common::Row::default();
    assert_eq!(reader(EIGHT).read(None, &mut sink), Err(Fault::Tombstone));
    for format in ["auto", "csv", "json"] {
        let mut reader = reader(&format!(r#"{{"format": "{format}"}}"#));
        for empty in ["", "\n", "\r\n", "  \t", "\u{feff}"] {
            assert_eq!(row(&mut reader, empty.as_bytes()), Err(Fault::Empty), "{empty:?}");
        }
    }
    assert_eq!(only("Year", br#"{"Month": 10, "year": 1987}"#), Err(Fault::NoColumn));
    assert_eq!(only("Year", b"{}"), Err(Fault::NoColumn));
}

#[test]
fn too_few_or_too_many_columns() {
    for (line, found) in [
        ("hello".to_owned(), 1),
        ("1987,10".to_owned(), 2),
        (FLIGHTS[0].replace(",YES,YES", ",YES"), 30),
        (format!("{},", FLIGHTS[0]), 32),
        (format!("\"1987\"{}", &FLIGHTS[0][4..]).replace(",YES,YES", ""), 29),
        (format!("\"1987\"{},,", &FLIGHTS[0][4..]), 33),
        (",".repeat(50_000), 50_001),
    ] {
        assert_eq!(row(&mut reader(EIGHT), line.as_bytes()), Err(Fault::Columns { found }));
    }
    assert_eq!(Fault::Columns { found: 1 }.to_string(), "expected 31 columns, got 1");
}

#[test]
fn several_lines() {
    let [one, two] = FLIGHTS;
    let quoted = one.replace("SAN", "\"SAN\"");
    for value in [
        format!("{one}\n{two}"),
        format!("{one}\r\n{two}\r\n"),
        format!("{one}\n\n"),
        format!("{one}\r{two}"),
        format!("{quoted}\n{quoted}"),
        format!("{}\n{one}", one.replace(",YES,YES", ",YES,\"YES\"")),
    ] {
        assert_eq!(
            row(&mut reader(EIGHT), value.as_bytes()),
            Err(Fault::Text(reading::Fault::Lines)),
            "{value:?}"
        );
    }
}

#[test]
fn quotes_where_they_do_not_belong() {
    for (origin, problem) in [
        ("S\"AN", "quote inside an unquoted column"),
        (" \"SAN\"", "quote inside an unquoted column"),
        ("\"SAN\" ", "text after the closing quote"),
        ("\"SAN", "unterminated quote"),
        ("\"", "unterminated quote"),
    ] {
        assert_eq!(value("Origin", origin), quotes(17, problem), "{origin}");
    }
}

#[test]
fn not_utf8() {
    // Tail numbers of 2001 look like this.
    let mut line = flight_with(&[("TailNum", "N335??")]).into_bytes();
    for byte in &mut line {
        *byte = if *byte == b'?' { 0xe6 } else { *byte };
    }
    assert_eq!(row(&mut reader(EIGHT), &line), Ok(classic_row()));
    assert_eq!(only("TailNum", &line), fault("TailNum", reading::Fault::NotUtf8));

    let mut object = br#"{"Year": 1987, "TailNum": "N335??", "??": 1}"#.to_vec();
    for byte in &mut object {
        *byte = if *byte == b'?' { 0xe6 } else { *byte };
    }
    assert_eq!(only("Year", &object), Ok(number(1987.0)));
    assert_eq!(only("TailNum", &object), fault("TailNum", reading::Fault::NotUtf8));
}

#[test]
fn not_one_json_object() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    for value in [
        r#"{"Year": 1987"#,
        r#"{"Year": 1987,}"#,
        r#"{"Year" 1987}"#,
        r#"{"Year": 01987}"#,
        r#"{"Year": NaN}"#,
        r#"{"Year": 1987}{"Year": 1987}"#,
        r#"{"Year": 1987} x"#,
        r#"[{"Year": 1987}]"#,
        "{Year: 1987}",
        "{1: 2}",
        &deep,
    ] {
        let fault = only("Year", value.as_bytes()).expect_err(value);
        assert!(matches!(fault, Fault::Text(reading::Fault::Json { .. })), "{value}: {fault}");
        assert!(fault.to_string().contains(" at line 1 column "), "{fault}");
    }
    let mut json = reader(r#"{"format": "json"}"#);
    for value in [FLIGHTS[0], "17", "\"text\"", "null"] {
        let fault = row(&mut json, value.as_bytes());
        assert!(matches!(fault, Err(Fault::Text(reading::Fault::Json { .. }))), "{value}");
    }
    let mut csv = reader(r#"{"format": "csv"}"#);
    assert_eq!(row(&mut csv, br#"{"Year": 1987}"#), quotes(1, "quote inside an unquoted column"));
}

#[test]
fn json_that_does_not_fit() {
    for twice in [r#"{"Year": 1987, "Year": 1987}"#, r#"{"Year": null, "Ye\u0061r": 1987}"#] {
        let expected = Err(Fault::Text(reading::Fault::DuplicateKey("Year".to_owned())));
        assert_eq!(only("Year", twice.as_bytes()), expected);
    }
    assert_eq!(only("Month", br#"{"Year": 1, "Year": 2, "Month": 3}"#), Ok(number(3.0)));
    for (value, found) in
        [("true", "a boolean"), ("[1987]", "an array"), (r#"{"value": 1987}"#, "an object")]
    {
        for column in ["Year", "Origin"] {
            let object = format!(r#"{{"{column}": {value}}}"#);
            let expected = fault(column, reading::Fault::Type { found });
            assert_eq!(only(column, object.as_bytes()), expected);
        }
    }
    assert_eq!(
        only("Origin", br#"{"Origin": 1.5}"#),
        fault("Origin", reading::Fault::Type { found: "a number that is not whole" })
    );
}

#[test]
fn the_header_is_no_flight() {
    let quoted = format!("\"{}\"", flight_records::HEADER.replace(',', "\",\""));
    for header in [flight_records::HEADER, &quoted, &format!("\u{feff}{quoted}\r\n")] {
        assert_eq!(row(&mut reader(EIGHT), header.as_bytes()), Err(Fault::Header));
        assert_eq!(only("Origin", header.as_bytes()), Err(Fault::Header));
    }
}

#[test]
fn too_large() {
    let huge = "x".repeat(5_000_000);
    assert_eq!(
        row(&mut reader(EIGHT), huge.as_bytes()),
        Err(Fault::TooLarge { bytes: 5_000_000, limit: 65_536 })
    );
    let line = FLIGHTS[0].as_bytes();
    let limit = line.len();
    assert_eq!(row(&mut reader(&format!(r#"{{"max_bytes": {limit}}}"#)), line), Ok(classic_row()));
    assert_eq!(
        row(&mut reader(&format!(r#"{{"max_bytes": {}}}"#, limit - 1)), line),
        Err(Fault::TooLarge { bytes: limit, limit: limit - 1 })
    );
    // A limit above the default is one that can be reached.
    let mut generous = reader(r#"{"max_bytes": 6000000, "features": ["Origin"]}"#);
    let line = flight_with(&[("Origin", &huge)]);
    assert_eq!(row(&mut generous, line.as_bytes()), Ok(vec![text(&huge)]));
}

#[test]
fn configurations_that_are_wrong() {
    let error = |json| Reader::new(&config(json)).expect_err(json).to_string();
    let unknown = error(r#"{"features": ["Year", "Origim"]}"#);
    assert!(unknown.contains("\"Origim\""), "{unknown}");
    for column in COLUMNS {
        assert!(unknown.contains(column.name), "{unknown}");
    }
    assert!(error(r#"{"features": []}"#).contains("`features` is empty"));
    assert!(error(r#"{"features": ["Year", "Year"]}"#).contains("duplicate column \"Year\""));
    assert!(error(r#"{"max_bytes": 0}"#).contains("`max_bytes`: must be greater than zero"));
    for separator in ["\\\"", "\\n", "a", "7", ".", "-", "{", "ü"] {
        let config = format!(r#"{{"separator": "{separator}"}}"#);
        let error = Reader::new(&common::config(&config)).expect_err(&config).to_string();
        assert!(error.contains("`separator`"), "{error}");
    }
    for json in [r#"{"featurs": []}"#, r#"{"format": "xml"}"#, r#"{"separator": ",,"}"#] {
        serde_json::from_str::<flight_features::Config>(json).expect_err(json);
    }
}

#[test]
fn other_encodings_are_named() {
    let [line, _] = FLIGHTS;
    for text in [line, r#"{"Year": 1987}"#] {
        let utf16: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let marked = [[b"\xff\xfe", &little[..]].concat(), [b"\xfe\xff", &big[..]].concat()];
        for value in marked.iter().chain([&little, &big]) {
            let fault = row(&mut reader(EIGHT), value).expect_err("UTF-16");
            assert_eq!(fault, Fault::Text(reading::Fault::Encoding("UTF-16")));
            assert_eq!(fault.code(), FailureCode::Unsupported);
            assert_eq!(fault.to_string(), "the text is UTF-16: write it as UTF-8");
        }
        let fault = row(&mut reader(EIGHT), &marked[0][..marked[0].len() - 1]);
        assert_eq!(fault, Err(Fault::Text(reading::Fault::DamagedEncoding("UTF-16"))));
    }
}
