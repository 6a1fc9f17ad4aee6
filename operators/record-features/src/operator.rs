//! The extractor that the component exports.

use record_columns::{Config, Reader};
use sandbar_operator::{Error, Extractor, Failure, Field, Record, Row, Setup};

use crate::models;

/// Reads what the stage's models want from records.
#[derive(Debug)]
pub struct RecordFeatures {
    reader: Reader,
}

impl Extractor for RecordFeatures {
    type Config = Config;

    fn configure(config: Config, setup: &Setup) -> Result<RecordFeatures, Error> {
        let reader = Reader::new(&config, models::wanted(setup)?, setup.schemas())?;
        Ok(RecordFeatures { reader })
    }

    fn features(&self) -> Vec<Field> {
        self.reader.features()
    }

    fn extract(&mut self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Failure> {
        self.reader.read(record.value(), record, row).map_err(Failure::from)
    }
}

sandbar_operator::extractor!(RecordFeatures);
