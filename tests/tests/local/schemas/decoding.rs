//! Records that Confluent's serializers wrote are read as its deserializers read them.

use sandbar::record::Input;

use super::stand_in::{Golden, failures, harness, manifest, texts};

fn read_all(format: &str) {
    let golden = Golden::read();
    let server = golden.serve();
    let records = golden.of_format(format);
    assert!(records.len() >= 4);
    let schemas = format!("[schemas]\nurls = [\"{}\"]\n", server.url(""));
    let mut harness = harness(&manifest(format, &records[0].places, "", &schemas));
    let written = harness.pipe(records.iter().map(|record| record.input())).unwrap();
    let expected: Vec<&str> = records.iter().map(|record| record.expected.as_str()).collect();
    assert_eq!(failures(&written), []);
    assert_eq!(texts(&written), expected);
    // Each schema is asked for once, for ever.
    let asked = server.requests().len();
    harness.pipe(records.iter().map(|record| record.input())).unwrap();
    assert_eq!(server.requests().len(), asked);
}

#[test]
fn avro_with_the_id_in_front_or_in_a_header() {
    read_all("avro");
}

#[test]
fn protobuf_with_the_id_in_front_or_in_a_header() {
    read_all("protobuf");
}

#[test]
fn records_that_are_none_fail_with_their_cause_and_the_others_go_on() {
    let golden = Golden::read();
    let server = golden.serve();
    let record = golden.of_format("avro")[0];
    let good = record.input();
    let value = good.value.clone().unwrap();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut value = value.clone();
        change(&mut value);
        Input::value(value)
    };
    let schemas = format!("[schemas]\nurls = [\"{}\"]\n", server.url(""));
    let mut harness = harness(&manifest("avro", &record.places, "", &schemas));
    let written = harness.pipe([
        with(&|value| value[0] = 7),
        with(&|value| value[4] = 99),
        with(&|value| value.truncate(3)),
        with(&|value| value.truncate(8)),
        with(&|value| value.push(0)),
        // The id of a schema of Protobuf.
        with(&|value| value[4] = golden.of_format("protobuf")[0].input().value.unwrap()[4]),
        // A length of 2^62.
        Input::value([&value[..5], &[14], &[0; 8], &[0x80; 9], &[1]].concat()),
        Input::value("{}"),
        good,
    ]);
    let written = written.unwrap();
    assert_eq!(texts(&written), [record.expected.as_str()]);
    let expected = [
        ("malformed", "begins with the byte 7"),
        ("invalid", "the schema with id 99: the server answers 404 Not Found: Schema not found"),
        ("malformed", "ends in the id"),
        ("malformed", "ends in the middle"),
        ("malformed", "1 bytes are left"),
        ("unsupported", "is in Protobuf, not Avro"),
        ("malformed", "ends in the middle"),
        ("malformed", "begins with the byte 123"),
    ];
    let found = failures(&written);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((code, message), (due, part)) in found.iter().zip(expected) {
        assert!(code == due && message.contains(part), "{due}, {part}: {code}, {message}");
    }
}

/// The reader's schema has a field that the writer's has not, and another name for one.
#[test]
fn avro_is_read_as_the_latest_schema_of_a_subject() {
    let golden = Golden::read();
    let mut answers = golden.answers();
    let reader = r#"{"type":"record","name":"shop.Order","fields":[
        {"name":"number","aliases":["id"],"type":"double"},
        {"name":"rebate","type":"float","default":0.5}]}"#;
    let answer = serde_json::json!({"subject": "reader", "version": 3, "id": 50, "schema": reader});
    answers.insert("/subjects/reader/versions/latest".into(), answer.to_string());
    let server = sandbar_tests::http::Server::start(move |request| {
        super::stand_in::found(&answers, request)
    });
    let schemas = format!("[schemas]\nurls = [\"{}\"]\nsubjects = [\"reader\"]\n", server.url(""));
    let places = ["number", "rebate", "id"].map(str::to_owned);
    let mut harness = harness(&manifest(
        "avro",
        &places,
        ", reader = \"reader\", at_once = \"reader\"",
        &schemas,
    ));
    let written = harness.pipe([golden.of_format("avro")[0].input()]).unwrap();
    assert_eq!(failures(&written), []);
    assert_eq!(texts(&written), ["7 0.5 absent"]);
}
