//! Registries that are away, slow, or answer nonsense; and large ones.

use std::time::Duration;

use sandbar_tests::http::{Answer, Server};

use super::stand_in::{Golden, failures, found, harness, manifest, texts};

/// What becomes of a record when the registry answers so.
fn outcome(
    rest: &str,
    answer: impl Fn(&sandbar_tests::http::Request) -> Answer + Send + Sync + 'static,
) -> (Vec<String>, Vec<(String, String)>, usize) {
    let golden = Golden::read();
    let record = golden.of_format("avro")[0];
    let server = Server::start(answer);
    let schemas = format!("[schemas]\nurls = [\"{}\"]\n{rest}", server.url(""));
    let mut harness = harness(&manifest("avro", &record.places, "", &schemas));
    let written = harness.pipe([record.input()]).unwrap();
    (texts(&written), failures(&written), server.requests().len())
}

#[test]
fn a_server_that_fails_is_asked_again() {
    let answers = Golden::read().answers();
    let (texts, failures, asked) = outcome("", move |request| match request.before {
        0 => Answer::status(503),
        1 => Answer::body("<html>one moment please</html>"),
        2 => Answer { cut: Some(10), ..found(&answers, request) },
        _ => found(&answers, request),
    });
    assert_eq!((texts.len(), failures), (1, vec![]));
    // The schema and what it refers to, each four times.
    assert_eq!(asked, 8);
}

#[test]
fn what_fails_for_too_long_is_unavailable() {
    for (what, answer) in [
        ("503", Answer::status(503)),
        ("not that of a schema registry", Answer::body("<html>")),
        ("not that of a schema registry", Answer::body("{\"schema\":7}")),
        ("no answer within", Answer { delay: Duration::from_secs(20), ..Answer::status(200) }),
        ("answers 401 Unauthorized", Answer::status(401)),
        ("answers 302 Found", Answer::redirect("http://127.0.0.1:1/")),
    ] {
        let (texts, failures, _) = outcome("timeout = \"300ms\"\n", move |_| answer.clone());
        assert_eq!(texts.len(), 0);
        let [(code, message)] = failures.as_slice() else { panic!("{failures:?}") };
        assert!(code == "unavailable" && message.contains(what), "{what}: {code}, {message}");
        assert!(message.starts_with("the schema with id 2: http://127.0.0.1:"), "{message}");
    }
}

#[test]
fn another_server_is_asked_in_place_of_one_that_is_away() {
    let golden = Golden::read();
    let server = golden.serve();
    let records = golden.of_format("avro");
    let broken = Server::start(|_| Answer::status(500));
    // Nobody listens on the first.
    let urls =
        format!("urls = [\"http://127.0.0.1:1\", \"{}\", \"{}\"]", broken.url(""), server.url(""));
    let mut harness =
        harness(&manifest("avro", &records[0].places, "", &format!("[schemas]\n{urls}\n")));
    let written = harness.pipe(records.iter().map(|record| record.input())).unwrap();
    assert_eq!(failures(&written), []);
    assert_eq!(written.outputs.len(), records.len());
    // Who has answered is asked first from then on.
    assert_eq!(broken.requests().len(), 1);
}

#[test]
fn the_registry_comes_back_before_the_retries_are_over() {
    let golden = Golden::read();
    let (answers, record) = (golden.answers(), golden.of_format("avro")[0]);
    let server = Server::start(move |request| match request.before {
        0..3 => Answer::status(500),
        _ => found(&answers, request),
    });
    let schemas = format!("[schemas]\nurls = [\"{}\"]\ntimeout = \"50ms\"\n", server.url(""));
    let manifest = manifest("avro", &record.places, "", &schemas);
    let mut harness = harness(&manifest.replace("retries = 0", "retries = 9"));
    let written = harness.pipe([record.input()]).unwrap();
    assert_eq!(failures(&written), []);
    assert_eq!(texts(&written), [record.expected.as_str()]);
}

#[test]
fn a_large_schema_is_read_and_one_that_is_too_large_refused() {
    let large = |bytes: usize| {
        let golden = Golden::read();
        let mut answers = golden.answers();
        let schema = &golden.schemas.iter().find(|schema| schema.id == 2).unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&schema.schema).unwrap();
        json["doc"] = "x".repeat(bytes).into();
        let answer =
            serde_json::json!({"schema": json.to_string(), "references": schema.references});
        answers.insert("/schemas/ids/2".into(), answer.to_string());
        answers
    };
    let answers = large(1 << 20);
    let (texts, failures, _) = outcome("", move |request| found(&answers, request));
    assert_eq!((texts.len(), failures), (1, vec![]));
    for (bytes, rest) in [(5 << 20, ""), (100 << 20, ""), (2_000, "max-size = \"1 KiB\"\n")] {
        let answers = large(bytes);
        let (texts, failures, _) = outcome(rest, move |request| found(&answers, request));
        assert_eq!(texts.len(), 0);
        let [(code, message)] = failures.as_slice() else { panic!("{failures:?}") };
        assert!(code == "too-large" && message.contains("max-size"), "{code}, {message}");
    }
}

/// One that refers to itself, many, and what nobody knows.
#[test]
fn references_come_to_an_end() {
    let link = |name: &str| serde_json::json!({"name": name, "subject": name, "version": 1});
    let answer = |links: Vec<serde_json::Value>| {
        let schema = r#"{"type":"record","name":"R","fields":[]}"#;
        Answer::body(serde_json::json!({"schema": schema, "references": links}).to_string())
    };
    let name = |target: &str| target.split('/').nth(2).unwrap_or_default().to_owned();
    // Each refers to the next, for ever.
    let (_, failures, asked) = outcome("", move |request| {
        let next = name(&request.target).strip_prefix('n').map_or(0, |it| it.parse().unwrap_or(0));
        answer(vec![link(&format!("n{}", next + 1))])
    });
    assert_eq!(failures[0].0, "too-large");
    assert!(failures[0].1.contains("more than 256 others") && asked < 300, "{failures:?}, {asked}");
    // A circle is got once.
    let (_, failures, asked) = outcome("", move |_| answer(vec![link("self")]));
    assert_eq!((failures[0].0.as_str(), asked), ("unsupported", 2));
    // The registry lacks what it says it has.
    let (_, failures, _) = outcome("timeout = \"300ms\"\n", move |request| {
        match request.target.starts_with("/subjects") {
            true => Answer::status(404),
            false => answer(vec![link("gone")]),
        }
    });
    assert_eq!(failures[0].0, "unavailable");
    assert!(failures[0].1.contains("the reference 'gone'"), "{failures:?}");
}
