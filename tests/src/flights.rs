//! The flights pipeline under test, and H2O's own answers.

use crate::broker::{Broker, Received};
use crate::paths::project;

/// `pipelines/flights.toml` with a broker's topics, and another model or sink.
pub fn pipeline(topics: &[String; 3], model: &str, sink: &str) -> String {
    let text = std::fs::read_to_string(project().join("pipelines/flights.toml")).unwrap();
    let parts = [
        ("name = \"flights\"\n".to_owned(), format!("name = \"{}\"\n", topics[0])),
        ("topics = [\"flights\"]".to_owned(), format!("topics = [\"{}\"]", topics[0])),
        ("\"../operators/".to_owned(), "\"{project}/operators/".to_owned()),
        ("\"../models/flights-gbm\"".to_owned(), format!("\"{{project}}/models/{model}\"")),
        ("topic = \"flight-predictions\"".to_owned(), format!("topic = \"{}\"\n{sink}", topics[1])),
        ("topic = \"flights.dead-letter\"".to_owned(), format!("topic = \"{}\"", topics[2])),
    ];
    parts.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "pipelines/flights.toml has changed: {from}");
        text.replacen(from, to, 1)
    })
}

/// Topics for flights, predictions and dead letters.
pub fn topics(broker: &Broker) -> [String; 3] {
    ["flights", "predictions", "dead"].map(|name| broker.topic(name, 1))
}

/// H2O's own label and probability of YES for each of the generator's first 20,000 flights.
pub fn golden(model: &str) -> Vec<(String, f64)> {
    let path = project().join("models").join(model).join("golden-generated.csv");
    let text = std::fs::read_to_string(path).unwrap();
    let line = |line: &str| {
        let (label, probability) = line.split_once(',').unwrap();
        (label.to_owned(), probability.parse().unwrap())
    };
    text.lines().skip(1).map(line).collect()
}

/// Looks whether a prediction is H2O's own of the flight, as [`golden`] has it, and names its
/// model as the header does.
///
/// # Panics
/// Where it is not.
pub fn assert_golden(record: &Received, golden: &(String, f64), tolerance: f64) {
    let (label, probability) = golden;
    let prediction: serde_json::Value = serde_json::from_str(&record.text()).unwrap();
    let place = (record.partition, record.offset);
    assert_eq!(prediction["label"], label.as_str(), "{place:?}: {prediction}");
    let yes = prediction["probabilities"]["YES"].as_f64().unwrap();
    assert!((yes - probability).abs() <= tolerance, "{place:?}: {yes}, not {probability}");
    assert_eq!(prediction["model"], record.header("sandbar-model"), "{place:?}");
}
