//! Topics that come and go while pipelines read and write them.

use std::sync::Arc;

use sandbar::pipeline::Deployment;
use sandbar_tests::runner::{definition, sandbox};
use sandbar_tests::{Broker, Received, Runner, Sent, on_each_broker};

const DELIVERIES: [&str; 2] = ["at-least-once", "exactly-once"];

/// A pipeline that passes on what it reads. `topics` is what stands in the list.
fn pipeline(group: &str, delivery: &str, topics: &str, sink: &str, dead: &str) -> String {
    format!(
        r#"
        name = "{group}"
        delivery = "{delivery}"
        [source]
        topics = [{topics}]
        # A member that could not say farewell is missed after this time.
        [source.properties]
        "topic.metadata.refresh.interval.ms" = 200
        "session.timeout.ms" = 6000
        [[stages]]
        name = "route"
        component = "{{component:route-transformer}}"
        [sink]
        topic = "{sink}"
        properties = {{ "topic.metadata.refresh.interval.ms" = 200, "topic.metadata.propagation.max.ms" = 500 }}
        [dead-letter]
        topic = "{dead}"
        [runner]
        commit-interval = "50ms"
        "#
    )
}

fn texts(records: &[Received]) -> Vec<String> {
    let mut texts: Vec<_> = records.iter().map(Received::text).collect();
    texts.sort();
    texts
}

on_each_broker! {
    /// An expression reads the topics that match, also those that come later, from their
    /// oldest record, and no others.
    fn topics_that_match_are_read(broker: &Broker) {
        let [sink, dead] = ["sink", "dead"].map(|name| broker.topic(name, 1));
        let first = broker.topic("match", 1);
        let base = first.clone();
        // It is not the beginning that matters.
        broker.make_topic(&format!("no-{base}"), 1, &[]);
        broker.send(&format!("no-{base}"), &[Sent::value("not this")]);
        broker.send(&first, &[Sent::value("a")]);
        let topics = format!(r#""^{base}(-[a-z]+)?$""#);
        let runner = Runner::start(broker, &pipeline(&base, "at-least-once", &topics, &sink, &dead));
        assert_eq!(texts(&broker.receive(&sink, 1)), ["a"]);

        broker.make_topic(&format!("{base}-1"), 1, &[]);
        broker.send(&format!("{base}-1"), &[Sent::value("nor this")]);
        broker.make_topic(&format!("{base}-later"), 1, &[]);
        broker.send(&format!("{base}-later"), &[Sent::value("b")]);
        assert_eq!(texts(&broker.receive(&sink, 2)), ["a", "b"]);
        runner.stop().unwrap();
    }

    /// No topic that matches yet is no error; with `latest` too it is read from the
    /// beginning when it comes.
    fn a_topic_that_matches_may_come_later(broker: &Broker) {
        let [sink, dead] = ["sink", "dead"].map(|name| broker.topic(name, 1));
        let name = format!("later-{sink}");
        let manifest = pipeline(&name, "at-least-once", &format!(r#""^{name}""#), &sink, &dead);
        let manifest = manifest.replace("[source]\n", "[source]\nstart = \"latest\"\n");
        let runner = Runner::start(broker, &manifest);
        runner.await_polling();
        broker.make_topic(&name, 1, &[]);
        broker.send(&name, &["a", "b"].map(Sent::value));
        assert_eq!(texts(&broker.receive(&sink, 2)), ["a", "b"]);
        runner.stop().unwrap();
        assert_eq!(broker.committed(&name, &name, 0), Some(2));
    }

    /// Should a pipeline be given what it writes, whatever the manifest made of it, then it
    /// ends before it reads it.
    fn what_it_writes_is_not_read(broker: &Broker) {
        let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
        broker.send(&source, &[Sent::value("a")]);
        let manifest = pipeline(&source, "at-least-once", &format!(r#""^{source}""#), &sink, &dead);
        let mut definition = definition(&manifest, &broker.address());
        definition.manifest.stages[0].topics.push(source.clone());
        let deployment = Deployment::new(definition, &sandbox(), Arc::default()).unwrap();
        let error = Runner::of(deployment).join().unwrap_err().to_string();
        let due = format!("topic '{source}': matches [source] topics and is also written by this pipeline");
        assert!(error.starts_with(&due), "{error}");
        assert_eq!(broker.committed(&source, &source, 0), None);
    }
}

/// A topic that is named and deleted ends the run with its name; its neighbour's records are
/// delivered and committed.
#[test]
fn a_named_topic_that_is_deleted_ends_the_run() {
    let Some(broker) = Broker::apache() else { return };
    for delivery in DELIVERIES {
        let [stays, goes, sink, dead] =
            ["stays", "goes", "sink", "dead"].map(|name| broker.topic(name, 1));
        broker.send(&stays, &[Sent::value("a")]);
        broker.send(&goes, &[Sent::value("b")]);
        let topics = format!(r#""{stays}", "{goes}""#);
        let mut runner = Runner::start(&broker, &pipeline(&stays, delivery, &topics, &sink, &dead));
        assert_eq!(texts(&broker.receive(&sink, 2)), ["a", "b"]);
        broker.await_committed(&stays, &goes, 0, 1);
        broker.delete_topic(&goes);
        let error = runner.join().unwrap_err().to_string();
        let due = format!("topic '{goes}' does not exist on {}", broker.address());
        assert!(error.starts_with(&due), "{delivery}: {error}");
        assert_eq!(broker.committed(&stays, &stays, 0), Some(1));
    }
}

/// One that only matched is let go; the others are read on.
#[test]
fn a_matched_topic_that_is_deleted_is_let_go() {
    let Some(broker) = Broker::apache() else { return };
    for delivery in DELIVERIES {
        let [stays, sink, dead] = ["stays", "sink", "dead"].map(|name| broker.topic(name, 1));
        let goes = format!("{stays}-goes");
        broker.make_topic(&goes, 1, &[]);
        broker.send(&stays, &[Sent::value("a")]);
        broker.send(&goes, &[Sent::value("b")]);
        let runner = Runner::start(
            &broker,
            &pipeline(&stays, delivery, &format!(r#""^{stays}""#), &sink, &dead),
        );
        assert_eq!(texts(&broker.receive(&sink, 2)), ["a", "b"]);
        let before = runner.stats().rebalances;
        broker.delete_topic(&goes);
        runner.await_stats("it is let go", |now| now.rebalances > before);
        broker.send(&stays, &[Sent::value("c")]);
        assert_eq!(texts(&broker.receive(&sink, 3)), ["a", "b", "c"], "{delivery}");
        let end = runner.stop().unwrap();
        assert_eq!((end.records, end.outputs, end.failed()), (3, 3, 0));
        broker.await_committed(&stays, &stays, 0, 2);
    }
}

/// A topic that is written and deleted ends the run with its name; nothing is committed
/// that was not delivered, and the next run delivers it.
#[test]
fn a_written_topic_that_is_deleted_ends_the_run() {
    let Some(broker) = Broker::apache() else { return };
    for delivery in DELIVERIES {
        for (gone, value) in [("sink", "plain"), ("dead", "fail")] {
            let [source, sink, dead] = ["source", "sink", "dead"].map(|name| broker.topic(name, 1));
            let manifest = pipeline(&source, delivery, &format!(r#""{source}""#), &sink, &dead);
            broker.send(&source, &["plain", "fail"].map(Sent::value));
            let mut runner = Runner::start(&broker, &manifest);
            broker.await_committed(&source, &source, 0, 2);
            let topic = if gone == "sink" { &sink } else { &dead };
            broker.delete_topic(topic);
            broker.send(&source, &[Sent::value(value)]);
            let error = runner.join().unwrap_err().to_string();
            assert!(error.contains(&format!("topic '{topic}'")), "{delivery}, {gone}: {error}");
            assert_eq!(broker.committed(&source, &source, 0), Some(2), "{delivery}, {gone}");

            broker.make_anew(topic);
            let runner = Runner::start(&broker, &manifest);
            assert_eq!(broker.receive(topic, 1)[0].text(), value);
            runner.stop().unwrap();
            assert_eq!(broker.committed(&source, &source, 0), Some(3), "{delivery}, {gone}");
        }
    }
}
