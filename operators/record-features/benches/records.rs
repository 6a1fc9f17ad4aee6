//! Time per record, natively, beside that of `flight-features`: `cargo bench -p record-features`.
//! Both are called as the runner calls them, with batches, and fill tables.

use std::hint::black_box;
use std::time::Instant;

use flight_features::{CLASSIC, COLUMNS, FlightFeatures, Kind};
use flight_records::Flights;
use record_features::RecordFeatures;
use sandbar_operator::Extractor;
use sandbar_operator::schemas::{Key, Language, Schema};
use sandbar_operator::testing::{ExtractorStage, Records, Stage};
use serde_json::{Value, json};

/// Short passes, and many: on a machine that does other things, too, some are undisturbed.
const PASSES: usize = 400;
/// The records of a batch.
const BATCH: usize = 500;
/// The batches of a pass.
const BATCHES: usize = 4;

/// As a JSON producer would write it: numbers as numbers, NA as null.
fn object(line: &str) -> String {
    let fields: Vec<String> = COLUMNS
        .iter()
        .zip(line.split(','))
        .map(|(column, field)| match (field, column.kind) {
            ("NA" | "", _) => format!("\"{}\":null", column.name),
            (_, Kind::Number) => format!("\"{}\":{field}", column.name),
            (_, Kind::Text) => format!("\"{}\":\"{field}\"", column.name),
        })
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn batches(records: &[String]) -> Vec<Records> {
    records.chunks(BATCH).map(|batch| Records::of_values(batch.iter())).collect()
}

fn stage<E: Extractor>(config: Value) -> ExtractorStage<E> {
    Stage::new().config(config).extractor().expect("a valid configuration")
}

/// One pass over all records, in nanoseconds a record.
fn pass<E: Extractor>(stage: &mut ExtractorStage<E>, batches: &[Records]) -> f64 {
    let start = Instant::now();
    for batch in batches {
        black_box(stage.extract(black_box(batch)));
    }
    start.elapsed().as_secs_f64() * 1e9 / (BATCH * BATCHES) as f64
}

/// The table of columns with which this operator reads flights as `flight-features` does.
fn columns(features: &[&str]) -> Value {
    let column = |name: &&str| {
        let is_text =
            COLUMNS.iter().any(|column| column.name == *name && column.kind == Kind::Text);
        json!({ "name": name, "type": if is_text { "text" } else { "number" } })
    };
    json!({
        "columns": features.iter().map(column).collect::<Vec<_>>(),
        "fields": COLUMNS.map(|column| column.name),
        "missing": ["NA"],
        "absent": "missing",
    })
}

/// Whether the command line names it, or nothing.
fn is_asked(what: &str) -> bool {
    let mut names = std::env::args().skip(1).filter(|it| !it.starts_with("--")).peekable();
    names.peek().is_none() || names.any(|name| what.contains(&name))
}

/// The best passes of both, which take turns.
fn compare(what: &str, features: &[&str], records: &[String]) {
    if !is_asked(what) {
        return;
    }
    let batches = batches(records);
    let mut flights = stage::<FlightFeatures>(json!({ "features": features }));
    let mut any = stage::<RecordFeatures>(columns(features));
    let same = any.extract(&batches[0]).rows() == flights.extract(&batches[0]).rows();
    assert!(same, "{what}: both give the same");
    let (mut best, mut other) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..PASSES {
        best = best.min(pass(&mut any, &batches));
        other = other.min(pass(&mut flights, &batches));
    }
    let ratio = best / other;
    println!("{what:<40} {best:>7.1} ns/record, flight-features {other:>7.1}: {ratio:.2}");
}

/// Ten fields, of which two are nested.
fn ten() {
    let what = "json, ten fields, two of them nested";
    if !is_asked(what) {
        return;
    }
    let records: Vec<String> = (0..BATCH * BATCHES)
        .map(|n| {
            let (age, amount, items) = (n % 90, n % 977, n % 7);
            format!(
                r#"{{"id":{n},"customer":{{"age":{age},"country":"DE"}},"amount":{amount}.5,"limit":1000,"currency":"EUR","channel":"web","items":{items},"score":0.{n},"night":0}}"#,
            )
        })
        .collect();
    let config = json!({ "columns": [
        "id",
        { "name": "age", "from": "customer.age" },
        { "name": "country", "from": "/customer/country", "type": "text" },
        "amount",
        "limit",
        { "name": "currency", "type": "text" },
        { "name": "channel", "type": "text" },
        "items",
        "score",
        "night",
    ] });
    let batches = batches(&records);
    let mut any = stage::<RecordFeatures>(config);
    assert!(any.extract(&batches[0]).rows().iter().all(Result::is_ok));
    let best = (0..PASSES).map(|_| pass(&mut any, &batches)).fold(f64::INFINITY, f64::min);
    println!("{what:<40} {best:>7.1} ns/record");
}

/// Appends a whole number as Avro has it.
fn long(number: i64, to: &mut Vec<u8>) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        to.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    to.push(rest as u8);
}

/// The same ten fields as [`ten`] has.
fn ten_of_avro() {
    let what = "avro, ten fields, two of them nested";
    if !is_asked(what) {
        return;
    }
    let field = |name: &str, ty: &str| format!(r#"{{"name":"{name}","type":"{ty}"}}"#);
    let customer = [field("age", "int"), field("country", "string")].join(",");
    let fields = [
        field("id", "long"),
        format!(
            r#"{{"name":"customer","type":{{"type":"record","name":"C","fields":[{customer}]}}}}"#
        ),
        field("amount", "double"),
        field("limit", "int"),
        field("currency", "string"),
        field("channel", "string"),
        field("items", "int"),
        field("score", "double"),
        field("night", "int"),
    ];
    let text = format!(r#"{{"type":"record","name":"R","fields":[{}]}}"#, fields.join(","));
    let schema = Schema { language: Language::Avro, text, references: Vec::new() };
    let text = |text: &str, to: &mut Vec<u8>| {
        long(text.len() as i64, to);
        to.extend(text.as_bytes());
    };
    let records: Vec<Vec<u8>> = (0..(BATCH * BATCHES) as i64)
        .map(|n| {
            let mut record = vec![0, 0, 0, 0, 7];
            long(n, &mut record);
            long(n % 90, &mut record);
            text("DE", &mut record);
            record.extend(((n % 977) as f64 + 0.5).to_le_bytes());
            long(1000, &mut record);
            text("EUR", &mut record);
            text("web", &mut record);
            long(n % 7, &mut record);
            record.extend((n as f64 / 1e4).to_le_bytes());
            long(0, &mut record);
            record
        })
        .collect();
    let config = json!({ "format": "avro", "columns": [
        "id",
        { "name": "age", "from": "customer.age" },
        { "name": "country", "from": "customer.country", "type": "text" },
        "amount",
        "limit",
        { "name": "currency", "type": "text" },
        { "name": "channel", "type": "text" },
        "items",
        "score",
        "night",
    ] });
    let batches: Vec<Records> =
        records.chunks(BATCH).map(|batch| Records::of_values(batch.iter())).collect();
    let stage = Stage::new().schema(Key::Id(7), Ok(schema)).config(config);
    let mut any = stage.extractor::<RecordFeatures>().expect("a valid configuration");
    assert!(any.extract(&batches[0]).rows().iter().all(Result::is_ok));
    let best = (0..PASSES).map(|_| pass(&mut any, &batches)).fold(f64::INFINITY, f64::min);
    println!("{what:<40} {best:>7.1} ns/record");
}

fn main() {
    let lines: Vec<String> = Flights::new(1).take(BATCH * BATCHES).collect();
    let quoted: Vec<String> =
        lines.iter().map(|line| format!("\"{}\"", line.replace(',', "\",\""))).collect();
    let objects: Vec<String> = lines.iter().map(|line| object(line)).collect();
    let all = COLUMNS.map(|column| column.name);
    compare("csv, the classic eight", &CLASSIC, &lines);
    compare("csv, all 31", &all, &lines);
    compare("csv, all quoted, the classic eight", &CLASSIC, &quoted);
    compare("json, the classic eight", &CLASSIC, &objects);
    compare("json, all 31", &all, &objects);
    ten();
    ten_of_avro();
}
