//! Records whose schemas are in a real registry, from topic to topic.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use sandbar_tests::{Broker, Runner, Sent, project, schema_registry};
use serde_json::{Value, json};

/// What `tests/golden/schemas/make.py` writes.
fn golden() -> Value {
    let path = project().join("tests/golden/schemas/records.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

/// What a registry answers to a request below its URL.
pub fn ask(url: &str, method: &str, path: &str, body: &Value) -> String {
    let address = url.strip_prefix("http://").unwrap();
    let (address, base) = address.split_once('/').unwrap();
    let body = body.to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{method} /{base}{path} HTTP/1.1\r\nhost: localhost\r\n\
         content-type: application/vnd.schemaregistry.v1+json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Registers a schema, and returns its id.
fn register(url: &str, subject: &str, schema: &Value) -> u32 {
    let answer = ask(url, "POST", &format!("/subjects/{subject}/versions"), schema);
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let json = body.find('{').zip(body.rfind('}')).map(|(start, end)| &body[start..=end]);
    let id = json.and_then(|json| serde_json::from_str::<Value>(json).ok()?["id"].as_u64());
    u32::try_from(id.unwrap_or_else(|| panic!("{answer}"))).unwrap()
}

/// Avro and Protobuf, each with a schema that refers to another; and the reader's by its subject.
#[test]
fn records_are_read_by_the_schemas_of_a_real_registry() {
    let Some(address) = Broker::apache() else { return };
    let Some(registry) = schema_registry() else { return };
    let (broker, golden) = (address, golden());
    // The registry gives ids of its own.
    let mut ids = BTreeMap::new();
    for schema in golden["schemas"].as_array().unwrap() {
        let text = if schema["file"].is_null() { &schema["schema"] } else { &schema["file"] };
        let about = json!({
            "schemaType": schema["schemaType"], "schema": text, "references": schema["references"],
        });
        let id = register(&registry.url(), schema["subject"].as_str().unwrap(), &about);
        ids.insert(schema["id"].as_u64().unwrap() as u32, id);
    }
    for format in ["avro", "protobuf"] {
        let records = golden["records"].as_array().unwrap().iter();
        let records: Vec<&Value> = records
            .filter(|record| record["format"] == format && record["header"].is_null())
            .collect();
        let sent = records.iter().map(|record| {
            let mut value = bytes(&record["value"]);
            let id = u32::from_be_bytes(value[1..5].try_into().unwrap());
            value[1..5].copy_from_slice(&ids[&id].to_be_bytes());
            Sent::value(value)
        });
        let topics = ["in", "out", "dead"].map(|name| broker.topic(name, 1));
        broker.send(&topics[0], &sent.collect::<Vec<_>>());
        let reader = match format {
            "avro" => ", reader = \"orders-value\", at_once = \"orders-value\"",
            _ => "",
        };
        let manifest = format!(
            "name = \"{}\"\nsource = {{ topics = [\"{}\"] }}\nsink = {{ topic = \"{}\" }}\n\
             dead-letter = {{ topic = \"{}\" }}\n[[stages]]\nname = \"read\"\n\
             component = \"{{component:schema-transformer}}\"\ngrants = [\"schemas\"]\n\
             config = {{ format = \"{format}\", places = {}{reader} }}\n\
             [schemas]\nurls = [\"{}\"]\nsubjects = [\"orders-value\"]\n",
            topics[0],
            topics[0],
            topics[1],
            topics[2],
            records[0]["places"],
            registry.url()
        );
        let runner = Runner::start(&broker, &manifest);
        let received = broker.receive(&topics[1], records.len());
        assert_eq!(runner.stop().unwrap().failed(), 0);
        let texts: Vec<String> = received.iter().map(|record| record.text()).collect();
        let expected: Vec<&str> =
            records.iter().map(|record| record["expected"].as_str().unwrap()).collect();
        assert_eq!(texts, expected, "{format}");
    }
}
