//! Values that can be written in more than one form: as a plain value, or as a table for
//! what a plain value cannot express.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Value;

use sandbar_inference::StandIn;
use sandbar_model::ElementType;

/// Key, value or header of a record: text, `{ base64 = "..." }` or `{ null = true }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub Option<Vec<u8>>);

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BytesTable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    null: Option<bool>,
}

/// The bytes of a base64 text.
///
/// # Errors
/// If it is not base64.
pub fn from_base64(text: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).map_err(|cause| format!("invalid base64: {cause}"))
}

/// A table, parsed as the struct with its keys.
fn table<T: DeserializeOwned, E: Error>(table: toml::Table) -> Result<T, E> {
    table.try_into().map_err(|cause: toml::de::Error| E::custom(cause.message()))
}

fn unexpected<T, E: Error>(found: &Value, expected: &str) -> Result<T, E> {
    Err(E::custom(format!("invalid type: {}, expected {expected}", found.type_str())))
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Bytes(match Value::deserialize(from)? {
            Value::String(text) => Some(text.into_bytes()),
            Value::Table(members) => match table::<BytesTable, D::Error>(members)? {
                BytesTable { base64: Some(text), null: None } => {
                    Some(from_base64(&text).map_err(D::Error::custom)?)
                }
                BytesTable { base64: None, null: Some(true) } => None,
                _ => return Err(D::Error::custom("give either base64 or null = true")),
            },
            other => return unexpected(&other, "a text, { base64 = \"...\" } or { null = true }"),
        }))
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Some(bytes) = &self.0 else {
            return BytesTable { base64: None, null: Some(true) }.serialize(to);
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => to.serialize_str(text),
            Err(_) => BytesTable { base64: Some(STANDARD.encode(bytes)), null: None }.serialize(to),
        }
    }
}

/// The headers of one name: one value, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderValues(pub Vec<Bytes>);

impl<'de> Deserialize<'de> for HeaderValues {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let one = |value: Value| {
            value.try_into().map_err(|cause: toml::de::Error| D::Error::custom(cause.message()))
        };
        Ok(HeaderValues(match Value::deserialize(from)? {
            Value::Array(list) => list.into_iter().map(one).collect::<Result<_, _>>()?,
            other => vec![one(other)?],
        }))
    }
}

impl Serialize for HeaderValues {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(to),
            several => several.serialize(to),
        }
    }
}

/// An expected or actual feature.
#[derive(Debug, Clone, PartialEq)]
pub enum Feature {
    /// A number.
    Number(f64),
    /// A text that is not empty.
    Text(String),
    /// Not a number, or an empty text.
    Missing,
    /// A tensor, or the parts of it that are compared.
    Tensor(TensorValue),
}

/// The parts of a tensor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TensorValue {
    /// The type of its elements.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub ty: Option<ElementType>,
    /// Its dimensions, without the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<u32>>,
    /// All elements in row-major order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<f64>>,
    /// Some elements, by their indices: `"0,5,7"`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub at: IndexMap<String, f64>,
}

/// A [`Feature`] that is not a plain value.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MissingTable {
    missing: bool,
}

impl<'de> Deserialize<'de> for Feature {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(from)? {
            Value::Integer(number) => Feature::Number(number as f64),
            Value::Float(number) => Feature::number(number),
            Value::String(text) => Feature::text(&text),
            Value::Table(members) if members.contains_key("missing") => {
                match table::<MissingTable, D::Error>(members)? {
                    MissingTable { missing: true } => Feature::Missing,
                    MissingTable { missing: false } => {
                        return Err(D::Error::custom("write missing = true, or the value"));
                    }
                }
            }
            Value::Table(members) => Feature::Tensor(table::<_, D::Error>(members)?),
            other => {
                let forms =
                    "a number, a text, { missing = true } or a tensor as in { shape = [2] }";
                return unexpected(&other, forms);
            }
        })
    }
}

impl Feature {
    /// A number as in the contract.
    pub fn number(number: f64) -> Self {
        if number.is_nan() { Feature::Missing } else { Feature::Number(number) }
    }

    /// A text as in the contract.
    pub fn text(text: &str) -> Self {
        if text.is_empty() { Feature::Missing } else { Feature::Text(text.to_owned()) }
    }
}

impl Serialize for Feature {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Feature::Number(number) => to.serialize_f64(*number),
            Feature::Text(text) => to.serialize_str(text),
            Feature::Missing => MissingTable { missing: true }.serialize(to),
            Feature::Tensor(tensor) => tensor.serialize(to),
        }
    }
}

/// A feature of one input row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// The elements of a tensor, in row-major order.
    Elements(Vec<f64>),
    /// A tensor, or a missing value.
    Other(CellTable),
}

/// A [`Cell`] that is not a plain value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CellTable {
    /// Whether the value is missing.
    #[serde(default)]
    pub missing: bool,
    /// The value of all elements of a tensor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<f64>,
    /// The file with the elements of a tensor, little-endian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// A model for a case.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelSpec {
    /// A model folder, relative to the file.
    Folder(PathBuf),
    /// A stand-in.
    StandIn(Box<StandIn>),
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let element = |value: Value| match value {
            Value::Integer(number) => Ok(number as f64),
            Value::Float(number) => Ok(number),
            other => unexpected(&other, "a number"),
        };
        Ok(match Value::deserialize(from)? {
            Value::Integer(number) => Cell::Number(number as f64),
            Value::Float(number) => Cell::Number(number),
            Value::String(text) => Cell::Text(text),
            Value::Array(list) => {
                Cell::Elements(list.into_iter().map(element).collect::<Result<_, D::Error>>()?)
            }
            Value::Table(members) => Cell::Other(table::<CellTable, D::Error>(members)?),
            other => {
                let forms = "a number, a text, the numbers of a tensor, or a table with missing, fill or file";
                return unexpected(&other, forms);
            }
        })
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::Number(number) => to.serialize_f64(*number),
            Cell::Text(text) => to.serialize_str(text),
            Cell::Elements(elements) => elements.serialize(to),
            Cell::Other(members) => members.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for ModelSpec {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::String(folder) => Ok(ModelSpec::Folder(folder.into())),
            Value::Table(members) => {
                Ok(ModelSpec::StandIn(Box::new(table::<_, D::Error>(members)?)))
            }
            other => unexpected(&other, "a model's folder, or a table with a fixed answer"),
        }
    }
}

impl Serialize for ModelSpec {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            ModelSpec::Folder(folder) => folder.serialize(to),
            ModelSpec::StandIn(stub) => stub.serialize(to),
        }
    }
}
