//! The least that an extractor can do, to measure what the interface costs: one
//! number per record, the bytes of its value (0 where it is null).

use sandbar_operator::{Error, Extractor, Failure, Field, NoConfig, Record, Row, Setup};

/// The extractor.
pub struct Echo;

impl Extractor for Echo {
    type Config = NoConfig;

    fn configure(_: NoConfig, _: &Setup) -> Result<Self, Error> {
        Ok(Echo)
    }

    fn features(&self) -> Vec<Field> {
        vec![Field::number("length")]
    }

    fn extract(&mut self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Failure> {
        row.number(record.value().map_or(0, <[u8]>::len) as f64);
        Ok(())
    }
}

sandbar_operator::extractor!(Echo);
