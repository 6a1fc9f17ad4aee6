//! docs/guide/your-model.md on Kafka: from a model's file and records of a topic to predictions on
//! another.

use std::path::Path;

use sandbar_tests::paths::sandbar;
use sandbar_tests::process::Process;
use sandbar_tests::{Broker, Sent, project};
use serde_json::Value;

fn run(folder: &Path, arguments: &[&str]) {
    let mut command = sandbar();
    let output = command.current_dir(folder).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
}

#[test]
fn predictions_are_those_of_h2o() {
    let Some(broker) = Broker::apache() else { return };
    let models = project().canonicalize().unwrap().join("models/churn");
    let table = std::fs::read_to_string(models.join("records.csv")).unwrap();
    let (names, lines) = table.split_once('\n').unwrap();
    let customers = broker.topic("customers", 2);
    let sent: Vec<Sent> = lines.lines().map(|line| Sent::keyed(line, line)).collect();
    broker.send(&customers, &sent);

    let folder = tempfile::tempdir().unwrap();
    let (address, model) = (broker.address(), models.join("model.zip"));
    // A name of its own for each test: it names topics too.
    let name = customers.replace("customers", "churn");
    let model = model.to_str().unwrap();
    run(
        folder.path(),
        &[
            "new",
            "pipeline",
            &name,
            "--model",
            model,
            "--from",
            &customers,
            "--brokers",
            &address,
            "--fields",
            names,
            "--path",
            "churn",
        ],
    );
    let folder = folder.path().join("churn");
    run(&folder, &["test", "pipeline.toml"]);
    run(&folder, &["topics", "create", "pipeline.toml", "--brokers", &address]);
    let mut command = sandbar();
    command.current_dir(&folder).args(["run", "pipeline.toml", "--brokers", &address]);
    let runner = Process::start(&mut command);
    let predictions = broker.receive(&format!("{name}-predictions"), sent.len());
    runner.stop();

    let mut samples = csv::Reader::from_path(models.join("samples.csv")).unwrap();
    let expected = samples.records().map(|row| row.unwrap().iter().next_back().unwrap().to_owned());
    for (line, expected) in lines.lines().zip(expected) {
        let of_it = predictions.iter().find(|it| it.key.as_deref() == Some(line.as_bytes()));
        let prediction: Value = serde_json::from_str(&of_it.unwrap().text()).unwrap();
        let expected: f64 = expected.parse().unwrap();
        assert_eq!(prediction["probabilities"]["yes"].as_f64().unwrap(), expected, "{line}");
    }
}
