//! The readers of text, beside Python's (`testdata/make-text.py`), the `csv` crate, `serde_json`
//! and the standard library.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sandbar_operator::text::{self, Fault, csv, json};
use sandbar_operator::{Failure, FailureCode};
use serde::Deserialize;

/// What Python makes of the same; `None` where it refuses.
#[derive(Deserialize)]
struct Golden {
    csv: Vec<Table>,
    json: Vec<Object>,
    numbers: Vec<Number>,
}

#[derive(Deserialize)]
struct Table {
    text: String,
    rows: Option<Vec<Vec<String>>>,
}

#[derive(Deserialize)]
struct Object {
    text: String,
    members: Option<Vec<(String, String, serde_json::Value)>>,
}

#[derive(Deserialize)]
struct Number {
    text: String,
    value: Option<String>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../testdata/text.json")).expect("text.json")
}

fn from_hex(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits");
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All rows of a table.
fn rows(text: &[u8]) -> Result<Vec<Vec<Vec<u8>>>, Fault> {
    let columns =
        |row: Vec<csv::Column<'_>>| row.iter().map(|it| it.bytes().into_owned()).collect();
    csv::Rows::new(text, b',').map(|(_, row)| row.map(columns)).collect()
}

#[test]
fn tables_are_those_of_python() {
    for Table { text, rows: expected } in golden().csv {
        let read = rows(text.as_bytes());
        let expected = expected.map(|rows| {
            let row = |row: Vec<String>| row.into_iter().map(String::into_bytes).collect();
            rows.into_iter().map(row).collect::<Vec<Vec<_>>>()
        });
        match (read, expected) {
            (Ok(read), expected) => assert_eq!(Some(read), expected, "{text:?}"),
            (Err(Fault::Quotes { .. }), None) => {}
            // RFC 4180 has no such quote, and Python takes it for a part of the text.
            (Err(Fault::Quotes { problem, .. }), Some(_)) => {
                assert_eq!(problem, "quote inside an unquoted column", "{text:?}");
            }
            (read, expected) => panic!("{text:?}: {read:?}, in Python {expected:?}"),
        }
    }
}

#[test]
fn rows_know_their_lines() {
    let lines = |text: &str| csv::Rows::new(text.as_bytes(), b',').map(|(line, _)| line).collect();
    let expected: [(&str, Vec<usize>); 5] = [
        ("a\nb\n", vec![1, 2]),
        ("\n\r\n\ra\r\rb", vec![4, 6]),
        ("\"a\n\r\n\rb\",\"\r\"\r\nc", vec![1, 6]),
        ("a\n\"b\n", vec![1, 2]),
        ("", vec![]),
    ];
    for (text, expected) in expected {
        let lines: Vec<usize> = lines(text);
        assert_eq!(lines, expected, "{text:?}");
    }
}

#[test]
fn one_line_is_one_line() {
    let read = |line| csv::Columns::new(line, b';').collect::<Result<Vec<_>, _>>();
    for line in [&b"a;b\nc"[..], b"a;\"b\"\nc", b"a\r;b", b"\n", b"\"\"\r"] {
        assert_eq!(read(line), Err(Fault::Lines), "{}", line.escape_ascii());
    }
    assert_eq!(read(b"\"a\nb\";c").map(|columns| columns.len()), Ok(2));
    let quotes = |column, problem| Err(Fault::Quotes { column, problem });
    assert_eq!(read(b"a;b;\"c"), quotes(3, "unterminated quote"));
    assert_eq!(read(b"a;\"b\" ;c"), quotes(2, "text after the closing quote"));
    assert_eq!(read(b" \"a\""), quotes(1, "quote inside an unquoted column"));
    assert_eq!(csv::split_end(b"a\r\n"), (&b"a"[..], &b"\r\n"[..]));
}

/// Each key with what its value is, as the golden results write it.
fn members(text: &[u8], names: &[&str]) -> Result<Vec<(String, String, serde_json::Value)>, Fault> {
    let mut found = Vec::new();
    let mut objects = json::Objects::new(names.iter().copied());
    objects.read(text::bytes(text)?, |index, value| {
        let (kind, value) = match value {
            json::Value::Null => ("null", serde_json::Value::Null),
            json::Value::Bool(value) => ("bool", value.into()),
            json::Value::Number(number) => {
                ("number", to_hex(&text::number(number)?.to_be_bytes()).into())
            }
            json::Value::Text(text) => {
                str::from_utf8(&text).map_err(|_| Fault::NotUtf8)?;
                ("text", to_hex(&text).into())
            }
            json::Value::Array => ("array", serde_json::Value::Null),
            json::Value::Object => ("object", serde_json::Value::Null),
        };
        found.push((names[index].to_owned(), kind.to_owned(), value));
        Ok::<_, Fault>(())
    })?;
    Ok(found)
}

#[test]
fn objects_are_those_of_python() {
    for Object { text, members: expected } in golden().json {
        let text = from_hex(&text);
        let shown = text[..text.len().min(40)].escape_ascii().to_string();
        // A name more, for those that Python refuses.
        let mut names = vec!["a"];
        names.extend(expected.iter().flatten().map(|(name, _, _)| name.as_str()));
        names.sort_unstable();
        names.dedup();
        let read = members(&text, &names);
        let Some(expected) = expected else {
            let fault = read.expect_err(&shown);
            assert_eq!(fault.code(), FailureCode::Malformed, "{shown}: {fault}");
            continue;
        };
        let infinite = |(_, kind, value): &(String, String, serde_json::Value)| {
            kind == "number" && value.as_str().is_some_and(|bits| bits[1..].starts_with("ff0"))
        };
        match read {
            Ok(read) => assert_eq!(read, expected, "{shown}"),
            // What Python takes and the SDK does not, all by name.
            Err(Fault::Encoding(name)) => assert_eq!(
                name,
                if text.windows(3).any(|it| it == [0; 3]) { "UTF-32" } else { "UTF-16" },
                "{shown}"
            ),
            Err(Fault::DuplicateKey(name)) => {
                assert!(expected.iter().filter(|it| it.0 == name).count() > 1, "{shown}");
            }
            Err(Fault::OutOfRange(_)) => assert!(expected.iter().any(infinite), "{shown}"),
            // Half a character of UTF-16, as an escape or in what claims to be UTF-8.
            Err(Fault::Json { problem }) => {
                assert!(problem.contains("surrogate") || problem.contains("hex"), "{problem}");
            }
            Err(Fault::NotUtf8) => assert!(text.contains(&0xed), "{shown}"),
            Err(fault) => panic!("{shown}: {fault}"),
        }
    }
}

/// Strings are looked at eight bytes at a time: what a byte means may not depend on its place.
#[test]
fn every_byte_counts_in_every_place_of_a_string() {
    let places = (1..20).flat_map(|length| (0..length).map(move |place| (length, place)));
    for ((length, place), byte) in places.flat_map(|at| (0..=u8::MAX).map(move |byte| (at, byte))) {
        let mut inside = b"\xc3\xa4a\x7f!".repeat(4)[..length].to_vec();
        inside[place] = byte;
        let text = [b"{\"a\":\"", &inside[..], b"\"}"].concat();
        let mut found = None;
        let read = json::Objects::new(["a"]).read(&text, |_, value| {
            found = Some(value);
            Ok::<_, Fault>(())
        });
        match byte {
            b'"' | b'\\' | 0..=0x1f => assert!(read.is_err(), "{}", text.escape_ascii()),
            _ => {
                assert_eq!(read, Ok(()), "{}", text.escape_ascii());
                assert_eq!(found, Some(json::Value::Text(inside.into())));
            }
        }
    }
}

#[test]
fn numbers_are_those_of_python() {
    for Number { text, value } in golden().numbers {
        let expected = value.as_ref().map(|bits| {
            let bits = u64::from_str_radix(bits, 16).expect("64 bits");
            f64::from_bits(bits)
        });
        let is_digits = text.bytes().any(|byte| byte.is_ascii_digit());
        match (text::number(text.as_bytes()), expected) {
            (Ok(read), Some(expected)) => {
                assert_eq!(read.to_bits(), expected.to_bits(), "{text:?}");
            }
            (Err(Fault::OutOfRange(_)), Some(expected)) => {
                assert!(is_digits && expected.is_infinite(), "{text:?}");
            }
            // Words, digits of other scripts, and grouped digits are none of our numbers.
            (Err(Fault::NotANumber(_)), Some(expected)) => {
                let is_word = !is_digits && !expected.is_finite();
                assert!(is_word || !text.is_ascii() || text.contains('_'), "{text:?}");
            }
            (Err(Fault::NotANumber(_)), None) => {}
            (read, expected) => panic!("{text:?}: {read:?}, in Python {expected:?}"),
        }
    }
}

#[test]
fn a_text_in_another_encoding_is_named() {
    let sound: [(&[u8], &str); 7] = [
        (b"\xff\xfea\0\xe6\0", "UTF-16"),
        (b"\xfe\xff\0a\0\xe6", "UTF-16"),
        (b"\xff\xfe\0\0a\0\0\0", "UTF-32"),
        (b"\0\0\xfe\xff\0\0\0a", "UTF-32"),
        (b"1\09\0", "UTF-16"),
        (b"\x001\x009\xd8\x3d\xde\0", "UTF-16"),
        (b"\xff\xfe", "UTF-16"),
    ];
    for (text, name) in sound {
        assert_eq!(text::bytes(text), Err(Fault::Encoding(name)), "{}", text.escape_ascii());
    }
    let damaged: [(&[u8], &str); 4] = [
        (b"\xff\xfea", "UTF-16"),
        (b"\xfe\xff\xd8\x3d", "UTF-16"),
        (b"\xff\xfe\0\0a\0\0", "UTF-32"),
        (b"\0\0\xfe\xff\0\x11\0\0", "UTF-32"),
    ];
    for (text, name) in damaged {
        let fault = Fault::DamagedEncoding(name);
        assert_eq!(text::bytes(text), Err(fault), "{}", text.escape_ascii());
    }
    // A zero byte alone makes no other encoding.
    for text in [&b"\0"[..], b"\0\0", b"\0\0\0\x07SFO", b"a\0", b"a\0b", b"a\0bc", b"\0a\0\x01"] {
        assert_eq!(text::bytes(text), Ok(text), "{}", text.escape_ascii());
    }
    assert_eq!(text::string(b"\xef\xbb\xbf\xe2\x98\x83"), Ok("☃"));
    assert_eq!(text::string(b"\xef\xbb\xbf\xef\xbb\xbf"), Ok("\u{feff}"));
    assert_eq!(text::string(b"\xe6"), Err(Fault::NotUtf8));
}

#[test]
fn a_fault_is_a_failure_with_its_code() {
    let failure = Failure::from(Fault::NotANumber("x".into()));
    assert_eq!(failure, Failure::invalid("expected a number, got \"x\""));
    assert_eq!(text::shown("ü".repeat(50).as_bytes()), "ü".repeat(40) + "…");
}

/// A piece of JSON, or any character.
fn piece() -> impl Strategy<Value = String> {
    let pieces = vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        " ",
        "\n",
        "null",
        "true",
        "false",
        "-",
        "0",
        "1",
        ".",
        "e",
        "E+",
        "\"a\":",
        "\"\\u0061\":",
        "\"b\":",
        "\\u",
        "d83d",
        "\"\\ud83d\"",
        "{}",
        "[]",
        "[1,{\"a\":2}]",
        "\u{feff}",
        "\u{0}",
        "\t",
        "1e400",
        "é",
        "",
        "",
    ];
    let pieces = prop::sample::select(pieces).prop_map(str::to_owned);
    prop_oneof![3 => pieces, 1 => any::<char>().prop_map(String::from)]
}

/// Pieces in any order; and an object with a piece in place of some of its characters.
fn nearly_json() -> impl Strategy<Value = String> {
    let pieces = || prop::collection::vec(piece(), 0..30).prop_map(|pieces| pieces.concat());
    let damage = (any::<prop::sample::Index>(), 0_usize..3, piece());
    let object = prop::collection::btree_map("[ab]{0,2}", values(), 0..4);
    let damaged =
        (object, damage, any::<bool>()).prop_map(|(object, (at, length, piece), pretty)| {
            let text = if pretty {
                serde_json::to_string_pretty(&object)
            } else {
                serde_json::to_string(&object)
            };
            let text: Vec<char> = text.expect("JSON").chars().collect();
            let at = at.index(text.len() + 1);
            let after = text.iter().skip(at + length);
            text.iter().take(at).copied().chain(piece.chars()).chain(after.copied()).collect()
        });
    prop_oneof![
        1 => pieces(),
        1 => pieces().prop_map(|inside| format!("{{{inside}}}")),
        4 => damaged,
    ]
}

/// A JSON value that is one, whatever stands between its tokens.
fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        ".*".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::btree_map("[ab\"\\\\é]{0,2}", inner, 0..5)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = text::bytes(&bytes);
        let _ = text::number(&bytes);
        let _ = rows(&bytes);
        let _ = members(&bytes, &["a", ""]);
    }

    /// What is JSON for `serde_json` is JSON here, and nothing else is.
    #[test]
    fn json_is_what_serde_json_takes(text in nearly_json()) {
        let read = json::Objects::new([""; 0]).read(text.as_bytes(), |_, _| Ok::<_, Fault>(()));
        type Members<'a> = BTreeMap<std::borrow::Cow<'a, str>, serde::de::IgnoredAny>;
        match serde_json::from_str::<Members<'_>>(&text) {
            Ok(_) => prop_assert_eq!(read, Ok(())),
            // Half a character of UTF-16 is only looked at in what is wanted.
            Err(error) if error.to_string().contains("surrogate") => {}
            Err(error) if error.to_string().contains("hex escape") => {}
            Err(_) => prop_assert!(read.is_err()),
        }
    }

    #[test]
    fn members_are_found_with_their_values(
        all in prop::collection::btree_map("[ab\"\\\\é]{0,2}", values(), 0..6),
        pretty in any::<bool>(),
    ) {
        let text = if pretty {
            serde_json::to_string_pretty(&all)
        } else {
            serde_json::to_string(&all)
        }.expect("JSON");
        let names: Vec<&str> = all.keys().rev().map(String::as_str).collect();
        let mut objects = json::Objects::new(names.iter().copied());
        let mut found = BTreeMap::new();
        objects.read(text.as_bytes(), |index, value| {
            let value = match value {
                json::Value::Null => serde_json::Value::Null,
                json::Value::Bool(value) => value.into(),
                // As it is written.
                json::Value::Number(number) => format!("# {}", number.escape_ascii()).into(),
                json::Value::Text(text) => str::from_utf8(&text).map_err(|_| Fault::NotUtf8)?.into(),
                json::Value::Array => serde_json::json!([]),
                json::Value::Object => serde_json::json!({}),
            };
            found.insert(names[index].to_owned(), value);
            Ok::<_, Fault>(())
        })?;
        let expected: BTreeMap<String, serde_json::Value> = all.iter().map(|(name, value)| {
            let value = match value {
                serde_json::Value::Array(_) => serde_json::json!([]),
                serde_json::Value::Object(_) => serde_json::json!({}),
                serde_json::Value::Number(number) => format!("# {number}").into(),
                value => value.clone(),
            };
            (name.clone(), value)
        }).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(objects.any(), !all.is_empty());
        prop_assert_eq!(objects.is_empty(), all.is_empty());
        prop_assert_eq!(objects.end(), text.len() - 1);
    }

    /// What the `csv` crate writes is read as it was, whole and line by line.
    #[test]
    fn rows_come_back(
        rows in prop::collection::vec(prop::collection::vec("[,;\"\r\n aä☃]{0,6}", 2..5), 0..5),
        semicolons in any::<bool>(),
    ) {
        let separator = if semicolons { b';' } else { b',' };
        let mut builder = ::csv::WriterBuilder::new();
        let mut writer = builder.flexible(true).delimiter(separator).from_writer(Vec::new());
        let mut own = Vec::new();
        for row in &rows {
            writer.write_record(row)?;
            for (index, column) in row.iter().enumerate() {
                own.extend((index > 0).then_some(separator));
                csv::write(column.as_bytes(), separator, &mut own);
            }
            own.push(b'\n');
        }
        for text in [writer.into_inner().expect("a buffer"), own] {
            let read: Result<Vec<Vec<Vec<u8>>>, Fault> = csv::Rows::new(&text, separator)
                .map(|(_, row)| Ok(row?.iter().map(|it| it.bytes().into_owned()).collect()))
                .collect();
            let expected: Vec<Vec<Vec<u8>>> = rows.iter()
                .map(|row| row.iter().map(|it| it.clone().into_bytes()).collect())
                .collect();
            prop_assert_eq!(read, Ok(expected));
        }
        for row in &rows {
            let mut line = Vec::new();
            for (index, column) in row.iter().enumerate() {
                line.extend((index > 0).then_some(separator));
                csv::write(column.as_bytes(), separator, &mut line);
            }
            let mut read = Vec::new();
            for column in csv::Columns::new(&line, separator) {
                column?.append_to(&mut read);
            }
            prop_assert_eq!(read, row.concat().into_bytes());
        }
    }

    #[test]
    fn numbers_are_those_of_the_standard_library(
        text in "[ \t]?[-+]?[0-9]{0,17}(\\.[0-9]{0,4})?([eE][-+]?[0-9]{0,3})?[ ]?",
    ) {
        let parsed = text.trim().parse::<f64>();
        match (text::number(text.as_bytes()), parsed) {
            (Ok(read), Ok(parsed)) => prop_assert_eq!(read.to_bits(), parsed.to_bits()),
            (Err(Fault::OutOfRange(_)), Ok(parsed)) => prop_assert!(parsed.is_infinite()),
            (Err(Fault::NotANumber(_)), Err(_)) => {}
            (read, parsed) => prop_assert!(false, "{:?}, {:?}", read, parsed),
        }
    }
}
