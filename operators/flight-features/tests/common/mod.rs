//! Reads a record and keeps the row.

#![allow(dead_code, reason = "each test file uses its part of this")]

use flight_features::{Config, Fault, Reader, Sink};

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Number(f64),
    Text(String),
    Missing,
}

/// A row as it was written.
#[derive(Debug, Default)]
pub struct Row(pub Vec<Value>);

impl Sink for Row {
    fn number(&mut self, number: f64) {
        assert!(number.is_finite(), "a number that the interface takes for missing");
        self.0.push(Value::Number(number));
    }
    fn text(&mut self, text: &str) {
        assert!(!text.is_empty(), "a text that the interface takes for missing");
        self.0.push(Value::Text(text.to_owned()));
    }
    fn missing(&mut self) {
        self.0.push(Value::Missing);
    }
}

/// The row of a record, which has as many values as there are features.
pub fn row(reader: &mut Reader, value: &[u8]) -> Result<Vec<Value>, Fault> {
    let mut row = Row::default();
    reader.read(Some(value), &mut row)?;
    assert_eq!(row.0.len(), reader.features().len());
    Ok(row.0)
}

/// A configuration as the host hands it over.
pub fn config(json: &str) -> Config {
    serde_json::from_str(json).expect("a configuration")
}

pub fn reader(json: &str) -> Reader {
    Reader::new(&config(json)).expect("a valid configuration")
}
