//! A registry with the schemas for which Confluent's serializers wrote the records of
//! `tests/golden/schemas`, and a pipeline that reads them.

use std::collections::BTreeMap;

use sandbar::pipeline::harness::{Harness, Written};
use sandbar::record::Input;
use sandbar_tests::http::{Answer, Request, Server};
use sandbar_tests::project;
use sandbar_tests::runner::plan;
use serde::Deserialize;
use serde_json::{Value, json};

/// The file that `make.py` there writes.
#[derive(Deserialize)]
pub struct Golden {
    pub schemas: Vec<Registered>,
    pub records: Vec<Record>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    pub subject: String,
    pub version: u32,
    pub id: u32,
    pub guid: String,
    pub schema_type: String,
    pub schema: String,
    pub references: Vec<Value>,
}

#[derive(Deserialize)]
pub struct Record {
    pub format: String,
    value: String,
    header: Option<String>,
    pub places: Vec<String>,
    pub expected: String,
}

impl Golden {
    pub fn read() -> Self {
        let path = project().join("tests/golden/schemas/records.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// What a registry answers that has these schemas, by its path.
    pub fn answers(&self) -> BTreeMap<String, String> {
        let mut answers = BTreeMap::new();
        for schema in &self.schemas {
            let about = json!({
                "subject": schema.subject, "version": schema.version, "id": schema.id,
                "schemaType": schema.schema_type, "schema": schema.schema,
                "references": schema.references, "more": {"is": "ignored"},
            });
            let Registered { subject, version, id, guid, .. } = schema;
            for path in [
                format!("/schemas/ids/{id}"),
                format!("/schemas/guids/{guid}"),
                format!("/subjects/{subject}/versions/{version}"),
                format!("/subjects/{subject}/versions/latest"),
            ] {
                answers.insert(path, about.to_string());
            }
        }
        answers
    }

    /// A server with them.
    pub fn serve(&self) -> Server {
        let answers = self.answers();
        Server::start(move |request| found(&answers, request))
    }

    pub fn of_format(&self, format: &str) -> Vec<&Record> {
        self.records.iter().filter(|record| record.format == format).collect()
    }
}

/// As Confluent's registry answers.
pub fn found(answers: &BTreeMap<String, String>, request: &Request) -> Answer {
    match answers.get(&request.target) {
        Some(answer) => Answer::body(answer.as_str()),
        None => Answer {
            body: br#"{"error_code":40403,"message":"Schema not found"}"#.to_vec(),
            ..Answer::status(404)
        },
    }
}

impl Record {
    /// As it is in a topic.
    pub fn input(&self) -> Input {
        let input = Input::value(bytes(&self.value));
        match &self.header {
            Some(header) => input.header("__value_schema_id", bytes(header)),
            None => input,
        }
    }
}

pub fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

/// A pipeline that writes what records have at places; `schemas` is the rest of its manifest.
pub fn manifest(format: &str, places: &[String], config: &str, schemas: &str) -> String {
    format!(
        "name = \"schemas\"\nsource = {{ topics = [\"in\"] }}\nsink = {{ topic = \"out\" }}\n\
         [[stages]]\nname = \"read\"\ncomponent = \"{{component:schema-transformer}}\"\n\
         grants = [\"schemas\"]\nretries = 0\n\
         config = {{ format = \"{format}\", places = {places:?}{config} }}\n{schemas}"
    )
}

pub fn harness(manifest: &str) -> Harness {
    Harness::new(&plan(manifest, "").unwrap()).unwrap()
}

/// The texts that came out.
pub fn texts(written: &Written) -> Vec<String> {
    written.outputs.iter().map(|output| output.text().into_owned()).collect()
}

/// Codes and messages of what failed.
pub fn failures(written: &Written) -> Vec<(String, String)> {
    let letters = written.dead_letters.iter();
    letters.map(|letter| (letter.code.as_str().to_owned(), letter.message.to_string())).collect()
}
