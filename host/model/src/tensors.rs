//! Inputs and outputs of a graph, as a `model.toml` declares them.

use std::fmt;

use half::{bf16, f16};
use serde::{Deserialize, Serialize};

/// An input or an output: its name, element type and dimensions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TensorSpec {
    /// The name in the graph.
    pub name: String,
    /// The type of its elements. Default: `fp32`.
    #[serde(rename = "type", default)]
    pub ty: ElementType,
    /// Its dimensions; a string is one that the caller chooses, as the batch `"N"`.
    pub shape: Vec<Dimension>,
}

/// The type of a tensor's elements, under the names of `wasi:nn`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ElementType {
    /// IEEE 754, 16 bits.
    Fp16,
    /// IEEE 754, 32 bits.
    #[default]
    Fp32,
    /// IEEE 754, 64 bits.
    Fp64,
    /// The upper half of an `Fp32`.
    Bf16,
    /// Unsigned, 8 bits.
    U8,
    /// Signed, 32 bits.
    I32,
    /// Signed, 64 bits.
    I64,
}

impl TensorSpec {
    /// Whether its first dimension is the batch, which the caller chooses.
    pub fn is_by_row(&self) -> bool {
        matches!(self.shape.first(), Some(Dimension::Symbol(_)))
    }

    /// How many elements each row of a batch has, or all of it where there is no batch;
    /// `None` where the caller chooses that.
    pub fn row_elements(&self) -> Option<usize> {
        let size = |dimension: &Dimension| match dimension {
            Dimension::Fixed(size) => Some(*size as usize),
            Dimension::Symbol(_) => None,
        };
        let row = &self.shape[usize::from(self.is_by_row())..];
        row.iter().try_fold(1usize, |count, dimension| count.checked_mul(size(dimension)?))
    }
}

impl ElementType {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            ElementType::U8 => 1,
            ElementType::Fp16 | ElementType::Bf16 => 2,
            ElementType::Fp32 | ElementType::I32 => 4,
            ElementType::Fp64 | ElementType::I64 => 8,
        }
    }

    /// Appends a number as an element: the nearest value of this type.
    pub fn encode(self, number: f64, to: &mut Vec<u8>) {
        match self {
            ElementType::Fp16 => to.extend(f16::from_f64(number).to_le_bytes()),
            ElementType::Fp32 => to.extend((number as f32).to_le_bytes()),
            ElementType::Fp64 => to.extend(number.to_le_bytes()),
            ElementType::Bf16 => to.extend(bf16::from_f64(number).to_le_bytes()),
            ElementType::U8 => to.push(number as u8),
            ElementType::I32 => to.extend((number as i32).to_le_bytes()),
            ElementType::I64 => to.extend((number as i64).to_le_bytes()),
        }
    }

    /// The elements as numbers. An incomplete last one is ignored.
    /// A single-precision number is the double of the same decimal digits, `0.1` and not
    /// `0.10000000149011612`: for people who compare it with what they wrote.
    pub fn decode(self, bytes: &[u8]) -> Vec<f64> {
        /// The double that is written with the same digits.
        fn digits(number: f32) -> f64 {
            number.to_string().parse().unwrap_or(f64::from(number))
        }
        match self {
            ElementType::Fp16 => elements(bytes, |it| f16::from_le_bytes(it).to_f64()),
            ElementType::Fp32 => elements(bytes, |it| digits(f32::from_le_bytes(it))),
            ElementType::Fp64 => elements(bytes, f64::from_le_bytes),
            ElementType::Bf16 => elements(bytes, |it| bf16::from_le_bytes(it).to_f64()),
            ElementType::U8 => elements(bytes, |[it]| f64::from(it)),
            ElementType::I32 => elements(bytes, |it| f64::from(i32::from_le_bytes(it))),
            ElementType::I64 => elements(bytes, |it| i64::from_le_bytes(it) as f64),
        }
    }
}

fn elements<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|chunk| number(*chunk)).collect()
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ElementType::Fp16 => "fp16",
            ElementType::Fp32 => "fp32",
            ElementType::Fp64 => "fp64",
            ElementType::Bf16 => "bf16",
            ElementType::U8 => "u8",
            ElementType::I32 => "i32",
            ElementType::I64 => "i64",
        })
    }
}

/// One dimension of a tensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Dimension {
    /// Of this size.
    Fixed(u32),
    /// Of any size; the same one for each use of this name.
    Symbol(String),
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dimension::Fixed(size) => size.fmt(f),
            Dimension::Symbol(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ElementType::{Bf16, Fp16, Fp32, Fp64, I32, I64, U8};

    #[test]
    fn elements_are_the_numbers_that_were_written() {
        for ty in [Fp16, Fp32, Fp64, Bf16, U8, I32, I64] {
            let numbers = [0.0, 1.0, 2.0, 96.0];
            let mut bytes = Vec::new();
            numbers.iter().for_each(|number| ty.encode(*number, &mut bytes));
            assert_eq!(bytes.len(), numbers.len() * ty.size());
            assert_eq!(ty.decode(&bytes), numbers, "{ty}");
        }
        let mut bytes = Vec::new();
        Fp32.encode(0.1, &mut bytes);
        assert_eq!(Fp32.decode(&bytes), [0.1]);
        bytes.push(7);
        assert_eq!(Fp32.decode(&bytes), [0.1], "a part of an element is none");
        assert_eq!(U8.decode(&[255]), [255.0]);
    }
}
