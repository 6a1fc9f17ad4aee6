//! Predictions by schemas that are in a registry, from topic to topic.

use flight_records::Flights;
use sandbar::pipeline::Deployment;
use sandbar::pipeline::rollout::{Mode, RolloutSpec};
use sandbar::pipeline::swap::SwapSpec;
use sandbar_tests::flights::{golden, pipeline, topics};
use sandbar_tests::registering::SchemaRegistry;
use sandbar_tests::runner::{definition, sandbox};
use sandbar_tests::{Broker, Received, Runner, Sent, component, project, schema_registry};
use serde_json::{Value, json};

use super::schemas::ask;

const FLIGHTS: usize = 300;

fn flights() -> Vec<Sent> {
    Flights::new(1).take(FLIGHTS).enumerate().map(|(n, it)| Sent::keyed(n, it)).collect()
}

/// The id of a value, and what is behind it.
fn parts(record: &Received) -> (u32, &[u8]) {
    let value = record.value.as_deref().unwrap();
    assert_eq!(value[0], 0);
    (u32::from_be_bytes(value[1..5].try_into().unwrap()), &value[5..])
}

/// In a real registry; what comes is read by the schema that the registry has, and is what H2O
/// predicts.
#[test]
fn predictions_are_read_by_the_schemas_of_a_real_registry() {
    let Some(broker) = Broker::apache() else { return };
    let Some(registry) = schema_registry() else { return };
    let schemas = format!("[schemas]\nurls = [\"{}\"]\n", registry.url());
    let golden = golden("flights-gbm");
    for (format, delivery) in
        [("avro", "exactly-once"), ("protobuf", "at-least-once"), ("json-schema", "at-least-once")]
    {
        let topics = topics(&broker);
        broker.send(&topics[0], &flights());
        let sink = format!("format = \"{format}\"\nschema = {{ register = true }}\n{schemas}");
        let manifest =
            format!("delivery = \"{delivery}\"\n{}", pipeline(&topics, "flights-gbm", &sink));
        let runner = Runner::start(&broker, &manifest);
        let received = broker.receive(&topics[1], FLIGHTS);
        assert_eq!(runner.stop().unwrap().failed(), 0);
        let (id, _) = parts(&received[0]);
        assert!(received.iter().all(|record| parts(record).0 == id));
        // Once it is there, nothing is registered by who only looks it up.
        let looking = manifest.replace("register = true", "register = false");
        let runner = Runner::start(&broker, &looking);
        broker.send(&topics[0], &flights()[..1]);
        let again = broker.receive(&topics[1], FLIGHTS + 1);
        runner.stop().unwrap();
        assert_eq!(parts(&again[FLIGHTS]), parts(&again[0]), "{format}");
        let texts: Vec<String> = match format {
            "json-schema" => received.iter().map(|it| as_text(parts(it).1)).collect(),
            format => read_back(&broker, format, &topics[1], &schemas),
        };
        for (text, (label, yes)) in texts[..FLIGHTS].iter().zip(&golden) {
            let [own, chance, model] = text.split(' ').collect::<Vec<_>>().try_into().unwrap();
            assert_eq!((own, model), (&*format!("\"{label}\""), "\"flights-gbm@1\""), "{format}");
            assert!((chance.parse::<f64>().unwrap() - yes).abs() <= 1e-5, "{text}: {yes}");
        }
    }
}

/// A JSON object as the transformer below writes what it reads.
fn as_text(value: &[u8]) -> String {
    let json: Value = serde_json::from_slice(value).unwrap();
    format!("{} {} {}", json["label"], json["probabilities"]["YES"], json["model"])
}

/// What a pipeline reads of predictions by the schemas of the registry: label, probability and
/// model.
fn read_back(broker: &Broker, format: &str, topic: &str, schemas: &str) -> Vec<String> {
    let [out, dead] = ["out", "dead"].map(|name| broker.topic(name, 1));
    let manifest = format!(
        "name = \"{out}\"\nsource = {{ topics = [\"{topic}\"] }}\nsink = {{ topic = \"{out}\" }}\n\
         dead-letter = {{ topic = \"{dead}\" }}\n[[stages]]\nname = \"read\"\n\
         component = \"{{component:schema-transformer}}\"\ngrants = [\"schemas\"]\n\
         config = {{ format = \"{format}\", places = [\"label\", \"probabilities.YES\", \"model\"] }}\n\
         {schemas}"
    );
    let runner = Runner::start(broker, &manifest);
    let received = broker.receive(&out, FLIGHTS);
    assert_eq!(runner.stop().unwrap().failed(), 0);
    received.iter().map(Received::text).collect()
}

/// A real registry has the last word on what may follow a schema.
#[test]
fn a_real_registry_refuses_what_readers_could_not_read() {
    let Some(broker) = Broker::apache() else { return };
    let Some(registry) = schema_registry() else { return };
    let topics = topics(&broker);
    let subject = format!("{}-value", topics[1]);
    let earlier = r#"{"type":"record","name":"Prediction","fields":[]}"#;
    let answer = ask(
        &registry.url(),
        "POST",
        &format!("/subjects/{subject}/versions"),
        &json!({"schema": earlier}),
    );
    assert!(answer.contains("200 OK"), "{answer}");
    let rule = json!({"compatibility": "BACKWARD"});
    let answer = ask(&registry.url(), "PUT", &format!("/config/{subject}"), &rule);
    assert!(answer.contains("200 OK"), "{answer}");
    let sink = format!(
        "format = \"avro\"\nschema = {{ register = true }}\n[schemas]\nurls = [\"{}\"]\n",
        registry.url()
    );
    let definition = definition(&pipeline(&topics, "flights-gbm", &sink), &broker.address());
    let error = Deployment::new(definition, &sandbox(), Default::default()).err().unwrap();
    let error = error.to_string();
    assert!(error.contains(&format!("subject '{subject}'")), "{error}");
    assert!(error.contains("answers 409 Conflict"), "{error}");
}

/// What serves goes on where a registry refuses the schema of what would take its place.
#[test]
fn a_swap_whose_schema_is_refused_changes_nothing() {
    let (broker, registry) = (Broker::mock(), SchemaRegistry::start());
    let topics = topics(&broker);
    let sink = format!("format = \"avro\"\nschema = {{ register = true }}\n{}", registry.section());
    // Nothing else of the model is in the way of what does not score it.
    let folder = tempfile::tempdir().unwrap();
    let model = project().join("models/flights-gbm");
    let about = std::fs::read_to_string(model.join("model.toml")).unwrap();
    let about = about.replace("[samples]\nfile = \"samples.csv\"\n", "");
    std::fs::write(folder.path().join("model.toml"), about).unwrap();
    std::fs::copy(model.join("model.zip"), folder.path().join("model.zip")).unwrap();
    let manifest = pipeline(&topics, "flights-gbm", &sink)
        .replace("config = { unknown_category = \"missing\" }", "")
        .replace("{project}/models/flights-gbm", folder.path().to_str().unwrap());
    let runner = Runner::start(&broker, &manifest);
    let flights = &flights()[..10];
    broker.send(&topics[0], flights);
    let before = broker.receive(&topics[1], 10);
    // Values in place of classes.
    let change = SwapSpec {
        components: [("score".to_owned(), component("constant-scorer").into())].into(),
        ..SwapSpec::default()
    };
    let deployment = runner.deployment();
    let asked = registry.asked().len();
    // Whoever only asks whether it would do asks no registry.
    deployment.validate(&change).unwrap();
    assert_eq!(registry.asked().len(), asked);
    registry.content().refuses = Some("incompatible".to_owned());
    let error = deployment.swap(&change).unwrap_err().to_string();
    assert!(error.contains("409 Conflict: incompatible"), "{error}");
    let start = |mode| deployment.start_rollout(&change, &RolloutSpec::new(mode));
    let error = start(Mode::Ab).unwrap_err().to_string();
    assert!(error.contains("409 Conflict: incompatible"), "{error}");
    let asked = registry.asked().len();
    // What a shadow answers is written nowhere.
    start(Mode::Shadow).unwrap();
    assert_eq!(registry.asked().len(), asked);
    deployment.abort_rollout(None, "seen enough".into()).unwrap();
    registry.content().fails = Some(503);
    assert!(deployment.swap(&change).unwrap_err().to_string().contains("503"));
    broker.send(&topics[0], flights);
    let between = broker.receive(&topics[1], 20);
    for (one, other) in before.iter().zip(&between[10..]) {
        assert_eq!((&one.value, &one.key), (&other.value, &other.key));
    }
    (registry.content().refuses, registry.content().fails) = (None, None);
    // Both write, each by its own schema.
    start(Mode::Ab).unwrap();
    broker.send(&topics[0], flights);
    let after = broker.receive(&topics[1], 40);
    let of = |id| after.iter().filter(|record| parts(record).0 == id).count();
    assert_eq!((of(1), of(2)), (30, 10));
    deployment.promote_rollout(None, "it is better".into()).unwrap();
    broker.send(&topics[0], flights);
    let last = broker.receive(&topics[1], 50);
    assert!(last[40..].iter().all(|record| parts(record).0 == 2));
    // The old schema is there already, so it may come back.
    registry.content().refuses = Some("incompatible".to_owned());
    deployment.rollback(None).unwrap();
    let end = runner.stop().unwrap();
    assert_eq!((end.swaps, end.refused_swaps, end.failed()), (2, 2, 0));
}
