//! Records to rows: what the component does, without the component.

use sandbar_operator::text;

use crate::config::{Config, ConfigError, Feature, Format};
use crate::csv::Lines;
use crate::fault::Fault;
use crate::json::Objects;
use crate::sink::Sink;

/// Reads the values of records. After the first ones nothing is allocated, except
/// for JSON strings with escapes.
#[derive(Debug)]
pub struct Reader {
    format: Format,
    max_bytes: usize,
    features: Vec<Feature>,
    lines: Lines,
    objects: Objects,
}

impl Reader {
    /// A reader for this configuration, or what is wrong with it.
    pub fn new(config: &Config) -> Result<Reader, ConfigError> {
        let features = config.wanted()?;
        Ok(Reader {
            format: config.format,
            max_bytes: config.max_bytes()?,
            lines: Lines::new(config.separator()?, &features),
            objects: Objects::new(&features),
            features,
        })
    }

    /// What goes out, in this order.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// Reads a record's value (`None` for null) and writes one value for each
    /// feature to `row`. After a fault, `row` may have been given some.
    pub fn read(&mut self, value: Option<&[u8]>, row: &mut impl Sink) -> Result<(), Fault> {
        let value = value.ok_or(Fault::Tombstone)?;
        if value.len() > self.max_bytes {
            return Err(Fault::TooLarge { bytes: value.len(), limit: self.max_bytes });
        }
        let value = text::bytes(value)?;
        let first = value.trim_ascii_start().first().ok_or(Fault::Empty)?;
        let json = match self.format {
            Format::Auto => matches!(first, b'{' | b'['),
            Format::Csv => false,
            Format::Json => true,
        };
        if json {
            self.objects.read(value, &self.features, row)
        } else {
            self.lines.read(value, &self.features, row)
        }
    }
}
