//! Any bytes as a record, in each format, give a row that the interface allows or a
//! failure, and a reader owes nothing to what it read before.

use flight_features::{COLUMNS, Config, Fault, Format, Kind, Reader, Sink};

/// A row, bit by bit, so that -0 and 0 differ.
#[derive(Debug, Default, PartialEq)]
struct Row(Vec<Option<Result<u64, String>>>);

impl Sink for Row {
    fn number(&mut self, number: f64) {
        assert!(number.is_finite());
        self.0.push(Some(Ok(number.to_bits())));
    }
    fn text(&mut self, text: &str) {
        assert!(!text.is_empty());
        self.0.push(Some(Err(text.to_owned())));
    }
    fn missing(&mut self) {
        self.0.push(None);
    }
}

fn read(reader: &mut Reader, record: &[u8]) -> Result<Row, Fault> {
    let mut row = Row::default();
    reader.read(Some(record), &mut row)?;
    assert_eq!(row.0.len(), reader.features().len());
    for (cell, feature) in row.0.iter().zip(reader.features()) {
        match cell {
            Some(Ok(_)) => assert_eq!(feature.kind, Kind::Number),
            Some(Err(_)) => assert_eq!(feature.kind, Kind::Text),
            None => {}
        }
    }
    Ok(row)
}

/// Reads two records, which the last zero byte parts.
///
/// # Panics
/// Where the interface is broken, or the second changes what is read of the first.
pub fn records(bytes: &[u8]) {
    let middle = bytes.iter().rposition(|byte| *byte == 0).unwrap_or(bytes.len());
    let (first, second) = (&bytes[..middle], bytes.get(middle + 1..).unwrap_or_default());
    let all: Vec<String> = COLUMNS.iter().rev().map(|column| column.name.to_owned()).collect();
    for format in [Format::Auto, Format::Csv, Format::Json] {
        for features in [Config::default().features, all.clone()] {
            let config = Config { format, features, ..Config::default() };
            let new = || Reader::new(&config).expect("a valid configuration");
            let mut reader = new();
            let alone = read(&mut reader, first);
            let _ = read(&mut reader, second);
            assert_eq!(read(&mut reader, first), alone);
            assert_eq!(read(&mut new(), first), alone);
            if let Err(fault) = alone {
                assert!(fault.to_string().len() < 1000);
            }
        }
    }
}
