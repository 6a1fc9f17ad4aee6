//! The extractor that the component exports.

use sandbar_operator::{ElementType, Error, Extractor, Failure, Field, Record, Row, Setup};

use crate::config::{Config, Type};
use crate::fault::Fault;
use crate::model::Model;
use crate::reader::Reader;
use crate::settings::Settings;

/// Reads images from the values of records; keys and headers do not matter.
#[derive(Debug)]
pub struct ImageFeatures {
    reader: Reader,
}

impl Extractor for ImageFeatures {
    type Config = Config;

    fn configure(config: Config, setup: &Setup) -> Result<ImageFeatures, Error> {
        let model: Option<Model> =
            setup.main_model().map(|name| setup.describe_model(name)).transpose()?;
        let model = model.unwrap_or_default();
        let settings = Settings::new(config, model.preprocessing())?;
        model.check(&settings)?;
        Ok(ImageFeatures { reader: Reader::new(settings) })
    }

    fn features(&self) -> Vec<Field> {
        let settings = self.reader.settings();
        let ty = match settings.ty() {
            Type::Fp32 => ElementType::Fp32,
            Type::U8 => ElementType::U8,
        };
        vec![Field::tensor("image", ty, settings.dimensions())]
    }

    fn extract(&mut self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Failure> {
        row.tensor(self.reader.read(record.value())?);
        Ok(())
    }
}

sandbar_operator::extractor!(ImageFeatures);

impl From<Fault> for Failure {
    #[cold]
    fn from(fault: Fault) -> Failure {
        let failure = match fault {
            Fault::Tombstone | Fault::Empty => Failure::missing,
            Fault::Bytes { .. }
            | Fault::Pixels { .. }
            | Fault::Side { .. }
            | Fault::Memory { .. } => Failure::too_large,
            Fault::OtherFormat { .. } | Fault::Feature { .. } => Failure::unsupported,
            Fault::NotAnImage | Fault::Damaged { .. } => Failure::malformed,
            Fault::Resize { .. } => Failure::internal,
        };
        failure(fault.to_string())
    }
}
