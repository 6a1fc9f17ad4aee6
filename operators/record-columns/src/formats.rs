//! All formats, by their names.

use sandbar_operator::Error;
use sandbar_operator::schemas::Schemas;

use crate::config::{Config, FormatName};
use crate::csv::Csv;
use crate::fault::Fault;
use crate::format::Format;
use crate::found::Findings;
use crate::json::Json;
use crate::layout::Place;
use crate::schemas::{self, BehindId, ByPlan};
use crate::text::Text;

/// Whether records of a format name their schema; such a record may have no bytes of its own.
pub(crate) fn names_schema(format: FormatName) -> bool {
    matches!(format, FormatName::Avro | FormatName::Protobuf | FormatName::JsonSchema)
}

/// What reads values of the format that the configuration names.
///
/// # Errors
/// If the places are none that the format can give.
pub(crate) fn reader(
    config: &Config,
    places: &[Place],
    schemas: Schemas,
) -> Result<Box<dyn Format>, Error> {
    schemas::check(config)?;
    Ok(match config.format {
        FormatName::Auto => Box::new(Auto {
            json: Json::new(config, places)?,
            csv: Csv::new(config, places)?.map_err(Fault::NoFields),
        }),
        FormatName::Csv => Box::new(Csv::new(config, places)??),
        FormatName::Json => Box::new(Json::new(config, places)?),
        FormatName::Text => Box::new(Text::new(places)?),
        FormatName::Avro | FormatName::Protobuf => Box::new(ByPlan::new(config, places, schemas)),
        FormatName::JsonSchema => Box::new(BehindId(Json::new(config, places)?)),
    })
}

/// JSON or CSV, each record for itself.
#[derive(Debug)]
struct Auto {
    json: Json,
    /// Or why there is none.
    csv: Result<Csv, Fault>,
}

impl Format for Auto {
    fn fields(&self) -> Option<&[usize]> {
        self.csv.as_ref().ok().and_then(Format::fields)
    }

    fn read(&mut self, value: &[u8], findings: &mut Findings) -> Result<(), Fault> {
        let text = sandbar_operator::text::bytes(value)?;
        match (text.trim_ascii_start().first(), &mut self.csv) {
            (None, _) => Err(Fault::Empty),
            (Some(b'{' | b'['), _) => self.json.object(value, text, findings),
            (_, Ok(csv)) => csv.line(value, text, findings),
            (_, Err(fault)) => Err(fault.clone()),
        }
    }
}
