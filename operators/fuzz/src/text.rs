//! Any bytes as text: what the SDK's readers take, others take too and see the same in it.

use std::collections::BTreeMap;

use sandbar_operator::text::{self, Fault, csv, json};
use serde::de::IgnoredAny;

/// Reads bytes as a number, as CSV and as a JSON object.
///
/// # Panics
/// Where what is read is not what the standard library, the `csv` crate and `serde_json` read,
/// or a message is long.
pub fn any(bytes: &[u8]) {
    let text = match text::bytes(bytes) {
        Ok(text) => text,
        Err(fault) => return check(&fault),
    };
    number(text);
    for separator in [b',', b';'] {
        table(text, separator);
        line(text, separator);
    }
    object(text);
}

fn check(fault: &Fault) {
    assert!(fault.to_string().len() < 1000, "{fault}");
}

fn number(text: &[u8]) {
    let parsed = str::from_utf8(text).ok().and_then(|text| text.trim_ascii().parse::<f64>().ok());
    match text::number(text) {
        Ok(number) => {
            assert!(number.is_finite());
            assert_eq!(parsed.map(f64::to_bits), Some(number.to_bits()));
        }
        Err(fault) => {
            assert!(parsed.is_none_or(|number| !number.is_finite()));
            check(&fault);
        }
    }
}

fn table(text: &[u8], separator: u8) {
    let rows = csv::Rows::new(text, separator).map(|(_, row)| row);
    let rows = match rows.collect::<Result<Vec<_>, Fault>>() {
        Ok(rows) => rows,
        Err(fault) => return check(&fault),
    };
    // The crate would take another mark for the first.
    if text.starts_with(b"\xef\xbb\xbf") {
        return;
    }
    let mut builder = ::csv::ReaderBuilder::new();
    let mut reader =
        builder.delimiter(separator).has_headers(false).flexible(true).from_reader(text);
    let mut others = reader.byte_records();
    for row in &rows {
        let other = others.next().expect("as many rows").expect("no input or output");
        let row: Vec<_> = row.iter().map(csv::Column::bytes).collect();
        assert!(row.iter().map(|it| &**it).eq(other.iter()), "{row:?}, {other:?}");
    }
    assert!(others.next().is_none(), "fewer rows");
}

/// A line is a table of one row.
fn line(text: &[u8], separator: u8) {
    let (line, end) = csv::split_end(text);
    assert_eq!([line, end].concat(), text);
    let columns: Result<Vec<_>, Fault> = csv::Columns::new(line, separator).collect();
    match columns {
        Ok(columns) if line.is_empty() => assert_eq!(columns.len(), 1),
        Ok(columns) => {
            let rows: Vec<_> = csv::Rows::new(line, separator).map(|(_, row)| row).collect();
            assert_eq!(rows, [Ok(columns)]);
        }
        Err(fault) => check(&fault),
    }
}

fn object(text: &[u8]) {
    let mut objects = json::Objects::new(["Year", "Origin", "a"]);
    let mut read = || {
        let mut found = Vec::new();
        objects.read(text, |index, value| {
            found.push((index, value));
            Ok::<_, Fault>(())
        })?;
        assert_eq!(text[objects.end()], b'}');
        Ok::<_, Fault>(found)
    };
    let found = read();
    assert_eq!(found, read(), "what was read before shows");
    let all = || str::from_utf8(text).map(serde_json::from_str::<BTreeMap<String, IgnoredAny>>);
    match found {
        Ok(found) => {
            for (index, value) in found {
                if let json::Value::Number(number) = value {
                    // One of JSON is one of ours.
                    assert!(!matches!(text::number(number), Err(Fault::NotANumber(_))), "{index}");
                }
            }
            if let Ok(Err(error)) = all() {
                // Keys that are not wanted may have half a character.
                let error = error.to_string();
                assert!(error.contains("surrogate") || error.contains("hex escape"), "{error}");
            }
        }
        Err(fault) => {
            check(&fault);
            if let Fault::Json { problem } = &fault
                && !problem.starts_with("in a string")
            {
                assert!(!matches!(all(), Ok(Ok(_))), "{problem}");
            }
        }
    }
}
