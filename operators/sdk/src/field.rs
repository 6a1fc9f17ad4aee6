//! Names and types of features, and of what predictions are made of.

pub use crate::bindings::scoring::Output;
pub use crate::bindings::types::{ElementType, Field, FieldType, TensorShape};

impl Field {
    /// A feature that is a number; NaN where it is missing.
    pub fn number(name: impl Into<String>) -> Field {
        Field { name: name.into(), ty: FieldType::Number }
    }

    /// A feature that is text; empty where it is missing.
    pub fn text(name: impl Into<String>) -> Field {
        Field { name: name.into(), ty: FieldType::Text }
    }

    /// A feature that is a tensor of these dimensions, the row not among them.
    pub fn tensor(
        name: impl Into<String>,
        element: ElementType,
        dimensions: impl Into<Vec<u32>>,
    ) -> Field {
        let shape = TensorShape { element, dimensions: dimensions.into() };
        Field { name: name.into(), ty: FieldType::Tensor(shape) }
    }
}

impl ElementType {
    /// The name in a `model.toml` and in messages: `fp32`, `u8`.
    pub fn name(self) -> &'static str {
        match self {
            ElementType::Fp16 => "fp16",
            ElementType::Fp32 => "fp32",
            ElementType::Fp64 => "fp64",
            ElementType::Bf16 => "bf16",
            ElementType::U8 => "u8",
            ElementType::I32 => "i32",
            ElementType::I64 => "i64",
        }
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            ElementType::U8 => 1,
            ElementType::Fp16 | ElementType::Bf16 => 2,
            ElementType::Fp32 | ElementType::I32 => 4,
            ElementType::Fp64 | ElementType::I64 => 8,
        }
    }
}

impl TensorShape {
    /// Bytes of one row. Saturates where memory could not hold them.
    pub fn row_bytes(&self) -> usize {
        self.dimensions
            .iter()
            .fold(self.element.size(), |bytes, size| bytes.saturating_mul(*size as usize))
    }
}

impl Output {
    /// The classes, or the values' names.
    pub fn names(&self) -> &[String] {
        match self {
            Output::Classes(names) | Output::Values(names) => names,
        }
    }
}
