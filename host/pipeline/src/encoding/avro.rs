//! Predictions as records of Avro, in binary. What a schema says is made, once, a row of parts: what
//! is the same for all predictions is bytes by then.

use std::num::NonZeroUsize;

use super::error::EncodeError;
use super::prediction::{Predicting, Prediction};
use super::top::Top;

/// A part of a record, in the order in which it is written.
#[derive(Debug)]
pub(super) enum Part {
    /// What is always the same: models, the numbers of branches of unions, null.
    Bytes(Vec<u8>),
    /// The label, by class.
    Label(Vec<Vec<u8>>),
    /// The probability of the label.
    Probability(Width),
    /// The number of one class or value.
    Number(usize, Width),
    /// All numbers as a map: what is in front of each of them.
    Map(Vec<Vec<u8>>, Width),
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    Double,
    Float,
}

/// Predictions of some scorers by a schema.
#[derive(Debug)]
pub(super) struct Avro {
    /// Each with the number of its scorer.
    parts: Vec<(usize, Part)>,
    /// By scorer.
    tops: Vec<Option<Top>>,
}

impl Avro {
    pub(super) fn new(
        parts: Vec<(usize, Part)>,
        scorers: &[Predicting<'_>],
        top: Option<NonZeroUsize>,
    ) -> Self {
        let mut joined: Vec<(usize, Part)> = Vec::new();
        for (scorer, part) in parts {
            match (joined.last_mut(), part) {
                (Some((_, Part::Bytes(before))), Part::Bytes(bytes)) => before.extend(bytes),
                (_, part) => joined.push((scorer, part)),
            }
        }
        let tops = scorers.iter().map(|scorer| Top::of(scorer.output, top)).collect();
        Avro { parts: joined, tops }
    }

    /// Appends what is predicted: labels and values are of the shape that the scorers declared.
    pub(super) fn encode<'a>(
        &self,
        predictions: impl Iterator<Item = Prediction<'a>> + Clone,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let mut current = (usize::MAX, Prediction { label: None, values: &[] });
        for (scorer, part) in &self.parts {
            if current.0 != *scorer
                && let Some(prediction) = predictions.clone().nth(*scorer)
            {
                current = (*scorer, prediction);
            }
            let Prediction { label, values } = current.1;
            let label = label.map(|label| label as usize).unwrap_or_default();
            match part {
                Part::Bytes(bytes) => out.extend_from_slice(bytes),
                Part::Label(labels) => out.extend_from_slice(&labels[label]),
                Part::Probability(width) => number(values[label], *width, out)?,
                Part::Number(index, width) => number(values[*index], *width, out)?,
                Part::Map(keys, width) => match &self.tops[*scorer] {
                    None => map(keys, values, 0..values.len(), *width, out)?,
                    Some(top) => {
                        let order = top.of_values(values);
                        let order = order.iter().map(|index| *index as usize);
                        map(keys, values, order, *width, out)?;
                    }
                },
            }
        }
        Ok(())
    }
}

/// One block with all entries, and the end.
fn map(
    keys: &[Vec<u8>],
    values: &[f64],
    order: impl ExactSizeIterator<Item = usize>,
    width: Width,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if order.len() > 0 {
        long(order.len() as i64, out);
    }
    for index in order {
        out.extend_from_slice(&keys[index]);
        number(values[index], width, out)?;
    }
    out.push(0);
    Ok(())
}

fn number(value: f64, width: Width, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match width {
        Width::Double => out.extend_from_slice(&value.to_le_bytes()),
        Width::Float => {
            let float = value as f32;
            if value.is_finite() && !float.is_finite() {
                return Err(EncodeError::Float(value));
            }
            out.extend_from_slice(&float.to_le_bytes());
        }
    }
    Ok(())
}

/// A whole number, as Avro has it: zigzag, seven bits a byte.
pub(super) fn long(value: i64, out: &mut Vec<u8>) {
    let mut number = (value << 1 ^ value >> 63) as u64;
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A whole number as bytes.
pub(super) fn longs(value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    long(value as i64, &mut bytes);
    bytes
}

/// A text as bytes.
pub(super) fn text(text: &str) -> Vec<u8> {
    let mut bytes = longs(text.len());
    bytes.extend_from_slice(text.as_bytes());
    bytes
}
