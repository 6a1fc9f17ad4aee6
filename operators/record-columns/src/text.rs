//! Values that are one text.

use sandbar_operator::{Error, text};

use crate::fault::Fault;
use crate::format::Format;
use crate::found::{Findings, Found, Span};
use crate::layout::Place;

/// Reads texts.
#[derive(Debug)]
pub(crate) struct Text;

impl Text {
    pub(crate) fn new(places: &[Place]) -> Result<Text, Error> {
        let names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
        match places {
            [] => Ok(Text),
            [place] if place.array.is_none() => Ok(Text),
            _ => Err(format!(
                "`format` is \"text\", which gives one column; got {}: use another format, or a \
                 `constant`, header or part of the record for the others",
                names.join(", ")
            )
            .into()),
        }
    }
}

impl Format for Text {
    fn read(&mut self, value: &[u8], findings: &mut Findings) -> Result<(), Fault> {
        let text = text::bytes(value)?;
        if text.is_empty() {
            return Err(Fault::Empty);
        }
        findings.clear();
        let skipped = value.len() - text.len();
        if let Some(place) = findings.places.first_mut() {
            *place = Found::Text(Span::of_value(skipped..value.len()));
        }
        Ok(())
    }
}
