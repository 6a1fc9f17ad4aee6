//! `sandbar topics`: what a pipeline names, listed, and created where the brokers lack it.

use std::path::Path;
use std::process::Output;

use flight_records::CLASSIC;
use sandbar_tests::flights::pipeline;
use sandbar_tests::{Broker, Runner, Sent, sandbar};

fn topics(verb: &[&str], manifest: &Path, brokers: &str) -> Output {
    sandbar().arg("topics").args(verb).arg(manifest).args(["--brokers", brokers]).output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn what_is_missing_is_created_and_serves() {
    let Some(broker) = Broker::apache() else { return };
    let brokers = broker.address();
    let name = format!("created-{}", std::process::id());
    let [source, sink, dead, control] =
        ["source", "sink", "dead", "control"].map(|it| format!("{name}-{it}"));
    broker.make_topic(&sink, 5, &[]);
    let all = [source.clone(), sink.clone(), dead.clone()];
    let text = pipeline(&all, "flights-gbm", "");
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("flights.toml");
    let registry = folder.path().join("registry");
    let fleet = format!(
        "{text}\n[registry]\nlocation = \"{}\"\n[fleet]\ntopic = \"{control}\"\n",
        registry.display()
    );
    std::fs::write(&manifest, fleet).unwrap();

    let listed = said(&topics(&["list"], &manifest, &brokers));
    for line in [
        format!("{source} ([source] topics): missing\n"),
        format!("{sink} ([sink] topic): 5 partitions, replication 1\n"),
        format!("{dead} ([dead-letter] topic): missing\n"),
        format!("{control} ([fleet] topic): missing\n"),
    ] {
        assert!(listed.contains(&line), "{listed}");
    }
    // To ask for them creates none.
    assert_eq!(said(&topics(&["list"], &manifest, &brokers)), listed);

    let create = ["create", "--partitions", "3", "--replication", "1"];
    let created = said(&topics(&create, &manifest, &brokers));
    for line in [
        format!("{source} ([source] topics): created\n"),
        format!("{sink} ([sink] topic): exists, 5 partitions, replication 1\n"),
        format!("{control} ([fleet] topic): created\n"),
    ] {
        assert!(created.contains(&line), "{created}");
    }
    let again = said(&topics(&create, &manifest, &brokers));
    assert!(!again.contains("created\n"), "{again}");
    let listed = said(&topics(&["list"], &manifest, &brokers));
    for line in [
        format!("{source} ([source] topics): 3 partitions, replication 1\n"),
        format!("{dead} ([dead-letter] topic): 3 partitions, replication 1\n"),
        format!("{control} ([fleet] topic): 1 partition, replication 1\n"),
    ] {
        assert!(listed.contains(&line), "{listed}");
    }

    assert_eq!(broker.setting(&control, "cleanup.policy"), "compact");
    let runner = Runner::start(&broker, &text);
    broker.send(&source, &CLASSIC.map(Sent::value));
    assert_eq!(broker.receive(&sink, 2).len(), 2);
    runner.stop().unwrap();
}

#[test]
fn what_cannot_be_created_is_told() {
    let Some(broker) = Broker::apache() else { return };
    let name = format!("refused-{}", std::process::id());
    let all = ["source", "sink", "dead"].map(|it| format!("{name}-{it}"));
    broker.make_topic(&all[1], 1, &[]);
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("flights.toml");
    std::fs::write(&manifest, pipeline(&all, "flights-gbm", "")).unwrap();
    // More replicas than there are brokers.
    let output = topics(&["create", "--replication", "99"], &manifest, &broker.address());
    let (printed, error) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(printed.contains(&format!("{name}-sink ([sink] topic): exists")), "{printed}");
    for (topic, key) in [("source", "[source] topics"), ("dead", "[dead-letter] topic")] {
        let due = format!("error: topic '{name}-{topic}' ({key}): cannot be created: ");
        assert!(error.contains(&due), "{error}");
    }
    assert!(error.contains("2 of 2 missing topics were not created"), "{error}");
}

#[test]
fn brokers_that_do_not_answer_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("flights.toml");
    let all = ["a", "b", "c"].map(str::to_owned);
    std::fs::write(&manifest, pipeline(&all, "flights-gbm", "")).unwrap();
    let output = topics(&["list"], &manifest, "127.0.0.1:1");
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("brokers 127.0.0.1:1: none answers"), "{error}");
}
