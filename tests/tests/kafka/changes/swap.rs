//! Models and components in the place of others, while records flow.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use flight_records::{CLASSIC, Flights};
use sandbar::manifest::ArtifactSource;
use sandbar::pipeline::swap::{Swap, SwapError, SwapSpec};
use sandbar_tests::flights::{assert_golden, golden, pipeline, topics};
use sandbar_tests::gaps::Gaps;
use sandbar_tests::process::Process;
use sandbar_tests::{
    Broker, End, Received, Runner, Sent, component, on_each_broker, project, sandbar,
};

/// Flights that are sent together.
const CHUNK: usize = 500;
/// The flights of which H2O's answers are known.
const KNOWN: usize = 20_000;

fn model(name: &str) -> SwapSpec {
    let folder = project().join("models").join(name);
    SwapSpec { models: BTreeMap::from([("flights".into(), folder.into())]), ..SwapSpec::default() }
}

fn stage(name: &str, component: PathBuf) -> SwapSpec {
    SwapSpec {
        components: BTreeMap::from([(name.into(), component.into())]),
        ..SwapSpec::default()
    }
}

/// Swaps models back and forth while flights flow, components with them, and looks at every prediction: whether
/// it is the one that H2O makes with the model that it names.
fn swap_under_load(broker: &Broker, delivery: &str) {
    let topics = topics(broker);
    let manifest = pipeline(&topics, "flights-gbm", "");
    let runner = Runner::start(broker, &format!("delivery = \"{delivery}\"\n{manifest}"));
    let flights: Vec<String> = Flights::new(1).take(KNOWN).collect();
    let [done, swapping] = [false; 2].map(AtomicBool::new);
    // A mock broker cannot be shared; an address can.
    let address = broker.address();
    let fed = std::thread::scope(|scope| {
        let feeder = scope.spawn(|| {
            let broker = Broker::Apache(address);
            let mut fed = 0;
            while !done.load(Ordering::Relaxed) {
                let numbers = fed..fed + CHUNK;
                let record = |n: usize| Sent::keyed(n, flights[n % KNOWN].as_str());
                broker.send(&topics[0], &numbers.map(record).collect::<Vec<_>>());
                fed += CHUNK;
            }
            fed
        });
        let _end = End(&done);
        let watcher = scope.spawn(|| Gaps::of(&runner, &swapping, &done));
        let mut outputs = 0;
        for round in 0..6 {
            let name = ["flights-dl", "flights-gbm"][round % 2];
            runner.await_stats("flights flow", |now| now.outputs >= outputs + 1000);
            let mut change = model(name);
            if round % 3 == 2 {
                change.components = stage("features", component("flight-features")).components;
            }
            swapping.store(true, Ordering::Relaxed);
            let Swap { revision, trial, .. } = runner.deployment().swap(&change).unwrap();
            swapping.store(false, Ordering::Relaxed);
            assert_eq!(revision.number, round as u64 + 2);
            assert_eq!(revision.model.as_deref(), Some(format!("{name}@1").as_str()));
            // In transactions the first sample is there when the first is committed.
            if let Some(trial) = trial {
                assert_eq!((trial.failed_before, trial.failed), (0, 0));
            }
            outputs = runner.stats().outputs;
        }
        runner.await_stats("flights flow", |now| now.outputs >= outputs + 1000);
        done.store(true, Ordering::Relaxed);
        println!("{delivery}: {}", watcher.join().unwrap());
        feeder.join().unwrap()
    });
    let received = broker.receive(&topics[1], fed);
    let end = runner.stop().unwrap();
    assert_eq!((end.failed(), end.swaps, end.refused_swaps), (0, 6, 0));
    let models = look_at(&received, fed);
    // More than once each: they took turns. What was counted in a transaction that was aborted
    // says nothing of them.
    assert!(models.len() >= 5 || end.aborted > 0, "{models:?}");
}

/// Looks whether each flight is answered once, in order, by the model that it names.
/// Returns the models as they took turns.
fn look_at(received: &[Received], fed: usize) -> Vec<String> {
    let answers = ["flights-gbm", "flights-dl"].map(|model| (format!("{model}@1"), golden(model)));
    let answers = BTreeMap::from(answers);
    let mut turns: Vec<String> = Vec::new();
    assert_eq!(received.len(), fed);
    for (number, record) in received.iter().enumerate() {
        assert_eq!(record.key.as_deref(), Some(number.to_string().as_bytes()));
        let model = record.header("sandbar-model");
        assert_golden(record, &answers[&model][number % KNOWN], 1e-5);
        if turns.last() != Some(&model) {
            turns.push(model);
        }
    }
    turns
}

on_each_broker! {
    fn models_take_turns_while_flights_flow(broker: &Broker) {
        swap_under_load(broker, "at-least-once");
    }

    /// As the classic example would have it: YES and NO, then YES and YES, then as before.
    fn the_classic_flights_before_and_after(broker: &Broker) {
        let topics = topics(broker);
        let runner = Runner::start(broker, &pipeline(&topics, "flights-gbm", "template = \"{{ label }}\""));
        let mut labels = Vec::new();
        for round in 1..=3 {
            broker.send(&topics[0], &CLASSIC.map(Sent::value));
            let received = broker.receive(&topics[1], 2 * round);
            labels.extend(received[2 * (round - 1)..].iter().map(Received::text));
            match round {
                1 => drop(runner.deployment().swap(&model("flights-dl")).unwrap()),
                2 => drop(runner.deployment().rollback(Some(2)).unwrap()),
                _ => {}
            }
        }
        assert_eq!(labels, ["YES", "NO", "YES", "YES", "YES", "NO"]);
        assert_eq!(runner.deployment().revision().model.as_deref(), Some("flights-gbm@1"));
        runner.stop().unwrap();
    }
}

#[test]
fn models_take_turns_in_transactions() {
    if let Some(broker) = Broker::apache() {
        swap_under_load(&broker, "exactly-once");
    }
}

/// Whatever is wrong with what is new leaves the old serving, and says why.
#[test]
fn what_does_not_work_is_refused() {
    let broker = Broker::mock();
    let topics = topics(&broker);
    let runner = Runner::start(&broker, &pipeline(&topics, "flights-gbm", ""));
    broker.send(&topics[0], &CLASSIC.map(Sent::value));
    broker.receive(&topics[1], 2);
    let broken = tempfile::tempdir().unwrap();
    for file in ["model.toml", "model.zip"] {
        let from = project().join("models/flights-dl").join(file);
        std::fs::copy(from, broken.path().join(file)).unwrap();
    }
    let archive = broken.path().join("model.zip");
    let mut bytes = std::fs::read(&archive).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&archive, bytes).unwrap();

    let deployment = runner.deployment();
    let folder = |folder: PathBuf| SwapSpec {
        models: BTreeMap::from([("flights".into(), folder.into())]),
        ..SwapSpec::default()
    };
    let unknown = SwapSpec {
        models: BTreeMap::from([("flihgts".into(), PathBuf::from("m").into())]),
        ..SwapSpec::default()
    };
    for (change, due) in [
        (folder(broken.path().to_owned()), "but model.toml says"),
        (folder(broken.path().join("nothing")), "a model is a folder with a model.toml"),
        (model("airports"), "not a model of a known maker"),
        (model("digits"), "stage 'score'"),
        (stage("features", component("tabular-score")), "stage 'features' (number 1, scorer)"),
        (stage("features", component("echo-extractor")), "stage 'score'"),
        (stage("features", project().join("Cargo.toml")), "not a WebAssembly component"),
        (unknown, "the pipeline has no model 'flihgts'; it has 'flights'"),
        (stage("scores", component("tabular-score")), "it has 'features', 'score'"),
        (
            SwapSpec { revision: Some(7), ..model("flights-dl") },
            "expected revision 7, but 1 serves",
        ),
    ] {
        let error = deployment.swap(&change).unwrap_err().to_string();
        assert!(error.contains(due), "{change:?}: {error}");
    }
    assert!(matches!(deployment.rollback(None), Err(SwapError::NoneBefore)));
    assert_eq!(deployment.revision().number, 1);

    broker.send(&topics[0], &CLASSIC.map(Sent::value));
    let received = broker.receive(&topics[1], 4);
    assert!(received.iter().all(|record| record.header("sandbar-model") == "flights-gbm@1"));
    let end = runner.stop().unwrap();
    assert_eq!((end.swaps, end.refused_swaps), (0, 11));
}

/// A component that reads nothing of what comes by is not let at it.
#[test]
fn what_fails_at_what_comes_by_is_refused() {
    let broker = Broker::mock();
    let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
    let runner = Runner::start(
        &broker,
        &format!(
            r#"
            name = "{source}"
            [source]
            topics = ["{source}"]
            [[stages]]
            name = "extract"
            component = "{{component:echo-extractor}}"
            [[stages]]
            name = "score"
            component = "{{component:constant-scorer}}"
            [sink]
            topic = "{sink}"
            [dead-letter]
            topic = "{dead}"
            "#
        ),
    );
    let done = AtomicBool::new(false);
    let address = broker.address();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let broker = Broker::Apache(address);
            while !done.load(Ordering::Relaxed) {
                broker.send(&source, &["trap", "trap"].map(Sent::value));
            }
        });
        let _end = End(&done);
        runner.await_stats("records flow", |now| now.outputs > 10);
        for (name, due) in [
            ("flight-features", "for example: stage 'extract': malformed"),
            ("mischief-extractor", "for example: stage 'extract': trap"),
        ] {
            let error = runner.deployment().swap(&stage("extract", component(name))).unwrap_err();
            assert!(matches!(error, SwapError::DryRun { .. }), "{error}");
            assert!(error.to_string().contains(due), "{error}");
        }
    });
    let end = runner.stop().unwrap();
    assert_eq!((end.failed(), end.refused_swaps), (0, 2));
}

/// A version of the registry in the place of another, by an alias that was moved meanwhile.
/// Back means the version that served, whatever the alias says by then.
#[test]
fn an_alias_that_was_moved() {
    let broker = Broker::mock();
    let topics = topics(&broker);
    let registry = tempfile::tempdir().unwrap();
    let ask = |sort: &str, arguments: &[&str]| {
        let mut command = sandbar();
        command.arg(sort).args(arguments).arg("--registry").arg(registry.path());
        let output = command.current_dir(project()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let models = |arguments: &[&str]| ask("models", arguments);
    let features = component("flight-features");
    for component in [&features, &component("echo-extractor")] {
        ask("operators", &["add", component.to_str().unwrap(), "--name", "features"]);
    }
    ask("operators", &["promote", "features", "1"]);
    models(&["add", "models/flights-gbm", "--name", "flights"]);
    models(&["add", "models/flights-dl", "--name", "flights"]);
    models(&["promote", "flights", "1"]);
    let manifest = pipeline(&topics, "flights-gbm", "")
        .replace("\"{project}/models/flights-gbm\"", "{ registry = \"flights\" }");
    let path = "\"{project}/operators/target/wasm32-wasip2/release/flight_features.wasm\"";
    assert!(manifest.contains(path));
    let manifest = manifest.replace(path, "{ registry = \"features\" }");
    let location = registry.path().display();
    let manifest = format!("{manifest}\n[registry]\nlocation = \"{location}\"\n");
    let runner = Runner::start(&broker, &manifest);
    let serves = || runner.deployment().revision().models["flights"].clone();
    assert_eq!(serves(), "flights@1");
    models(&["promote", "flights", "2"]);
    // An extractor that fits no model of flights, for which nobody asks below.
    ask("operators", &["promote", "features", "2"]);
    assert_eq!(serves(), "flights@1");

    let alias = ArtifactSource::Registry("flights".parse().unwrap());
    let change =
        SwapSpec { models: BTreeMap::from([("flights".into(), alias)]), ..SwapSpec::default() };
    runner.await_stats("it runs", |now| now.rebalances > 0);
    runner.deployment().swap(&change).unwrap();
    assert_eq!(serves(), "flights@2");
    broker.send(&topics[0], &CLASSIC.map(Sent::value));
    let received = broker.receive(&topics[1], 2);
    assert!(received.iter().all(|record| record.header("sandbar-model") == "flights@2"));
    runner.deployment().rollback(None).unwrap();
    assert_eq!(serves(), "flights@1");
    runner.stop().unwrap();
}

/// The commands of docs/guide/swap-a-model.md, on a runner in a process of its own.
#[test]
fn the_guide_works() {
    let broker = Broker::mock();
    let topics = topics(&broker);
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("flights.toml");
    let text = pipeline(&topics, "flights-gbm", "");
    let text =
        text.replace("{project}", "..").replace("\"../", &format!("\"{}/", project().display()));
    std::fs::write(&manifest, text).unwrap();
    let mut command = sandbar();
    command.arg("run").arg(&manifest).args(["--brokers", &broker.address()]);
    command.args(["--admin", "127.0.0.1:0", "--admin-token", "secret"]);
    let mut runner = Process::start(&mut command);
    let address = runner.admin_address();
    let ask = |arguments: &[&str], token: &str| {
        let mut command = sandbar();
        command.args(arguments).args(["--admin", &address]).env("SANDBAR_ADMIN_TOKEN", token);
        let output = command.current_dir(project()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    };
    broker.send(&topics[0], &CLASSIC.map(Sent::value));
    broker.receive(&topics[1], 2);

    let (done, said) = ask(&["status"], "");
    assert!(done && said.contains("ready\nrevision 1 since 2"), "{said}");
    assert!(said.contains("model flights: flights-gbm@1"), "{said}");
    assert!(said.contains("2 records, 2 outputs, 0 failed"), "{said}");
    let swap = ["swap", "--model", "flights=models/flights-dl", "--revision", "1"];
    let (done, said) = ask(&swap, "wrong");
    assert!(!done && said.contains("send the token"), "{said}");
    let (done, said) = ask(&swap, "secret");
    assert!(done && said.contains("revision 2 since") && said.contains("flights-dl@1"), "{said}");
    assert!(said.contains("recent records: 0 failed, 0 failed before"), "{said}");
    let (done, said) = ask(&swap, "secret");
    assert!(!done && said.contains("expected revision 1, but 2 serves"), "{said}");
    let (done, said) = ask(&["swap", "--model", "flights=models/airports"], "secret");
    assert!(!done && said.contains("stage 'score': the operator refuses"), "{said}");
    let (done, said) = ask(&["rollback", "--json"], "secret");
    let serving: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(done && serving["model"] == "flights-gbm@1" && serving["revision"] == 3, "{said}");
    let said = runner.stop();
    assert!(said.contains("swap refused") && !said.contains("secret"), "{said}");
}
