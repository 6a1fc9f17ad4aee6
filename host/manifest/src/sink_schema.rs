//! `schema` of `[sink]` and of its routes: the schema of predictions in Avro, Protobuf or JSON
//! Schema, and what a registry has to do with it.

use serde::{Deserialize, Serialize};

use sandbar_config::units::optional_text;

/// `[sink] schema`: what a schema is called, and where its id goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SinkSchema {
    /// The subject in the registry. Default: by `strategy`.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How the subject follows from topic and name. Default: `topic-name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<SubjectStrategy>,
    /// Whether the schema is put into the registry. Default: it has to be there.
    pub register: bool,
    /// Where a value says its schema. Default: in front.
    pub id: IdPlace,
    /// The name of the record, the message or the object. Default: `Prediction`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The namespace of Avro, the package of Protobuf; in front of the title of a JSON Schema.
    /// None by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// A schema of `[schemas.files]`, of Avro, instead of one that is generated.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// How a subject follows from the topic and the full name of what is written: Confluent's three
/// strategies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectStrategy {
    /// `TOPIC-value`. The default.
    #[default]
    TopicName,
    /// The full name.
    RecordName,
    /// `TOPIC-NAME`.
    TopicRecordName,
}

/// Where a value says its schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdPlace {
    /// In front of the value. The default.
    #[default]
    Prefix,
    /// In the header `__value_schema_id`.
    Header,
    /// Nowhere: readers know it. No registry is asked.
    None,
}

impl SinkSchema {
    /// The name of what is generated, without its namespace.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("Prediction")
    }

    /// The subject of a schema for `topic` that is about `full_name`.
    pub fn subject(&self, topic: &str, full_name: &str) -> String {
        match (&self.subject, self.strategy.unwrap_or_default()) {
            (Some(subject), _) => subject.clone(),
            (None, SubjectStrategy::TopicName) => format!("{topic}-value"),
            (None, SubjectStrategy::RecordName) => full_name.to_owned(),
            (None, SubjectStrategy::TopicRecordName) => format!("{topic}-{full_name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_follow_the_strategy() {
        let with = |strategy| SinkSchema { strategy, ..SinkSchema::default() };
        for (schema, expected) in [
            (with(None), "out-value"),
            (with(Some(SubjectStrategy::TopicName)), "out-value"),
            (with(Some(SubjectStrategy::RecordName)), "shop.Prediction"),
            (with(Some(SubjectStrategy::TopicRecordName)), "out-shop.Prediction"),
            (SinkSchema { subject: Some("own".into()), ..with(None) }, "own"),
        ] {
            assert_eq!(schema.subject("out", "shop.Prediction"), expected);
        }
    }
}
