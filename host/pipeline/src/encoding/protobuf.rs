//! Predictions as messages of Protobuf. But for its numbers a message is prepared; its length is a
//! sum.

use std::num::NonZeroUsize;

use sandbar_sandbox::OutputSchema;

use super::generated::{LABEL, MODEL, PROBABILITIES, VALUES};
use super::prediction::{Predicting, Prediction};
use super::top::Top;

/// Bytes of a double with its tag.
const DOUBLE: usize = 9;
/// The wire types.
const FIXED64: u32 = 1;
const LENGTH: u32 = 2;

/// The messages of some scorers: that of one as it is, those of several in another.
#[derive(Debug)]
pub(super) struct Protobuf {
    messages: Vec<Message>,
}

/// The message of a prediction.
#[derive(Debug)]
struct Message {
    /// The tag of the field that it is, where there are several.
    tag: Vec<u8>,
    /// The field with the label, by class.
    labels: Vec<Vec<u8>>,
    /// The entries by class or value, but for the number at their ends.
    entries: Vec<Vec<u8>>,
    model: Vec<u8>,
    top: Option<Top>,
}

impl Protobuf {
    pub(super) fn new(scorers: &[Predicting<'_>], top: Option<NonZeroUsize>) -> Self {
        let of = |(at, scorer): (usize, &Predicting<'_>)| {
            let mut tag = Vec::new();
            if scorers.len() > 1 {
                varint((at as u64 + 1) << 3 | u64::from(LENGTH), &mut tag);
            }
            Message::new(tag, scorer, top)
        };
        Protobuf { messages: scorers.iter().enumerate().map(of).collect() }
    }

    /// Appends what is predicted: labels and values are of the shape that the scorers declared.
    pub(super) fn encode<'a>(
        &self,
        predictions: impl Iterator<Item = Prediction<'a>>,
        out: &mut Vec<u8>,
    ) {
        for (message, prediction) in self.messages.iter().zip(predictions) {
            message.encode(prediction, out);
        }
    }
}

impl Message {
    fn new(tag: Vec<u8>, scorer: &Predicting<'_>, top: Option<NonZeroUsize>) -> Self {
        let names = scorer.output.names();
        let (labels, numbers) = match scorer.output {
            OutputSchema::Classes(_) => {
                (names.iter().map(|name| text(LABEL, name)).collect(), PROBABILITIES)
            }
            OutputSchema::Values(_) => (Vec::new(), VALUES),
        };
        Message {
            tag,
            labels,
            entries: names.iter().map(|name| entry(numbers, name)).collect(),
            model: text(MODEL, scorer.model),
            top: Top::of(scorer.output, top),
        }
    }

    fn encode(&self, Prediction { label, values }: Prediction<'_>, out: &mut Vec<u8>) {
        let label = label.and_then(|label| self.labels.get(label as usize));
        let label = label.map(Vec::as_slice).unwrap_or_default();
        let order = self.top.as_ref().map(|top| top.of_values(values));
        let at = |place: usize| order.as_ref().map_or(place, |order| order[place] as usize);
        let count = order.as_ref().map_or(values.len(), |order| order.len());
        if !self.tag.is_empty() {
            let entries: usize = (0..count).map(|place| self.entries[at(place)].len() + 8).sum();
            out.extend_from_slice(&self.tag);
            varint((label.len() + entries + self.model.len()) as u64, out);
        }
        out.extend_from_slice(label);
        for index in (0..count).map(at) {
            out.extend_from_slice(&self.entries[index]);
            out.extend_from_slice(&values[index].to_le_bytes());
        }
        out.extend_from_slice(&self.model);
    }
}

/// A field with a text; of the empty one there is none.
fn text(field: u32, text: &str) -> Vec<u8> {
    if text.is_empty() { Vec::new() } else { text_always(field, text) }
}

fn text_always(field: u32, text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(u64::from(field << 3 | LENGTH), &mut bytes);
    varint(text.len() as u64, &mut bytes);
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// The entry of a map, but for the bytes of its number.
fn entry(field: u32, key: &str) -> Vec<u8> {
    let key = text_always(1, key);
    let mut bytes = Vec::new();
    varint(u64::from(field << 3 | LENGTH), &mut bytes);
    varint((key.len() + DOUBLE) as u64, &mut bytes);
    bytes.extend_from_slice(&key);
    varint(u64::from(2 << 3 | FIXED64), &mut bytes);
    bytes
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
