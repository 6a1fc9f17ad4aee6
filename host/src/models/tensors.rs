//! Inputs and outputs of a graph, as a `model.toml` declares them.

use std::fmt;

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
    /// Its dimensions; a text is one that the caller chooses, as the batch `"N"`.
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
    /// Of any size; the same one wherever this name stands.
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
