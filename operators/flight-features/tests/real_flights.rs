//! The real flights, against the `csv` crate. They are not part of the project:
//! `SANDBAR_TEST_DATA` says where the test data is, and without it this is skipped.

mod common;

use std::io::Read;
use std::path::PathBuf;

use common::{Value, row};
use flight_features::{COLUMNS, Config, Fault, Kind, Reader};
use sandbar_operator::text;

const FILE: &str = "data/airlines/allyears2k_headers.zip";
const FLIGHTS: usize = 43_978;

/// The CSV, or `None` where there is no test data.
fn flights() -> Option<Vec<u8>> {
    let Some(folder) = std::env::var_os("SANDBAR_TEST_DATA") else {
        eprintln!("skipped: SANDBAR_TEST_DATA is not set (its {FILE} is needed)");
        return None;
    };
    let path = PathBuf::from(folder).join(FILE);
    let file = std::fs::File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut archive = zip::ZipArchive::new(file).expect("a zip file");
    let mut csv = Vec::new();
    archive.by_index(0).expect("a file").read_to_end(&mut csv).expect("the whole file");
    Some(csv)
}

/// What a field means, by other means than the crate's.
fn expected(kind: Kind, field: &[u8]) -> Option<Value> {
    let text = str::from_utf8(field).ok()?;
    Some(match (text, kind) {
        ("" | "NA", _) => Value::Missing,
        (text, Kind::Number) => Value::Number(text.parse().expect("a number")),
        (text, Kind::Text) => Value::Text(text.to_owned()),
    })
}

/// Compares every flight with the `csv` crate's view of it. Returns how many give
/// no row, each because of a tail number that is not UTF-8.
fn compare(csv: &[u8], config: &Config) -> usize {
    let mut reader = Reader::new(config).expect("a valid configuration");
    let mut reference = csv::Reader::from_reader(csv);
    let lines = csv.split_inclusive(|byte| *byte == b'\n').skip(1);
    let (mut compared, mut failed) = (0, 0);
    for (line, fields) in lines.zip(reference.byte_records()) {
        let fields = fields.expect("a record");
        let wanted = reader.features().to_vec();
        let values: Option<Vec<Value>> =
            wanted.iter().map(|f| expected(f.kind, &fields[f.column])).collect();
        match values {
            Some(values) => assert_eq!(row(&mut reader, line), Ok(values), "{fields:?}"),
            None => {
                let fault = text::Fault::NotUtf8;
                let fault = Err(Fault::Value { column: "TailNum", fault });
                assert_eq!(row(&mut reader, line), fault, "{fields:?}");
                failed += 1;
            }
        }
        compared += 1;
    }
    assert_eq!(compared, FLIGHTS);
    failed
}

#[test]
fn every_real_flight_gives_its_row() {
    let Some(csv) = flights() else { return };
    assert_eq!(compare(&csv, &Config::default()), 0);

    let names = COLUMNS.map(|column| column.name.to_owned());
    let all_but_tail = names.iter().filter(|name| *name != "TailNum").cloned().collect();
    assert_eq!(compare(&csv, &Config { features: all_but_tail, ..Config::default() }), 0);

    let failed = compare(&csv, &Config { features: names.to_vec(), ..Config::default() });
    assert!((1_000..4_000).contains(&failed), "{failed} tail numbers that are not UTF-8");

    let mut reader = Reader::new(&Config::default()).expect("a valid configuration");
    let header = csv.split_inclusive(|byte| *byte == b'\n').next().expect("a line");
    assert_eq!(row(&mut reader, header), Err(Fault::Header));
}
