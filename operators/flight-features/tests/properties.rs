//! What holds for any record.

mod common;

use common::{Value, reader, row};
use flight_features::{COLUMNS, Config, Fault, Kind, Reader};
use flight_records::Flights;
use proptest::prelude::*;
use sandbar_operator::text;

/// All columns, in an order that is not theirs.
fn all_backwards() -> Config {
    let features = COLUMNS.iter().rev().map(|column| column.name.to_owned()).collect();
    Config { features, ..Config::default() }
}

/// The values of the columns in the order of [`all_backwards`], as the `csv` crate
/// and the standard library see them.
fn expected(fields: &[String]) -> Vec<Value> {
    let columns = COLUMNS.iter().zip(fields).rev();
    let value = |(column, field): (&flight_features::Column, &String)| match field.as_str() {
        "" | "NA" => Value::Missing,
        text if column.kind == Kind::Number => Value::Number(text.parse().expect("a number")),
        text => Value::Text(text.to_owned()),
    };
    columns.map(value).collect()
}

/// Fields as a JSON object; those where `as_string` is set as strings, missing ones
/// as null or not at all.
fn to_json(fields: &[String], as_string: u32) -> String {
    let mut object = serde_json::Map::new();
    for (index, (column, field)) in COLUMNS.iter().zip(fields).enumerate() {
        let flag = as_string >> index & 1 == 1;
        let value = match field.as_str() {
            "" | "NA" if flag => continue,
            "" | "NA" => serde_json::Value::Null,
            text if column.kind == Kind::Number && !flag => {
                serde_json::from_str(text).expect("a JSON number")
            }
            text => text.into(),
        };
        object.insert(column.name.to_owned(), value);
    }
    serde_json::Value::Object(object).to_string()
}

/// A valid field of each column: what CSV must quote included.
fn fields() -> impl Strategy<Value = Vec<String>> {
    let field = |kind| match kind {
        Kind::Number => prop_oneof![
            Just("NA".to_owned()),
            Just(String::new()),
            any::<i32>().prop_map(|n| n.to_string()),
            (-1e6..1e6).prop_map(|n: f64| n.to_string()),
        ]
        .boxed(),
        Kind::Text => {
            prop_oneof![Just("NA".to_owned()), "[A-Z]{0,3}", "[,;\"\r\n a-zä☃]{0,20}",].boxed()
        }
    };
    COLUMNS.iter().map(|column| field(column.kind)).collect::<Vec<_>>()
}

/// Lines and objects that are nearly right, which get further than noise does.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[0-9]{1,4},",
        2 => Just(",".to_owned()),
        1 => Just("\"".to_owned()),
        1 => Just("\"a\"\"b\",".to_owned()),
        1 => Just("\n".to_owned()),
        1 => Just("\"Year\":".to_owned()),
        1 => Just("\"Origin\":\"S\\u00".to_owned()),
        1 => Just("{".to_owned()),
        1 => Just("}".to_owned()),
        1 => Just("[[".to_owned()),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_bytes_give_a_row_or_a_fault(
        noise in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), nearly()],
        format in prop::sample::select(vec!["auto", "csv", "json"]),
        all in any::<bool>(),
    ) {
        let mut config = if all { all_backwards() } else { Config::default() };
        config.format = common::config(&format!(r#"{{"format": "{format}"}}"#)).format;
        let mut reader = Reader::new(&config).expect("a valid configuration");
        // `row` itself checks what a row must be.
        if let Err(fault) = row(&mut reader, &noise) {
            prop_assert!(fault.to_string().len() < 1000);
        }
    }

    #[test]
    fn damage_to_a_flight_gives_a_row_or_a_fault(
        seed in any::<u64>(),
        json in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        keep in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let line = Flights::new(seed).next().expect("a flight");
        let fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        let mut record = if json { to_json(&fields, 0) } else { line }.into_bytes();
        for (place, byte) in damage {
            let place = place.index(record.len());
            record[place] = byte;
        }
        if cut {
            record.truncate(keep.index(record.len()));
        }
        let mut reader = Reader::new(&all_backwards()).expect("a valid configuration");
        let _ = row(&mut reader, &record);
    }

    #[test]
    fn csv_and_json_of_the_same_flight_give_the_same_row(
        fields in fields(),
        as_string in any::<u32>(),
    ) {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        writer.write_record(&fields)?;
        let line = writer.into_inner().expect("a buffer");
        let expected = expected(&fields);
        let mut reader = Reader::new(&all_backwards()).expect("a valid configuration");
        prop_assert_eq!(row(&mut reader, &line), Ok(expected.clone()));
        let object = to_json(&fields, as_string);
        // Where all is missing and left out there is nothing to tell a flight by.
        prop_assume!(object != "{}");
        prop_assert_eq!(row(&mut reader, object.as_bytes()), Ok(expected));
    }
}

#[test]
fn generated_flights_give_their_fields() {
    let mut all = Reader::new(&all_backwards()).expect("a valid configuration");
    let mut year = reader(r#"{"features": ["Year"]}"#);
    for line in Flights::new(11).take(5_000) {
        let fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        let expected = expected(&fields);
        assert_eq!(row(&mut all, line.as_bytes()).as_ref(), Ok(&expected), "{line}");
        let object = to_json(&fields, 0x5555_5555);
        assert_eq!(row(&mut all, object.as_bytes()), Ok(expected), "{object}");
        let number = fields[0].parse().expect("a year");
        assert_eq!(row(&mut year, line.as_bytes()), Ok(vec![Value::Number(number)]));
    }
}

/// Lines are looked at in pieces: nothing may depend on where one ends.
#[test]
fn columns_are_found_in_lines_of_every_length() {
    let mut all = Reader::new(&all_backwards()).expect("a valid configuration");
    for shift in 0..COLUMNS.len() {
        for extra in 0..180 {
            // One digit more in one column after the other, each time from another one.
            let width = |index| (extra + (index + shift) % COLUMNS.len()) / COLUMNS.len();
            let field = |index| "1234567890"[index % 4..][..width(index)].to_owned();
            let fields: Vec<String> = (0..COLUMNS.len()).map(field).collect();
            let mut line = fields.join(",").into_bytes();
            if line.iter().all(|byte| *byte == b',') {
                continue;
            }
            assert_eq!(row(&mut all, &line), Ok(expected(&fields)), "{fields:?}");

            let place = (extra * 7 + shift) % (line.len() - 1);
            line[place] = b'\n';
            let expected = Err(Fault::Text(text::Fault::Lines));
            assert_eq!(row(&mut all, &line), expected, "a line end at {place}");
        }
    }
}

/// Short values are read several bytes at a time: what a byte means may not depend on
/// its place, nor on what follows the value.
#[test]
fn every_byte_counts_in_every_place_of_a_value() {
    let mut number = reader(r#"{"features": ["LateAircraftDelay"]}"#);
    let mut tail = reader(r#"{"features": ["TailNum"]}"#);
    let bytes = (0..=u8::MAX).filter(|byte| !b",\"\r\n".contains(byte));
    let places = (1..=10).flat_map(|length| (0..length).map(move |place| (length, place)));
    for ((length, place), byte) in places.flat_map(|at| bytes.clone().map(move |byte| (at, byte))) {
        let mut value = b"9876543210"[..length].to_vec();
        value[place] = byte;
        let line =
            |before, after| [b",".repeat(before).as_slice(), &value, &b",".repeat(after)].concat();

        // Enough bytes behind it and too few, as the last two columns may be empty.
        let long = [line(28, 2).as_slice(), b"NOT AT ALL"].concat();
        for line in [line(28, 2), long] {
            let read = row(&mut number, &line);
            match str::from_utf8(value.trim_ascii()).map(str::parse::<f64>) {
                _ if value.trim_ascii().is_empty() => assert_eq!(read, Ok(vec![Value::Missing])),
                Ok(Ok(n)) if n.is_finite() => {
                    assert_eq!(read, Ok(vec![Value::Number(n)]), "{value:?}");
                }
                parsed => {
                    let Err(Fault::Value { fault, .. }) = &read else {
                        panic!("{value:?}: {read:?}")
                    };
                    let is_large = matches!(parsed, Ok(Ok(_)));
                    assert_eq!(is_large, matches!(fault, text::Fault::OutOfRange(_)), "{value:?}");
                }
            }
        }
        let read = row(&mut tail, &line(10, 20));
        match String::from_utf8(value) {
            Ok(value) => assert_eq!(read, Ok(vec![Value::Text(value)])),
            Err(_) => {
                let fault = text::Fault::NotUtf8;
                assert_eq!(read, Err(Fault::Value { column: "TailNum", fault }));
            }
        }
    }
}
