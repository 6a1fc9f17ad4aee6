//! Schemas that are written to a registry, or looked up there, under a subject.

use std::time::Instant;

use serde_json::json;

use crate::answers::Registered;
use crate::client::Client;
use crate::schema::{Cause, Language, SchemaError};

/// What a schema is known by in a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaId {
    /// Its number.
    pub id: u32,
    /// Its globally unique id, where the registry gives one.
    pub guid: Option<[u8; 16]>,
}

/// A schema that refers to no other, under a subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectSchema {
    /// The subject.
    pub subject: String,
    /// What the schema is written in.
    pub language: Language,
    /// What it says.
    pub text: String,
}

impl SubjectSchema {
    /// What the registry knows it by; with `register` it is put there if it is not.
    pub(crate) async fn id(
        &self,
        client: &Client,
        register: bool,
        deadline: Instant,
    ) -> Result<SchemaId, SchemaError> {
        let kind = match self.language {
            Language::Avro => "AVRO",
            Language::Protobuf => "PROTOBUF",
            Language::JsonSchema => "JSON",
        };
        let body = json!({ "schema": self.text, "schemaType": kind });
        let subject = ["subjects", self.subject.as_str()];
        let versions = ["subjects", self.subject.as_str(), "versions"];
        let path = if register { versions.as_slice() } else { subject.as_slice() };
        let Registered { id, guid } = client.post(path, &body, deadline).await?;
        let guid = guid.as_deref().map(bytes).transpose().map_err(|()| {
            let message = "the answer is not that of a schema registry: its guid is no UUID";
            SchemaError::new(Cause::Unavailable, message)
        })?;
        Ok(SchemaId { id, guid })
    }
}

/// The bytes of a UUID.
fn bytes(text: &str) -> Result<[u8; 16], ()> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    let number = match digits.len() == 32 && digits.iter().all(u8::is_ascii_hexdigit) {
        true => std::str::from_utf8(&digits).ok().and_then(|it| u128::from_str_radix(it, 16).ok()),
        false => None,
    };
    number.map(u128::to_be_bytes).ok_or(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_read() {
        let expected = *b"\x01\x23\x45\x67\x89\xab\xcd\xef\x00\x11\x22\x33\x44\x55\x66\x77";
        assert_eq!(bytes("01234567-89ab-CDEF-0011-223344556677"), Ok(expected));
        for other in [
            "",
            "0123",
            "01234567-89ab-cdef-0011-22334455667g",
            "+1234567-89ab-cdef-0011-223344556677",
        ] {
            assert_eq!(bytes(other), Err(()), "{other}");
        }
    }
}
