//! The extractor that the component exports.

use sandbar_operator::{Error, Extractor, Failure, Field, Record, Row, Setup};

use crate::columns::Kind;
use crate::config::Config;
use crate::fault::Fault;
use crate::reader::Reader;
use crate::sink::Sink;

/// Reads flights from the values of records; keys and headers do not matter.
#[derive(Debug)]
pub struct FlightFeatures {
    reader: Reader,
}

impl Extractor for FlightFeatures {
    type Config = Config;

    fn configure(config: Config, _: &Setup) -> Result<FlightFeatures, Error> {
        Ok(FlightFeatures { reader: Reader::new(&config)? })
    }

    fn features(&self) -> Vec<Field> {
        let features = self.reader.features().iter();
        features
            .map(|feature| match feature.kind {
                Kind::Number => Field::number(feature.name),
                Kind::Text => Field::text(feature.name),
            })
            .collect()
    }

    fn extract(&mut self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Failure> {
        self.reader.read(record.value(), row).map_err(Failure::from)
    }
}

sandbar_operator::extractor!(FlightFeatures);

impl Sink for Row<'_> {
    fn number(&mut self, number: f64) {
        Row::number(self, number);
    }

    fn text(&mut self, text: &str) {
        Row::text(self, text);
    }

    fn missing(&mut self) {
        Row::missing(self);
    }
}

impl From<Fault> for Failure {
    #[cold]
    fn from(fault: Fault) -> Failure {
        Failure { code: fault.code(), message: fault.to_string().into() }
    }
}
