//! TOML values as JSON, which operators are handed.

use serde::{Deserialize, Deserializer};

/// A TOML table as the JSON object that the operator gets: dates become
/// strings; NaN and infinity have no place in JSON.
pub fn json_object<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<serde_json::Map<String, serde_json::Value>, D::Error> {
    json_members(toml::Table::deserialize(from)?).map_err(serde::de::Error::custom)
}

/// Any TOML value as JSON, under a key that need not be there.
pub fn json_value<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<serde_json::Value>, D::Error> {
    json(toml::Value::deserialize(from)?).map(Some).map_err(serde::de::Error::custom)
}

/// The members of a TOML table as those of a JSON object.
///
/// # Errors
/// If a number is not finite.
pub fn json_members(
    table: toml::Table,
) -> Result<serde_json::Map<String, serde_json::Value>, String> {
    table.into_iter().map(|(key, value)| Ok((key, json(value)?))).collect()
}

fn json(value: toml::Value) -> Result<serde_json::Value, String> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) if !number.is_finite() => {
            return Err(format!("the number {number} has no JSON form; leave it out"));
        }
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(array) => {
            array.into_iter().map(json).collect::<Result<Vec<_>, _>>()?.into()
        }
        toml::Value::Table(table) => json_members(table)?.into(),
    })
}
