//! The extractor that the component exports.

use sandbar_operator::{Error, Extractor, Failure, Field, Record, Row, Setup};

use crate::config::Config;
use crate::reader::Reader;
use crate::sink::Sink;

/// Reads what the stage's models want from records.
#[derive(Debug)]
pub struct RecordFeatures {
    reader: Reader,
}

impl Extractor for RecordFeatures {
    type Config = Config;

    fn configure(config: Config, setup: &Setup) -> Result<RecordFeatures, Error> {
        Ok(RecordFeatures { reader: Reader::new(&config, setup)? })
    }

    fn features(&self) -> Vec<Field> {
        self.reader.features()
    }

    fn extract(&mut self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Failure> {
        self.reader.read(record.value(), record, row).map_err(Failure::from)
    }
}

sandbar_operator::extractor!(RecordFeatures);

impl Sink for Row<'_> {
    fn number(&mut self, number: f64) {
        Row::number(self, number);
    }

    fn text(&mut self, text: &str) {
        Row::text(self, text);
    }

    fn tensor(&mut self, elements: &[u8]) {
        Row::tensor(self, elements);
    }

    fn missing(&mut self) {
        Row::missing(self);
    }
}
