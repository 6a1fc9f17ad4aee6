//! With a table of columns it reads flights as `flight-features` does.

mod common;

use common::stage;
use flight_features::{COLUMNS, FlightFeatures, Kind};
use flight_records::Flights;
use sandbar_operator::testing::{Records, Stage};
use serde_json::json;

#[test]
fn flights_are_those_of_flight_features() {
    let lines: Vec<String> = Flights::new(7).take(3000).collect();
    let object = |line: &String| {
        let fields: Vec<String> = COLUMNS
            .iter()
            .zip(line.split(','))
            .map(|(column, field)| format!("\"{}\":\"{field}\"", column.name))
            .collect();
        format!("{{{}}}", fields.join(","))
    };
    let objects: Vec<String> = lines.iter().map(object).collect();
    let bad = [
        "",
        "x",
        "{}",
        "[]",
        "{\"Year\":\"x\"}",
        "{\"Year\":1e400}",
        "{\"Year\":1,\"Year\":1}",
        "{\"Origin\":1.5}",
        "{\"Origin\":true}",
        "a\"b",
        "1\n2",
        "{\"Year\":\" NA \",\"Dest\":\"NA\"}",
    ];
    let columns: Vec<_> = COLUMNS
        .iter()
        .map(|column| {
            json!({ "name": column.name,
                "type": if column.kind == Kind::Text { "text" } else { "number" } })
        })
        .collect();
    let names = COLUMNS.map(|column| column.name);
    let mut any = stage(json!({
        "columns": columns, "fields": names, "missing": ["NA"], "absent": "missing",
        "max_bytes": 65536,
    }));
    let mut flights = Stage::new()
        .config(json!({ "features": names }))
        .extractor::<FlightFeatures>()
        .expect("a valid configuration");
    let values = lines.iter().chain(&objects).map(String::as_str).chain(bad);
    let batch = Records::of_values(values);
    let (any, flights) = (any.extract(&batch).rows(), flights.extract(&batch).rows());
    for (one, other) in any.iter().zip(&flights) {
        match (one, other) {
            (Ok(one), Ok(other)) => assert_eq!(one, other),
            (Err(one), Err(other)) => assert_eq!(one.code, other.code, "{one} / {other}"),
            _ => panic!("{one:?} / {other:?}"),
        }
    }
}
