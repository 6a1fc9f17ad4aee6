//! The registry's JSON. What is in it beside this is ignored.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::schema::{Cause, Language, SchemaError};

/// A schema, or a version of a subject.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    pub(crate) schema: String,
    /// Absent for Avro.
    schema_type: Option<String>,
    #[serde(default)]
    pub(crate) references: Option<Vec<Link>>,
}

/// Where something is that a schema refers to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Link {
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) version: i64,
}

/// What is wrong, as the registry says it.
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

/// Characters of a registry's own words that are passed on.
const WORDS: usize = 200;

/// What a schema that was sent is known by.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Registered {
    pub(crate) id: u32,
    /// Registries have it since 2025.
    #[serde(default)]
    pub(crate) guid: Option<String>,
}

/// Reads an answer.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body)
        .map_err(|error| format!("the answer is not that of a schema registry: {error}"))
}

impl Answer {
    /// What the schema is written in.
    pub(crate) fn language(&self) -> Result<Language, SchemaError> {
        match self.schema_type.as_deref() {
            None | Some("AVRO") => Ok(Language::Avro),
            Some("PROTOBUF") => Ok(Language::Protobuf),
            Some("JSON") => Ok(Language::JsonSchema),
            Some(other) => Err(SchemaError::new(
                Cause::Invalid,
                format!("a schema of type {:?}; AVRO, PROTOBUF and JSON are known", words(other)),
            )),
        }
    }
}

/// What an answer says is wrong, if it says anything.
pub(crate) fn refusal(body: &[u8]) -> String {
    let Refusal { message } = serde_json::from_slice(body).unwrap_or_default();
    if message.is_empty() { String::new() } else { format!(": {}", words(&message)) }
}

fn words(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_registries_are_read() -> Result<(), String> {
        let answer = read::<Answer>(br#"{"schema":"\"long\""}"#)?;
        assert_eq!(answer.language(), Ok(Language::Avro));
        assert_eq!(answer.schema, "\"long\"");
        let answer = read::<Answer>(
            br#"{"schemaType":"PROTOBUF","schema":"","id":7,"references":[{"name":"a.proto","subject":"a","version":2}]}"#,
        )?;
        assert_eq!(answer.language(), Ok(Language::Protobuf));
        let link = Link { name: "a.proto".into(), subject: "a".into(), version: 2 };
        assert_eq!(answer.references, Some(vec![link]));
        let other = read::<Answer>(br#"{"schema":"","schemaType":"XML","references":null}"#)?;
        assert!(other.language().is_err_and(|error| error.cause == Cause::Invalid));
        let registered = read::<Registered>(br#"{"id":7,"version":1}"#)?;
        assert_eq!(registered, Registered { id: 7, guid: None });
        for id in ["-1", "4294967296", "1.5", "null"] {
            assert!(read::<Registered>(format!("{{\"id\":{id}}}").as_bytes()).is_err(), "{id}");
        }
        for nonsense in ["", "<html>", "[]", "{}", "{\"schema\":1}"] {
            assert!(read::<Answer>(nonsense.as_bytes()).is_err(), "{nonsense}");
        }
        Ok(())
    }

    #[test]
    fn refusals_are_shortened() {
        assert_eq!(
            refusal(br#"{"error_code":40403,"message":"Schema not found"}"#),
            ": Schema not found"
        );
        assert_eq!(refusal(b"<html>"), "");
        let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(1000));
        assert_eq!(refusal(long.as_bytes()).len(), 2 + WORDS);
    }
}
