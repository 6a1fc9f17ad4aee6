//! The extractor as the runner sees it: batches, columns, codes.

use flight_features::FlightFeatures;
use flight_records::{CLASSIC, HEADER};
use sandbar_operator::FailureCode::{Invalid, Malformed, Missing, TooLarge, Unsupported};
use sandbar_operator::testing::{Cell, Records, Stage, TestRecord};
use sandbar_operator::{Error, Failure, Field};

#[test]
fn the_default_is_the_classic_eight() -> Result<(), Error> {
    let stage = Stage::new().extractor::<FlightFeatures>()?;
    let numbers = ["Year", "Month", "DayofMonth", "DayOfWeek", "CRSDepTime"].map(Field::number);
    let texts = ["UniqueCarrier", "Origin", "Dest"].map(Field::text);
    assert_eq!(stage.features(), [&numbers[..], &texts[..]].concat());
    Ok(())
}

#[test]
fn every_record_gives_its_row_or_its_failure() -> Result<(), Error> {
    let mut stage = Stage::new()
        .config(r#"{"features": ["Year", "Origin", "TailNum"], "max_bytes": 1000}"#)
        .extractor::<FlightFeatures>()?;
    let [first, second] = CLASSIC;
    let values: [(&[u8], Result<f64, _>); 18] = [
        (first.as_bytes(), Ok(1987.0)),
        (b"", Err((Missing, "the value is empty, not a flight"))),
        (HEADER.as_bytes(), Err((Unsupported, "the value is the CSV header line, not a flight"))),
        (b"garbage", Err((Malformed, "expected 31 columns, got 1"))),
        (&[b','; 99], Err((Malformed, "expected 31 columns, got 100"))),
        (second.as_bytes(), Ok(1999.0)),
        (&[b'x'; 1001], Err((TooLarge, "the value has 1001 bytes, which exceeds `max_bytes`"))),
        (b"{\"Year\":", Err((Malformed, "not a JSON object: EOF while parsing"))),
        (br#"{"Month": 1}"#, Err((Missing, "the JSON object has none of the keys"))),
        (br#"{"Year": 1, "Year": 1}"#, Err((Malformed, "duplicate key 'Year' in the JSON object"))),
        (br#"{"Year": "x"}"#, Err((Invalid, "Year: expected a number, got \"x\""))),
        (br#"{"Year": []}"#, Err((Invalid, "Year: unexpected JSON type: an array"))),
        (br#"{"Year": 2001, "Origin": "SAN"}"#, Ok(2001.0)),
        (b"1\n2", Err((Malformed, "expected one line, got several"))),
        (b"a\"b", Err((Malformed, "column 1: quote inside an unquoted column"))),
        (&latin1(first), Err((Malformed, "TailNum: not UTF-8"))),
        (b"\x00\xff\xfe", Err((Malformed, "expected 31 columns, got 1"))),
        (first.as_bytes(), Ok(1987.0)),
    ];
    let batch = Records::of_values(values.iter().map(|(value, _)| value));
    let null = TestRecord { key: Some(b"key".to_vec()), ..TestRecord::default() };
    let rows = stage.extract(&batch.record(null)).rows();

    let tombstone = (&b""[..], Err((Missing, "the value is null (a tombstone), not a flight")));
    assert_eq!(rows.len(), values.len() + 1);
    for (row, (value, expected)) in rows.iter().zip(values.iter().chain([&tombstone])) {
        match (row, expected) {
            (Ok(row), Ok(year)) => {
                assert_eq!(*row, [Cell::Number(*year), Cell::text("SAN"), Cell::Missing]);
            }
            (Err(Failure { code, message }), Err((wanted, start))) => {
                assert_eq!(code, wanted, "{message}");
                assert!(message.starts_with(start), "{message}");
            }
            _ => panic!("{} gave {row:?}", value.escape_ascii()),
        }
    }
    Ok(())
}

/// The line with a tail number that is Latin-1.
fn latin1(line: &str) -> Vec<u8> {
    let mut line = line.replacen(",NA,", ",N335?,", 1).into_bytes();
    for byte in &mut line {
        *byte = if *byte == b'?' { 0xe6 } else { *byte };
    }
    line
}

#[test]
fn a_wrong_configuration_is_refused() {
    for (config, says) in [
        (r#"{"features": ["Yaer"]}"#, "`features`: unknown column \"Yaer\": use any of Year,"),
        (r#"{"format": "xml"}"#, "xml"),
        (r#"{"featurs": ["Year"]}"#, "featurs"),
        (r#"{"separator": "a"}"#, "`separator`: 'a' can be part of a value"),
    ] {
        match Stage::new().config(config).extractor::<FlightFeatures>() {
            Ok(_) => panic!("accepted {config}"),
            Err(error) => assert!(error.message().contains(says), "{}", error.message()),
        }
    }
}
