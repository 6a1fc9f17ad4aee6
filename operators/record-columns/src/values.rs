//! Records' values to what is wanted of them.

use record_schemas::wire::VALUE_HEADER;
use sandbar_operator::Error;
use sandbar_operator::schemas::Schemas;

use crate::cell::Content;
use crate::config::{Booleans, Config};
use crate::envelope::Envelope;
use crate::fault::Fault;
use crate::format::Format;
use crate::formats;
use crate::found::Findings;
use crate::layout::Place;

/// Reads values, one after the other.
#[derive(Debug)]
pub(crate) struct Values {
    format: Box<dyn Format>,
    findings: Findings,
    booleans: Booleans,
    max_bytes: usize,
    /// Whether records name their schema.
    names_schema: bool,
    /// Whether anything is wanted of them.
    is_any_wanted: bool,
}

impl Values {
    /// What reads these places of values.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub(crate) fn new(
        config: &Config,
        places: &[Place],
        schemas: Schemas,
    ) -> Result<Values, Error> {
        if config.max_bytes == 0 {
            return Err("`max_bytes`: must be greater than zero".into());
        }
        Ok(Values {
            format: formats::reader(config, places, schemas)?,
            findings: Findings::new(places.len()),
            booleans: config.booleans,
            max_bytes: config.max_bytes.min(u32::MAX as usize),
            names_schema: formats::names_schema(config.format),
            is_any_wanted: !places.is_empty(),
        })
    }

    /// Of a format that has lines the index of each place's column in one.
    pub(crate) fn fields(&self) -> Option<&[usize]> {
        self.format.fields()
    }

    /// Finds what is wanted in the value of a record. Where that is nothing, it may be anything.
    ///
    /// # Errors
    /// If it cannot be read; [`Fault::NoColumn`] where it has nothing that is wanted.
    #[inline]
    pub(crate) fn find<'a>(
        &'a mut self,
        value: Option<&'a [u8]>,
        envelope: &impl Envelope,
    ) -> Result<Content<'a>, Fault> {
        let value = match self.is_any_wanted {
            true => self.read(value, envelope)?,
            false => b"",
        };
        Ok(self.content(value))
    }

    /// The same, which has nothing at any place where the value has nothing that is wanted.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn find_any<'a>(
        &'a mut self,
        value: Option<&'a [u8]>,
        envelope: &impl Envelope,
    ) -> Result<Content<'a>, Fault> {
        let value = match self.is_any_wanted {
            true => match self.read(value, envelope) {
                Err(Fault::NoColumn) => {
                    self.findings.clear();
                    b""
                }
                value => value?,
            },
            false => b"",
        };
        Ok(self.content(value))
    }

    fn content<'a>(&'a self, value: &'a [u8]) -> Content<'a> {
        Content { value, findings: &self.findings, booleans: self.booleans }
    }

    #[inline]
    fn read<'a>(
        &mut self,
        value: Option<&'a [u8]>,
        envelope: &impl Envelope,
    ) -> Result<&'a [u8], Fault> {
        let mut value = value.ok_or(Fault::Tombstone)?;
        match value.len() {
            0 if !self.names_schema => return Err(Fault::Empty),
            bytes if bytes > self.max_bytes => {
                return Err(Fault::TooLarge { bytes, limit: self.max_bytes });
            }
            _ => {}
        }
        if self.names_schema {
            value = self.format.open(value, envelope.header(VALUE_HEADER).flatten())?;
        }
        self.format.read(value, &mut self.findings)?;
        Ok(value)
    }
}
