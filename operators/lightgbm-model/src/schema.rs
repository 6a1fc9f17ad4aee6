//! What a text model wants of a row, without the model: for who makes the rows.

use crate::ending;
use crate::error::Error;
use crate::features::{self, Feature};
use crate::header::{END_OF_TREES, Header};
use crate::limits::{self, Limits};
use crate::text::{self, Lines};

/// The columns of a model's rows. Trees are passed over, so that a component that wants no more is
/// small.
#[derive(Debug, Clone)]
pub struct Schema {
    features: Vec<Feature>,
}

impl Schema {
    /// Reads the columns of a text model, within the default [`Limits`].
    ///
    /// # Errors
    /// [`Error`], for anything that is not a text model, as far as its header and its end tell.
    pub fn read(bytes: &[u8]) -> Result<Schema, Error> {
        let limits = Limits::default();
        limits::check(|| "bytes".into(), bytes.len() as u64, limits.bytes, "bytes")?;
        let mut lines = Lines::new(text::of_bytes(bytes)?);
        let header = Header::read(&mut lines, &limits)?;
        let mut features = features::read(&header)?;
        while lines.peek().is_some_and(|line| line.text != END_OF_TREES) {
            lines.next();
        }
        ending::read(&mut lines, &mut features, &limits)?;
        Ok(Schema { features })
    }

    /// The columns of a row, in their order.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }
}
