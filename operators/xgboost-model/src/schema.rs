//! What a model wants of a row, without what scores it: for who makes the rows.

use crate::document;
use crate::error::Error;
use crate::features::{self, Feature};
use crate::limits::Limits;
use crate::parameters;

/// The columns of a model's rows. Trees are read, to get behind them, and not compiled.
#[derive(Debug, Clone)]
pub struct Schema {
    features: Vec<Feature>,
}

impl Schema {
    /// Reads the columns of a model, within the default [`Limits`].
    ///
    /// # Errors
    /// [`Error`], for anything that is not a model. Of which kind it is does not matter.
    pub fn read(bytes: &[u8]) -> Result<Schema, Error> {
        let limits = Limits::default();
        let document = document::read(bytes, &limits)?;
        let count = parameters::feature_count(&document, &limits)?;
        Ok(Schema { features: features::read(&document, count)? })
    }

    /// The columns of a row, in their order.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }
}
