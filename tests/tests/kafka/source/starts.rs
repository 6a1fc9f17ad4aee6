//! `[source] start`: where a group begins, and that it does not begin twice.

use sandbar_tests::{Broker, Received, Runner, Sent, on_each_broker};

const DELIVERIES: [&str; 2] = ["at-least-once", "exactly-once"];

/// The topics of a pipeline that passes on what it reads.
pub(super) struct Topics {
    pub source: String,
    pub sink: String,
    pub dead: String,
}

impl Topics {
    pub fn make(broker: &Broker, partitions: i32) -> Self {
        let [source, sink, dead] = ["source", "sink", "dead"]
            .map(|name| broker.topic(name, if name == "source" { partitions } else { 1 }));
        Topics { source, sink, dead }
    }

    /// Its manifest; the group has the source's name.
    pub fn manifest(&self, delivery: &str, start: &str) -> String {
        let Topics { source, sink, dead } = self;
        format!(
            r#"
            name = "{source}"
            delivery = "{delivery}"
            [source]
            topics = ["{source}"]
            start = {start}
            # A member that could not say farewell is missed after this time.
            [source.properties]
            "topic.metadata.refresh.interval.ms" = 200
            "session.timeout.ms" = 6000
            [[stages]]
            name = "route"
            component = "{{component:route-transformer}}"
            [sink]
            topic = "{sink}"
            [dead-letter]
            topic = "{dead}"
            [runner]
            workers = 2
            commit-interval = "50ms"
            "#
        )
    }

    pub fn send(&self, broker: &Broker, partition: i32, texts: &[&str]) {
        let sent = texts
            .iter()
            .map(|text| Sent { partition: Some(partition), ..Sent::keyed(text, *text) });
        broker.send(&self.source, &sent.collect::<Vec<_>>());
    }

    /// What has arrived once `count` records have, in order of their texts.
    pub fn arrived(&self, broker: &Broker, count: usize) -> Vec<String> {
        let mut texts: Vec<_> =
            broker.receive(&self.sink, count).iter().map(Received::text).collect();
        texts.sort();
        texts
    }
}

on_each_broker! {
    /// Where a group begins is put down before its first record: what is written between
    /// two runs is not passed over, though the first has read nothing.
    fn latest_is_later_than_the_first_start_not_the_second(broker: &Broker) {
        let deliveries = match broker {
            // It forgets offsets that are committed in transactions.
            Broker::Mock(_) => &DELIVERIES[..1],
            Broker::Apache(_) | Broker::Replicated(_) => &DELIVERIES[..],
        };
        for delivery in deliveries {
            let topics = Topics::make(broker, 2);
            let manifest = topics.manifest(delivery, r#""latest""#);
            topics.send(broker, 0, &["old", "old", "old"]);
            let runner = Runner::start(broker, &manifest);
            broker.await_committed(&topics.source, &topics.source, 0, 3);
            broker.await_committed(&topics.source, &topics.source, 1, 0);
            let end = runner.stop().unwrap();
            assert_eq!(end.records, 0);

            topics.send(broker, 0, &["a"]);
            topics.send(broker, 1, &["b"]);
            let runner = Runner::start(broker, &manifest);
            topics.arrived(broker, 2);
            topics.send(broker, 1, &["c"]);
            assert_eq!(topics.arrived(broker, 3), ["a", "b", "c"], "{delivery}");
            runner.stop().unwrap();
            broker.await_committed(&topics.source, &topics.source, 1, 2);
        }
    }

    /// Offsets by partition; a partition that is not named begins with its oldest record.
    fn offsets_are_those_of_the_manifest(broker: &Broker) {
        let topics = Topics::make(broker, 2);
        topics.send(broker, 0, &["0a", "0b", "0c", "0d"]);
        topics.send(broker, 1, &["1a", "1b"]);
        let manifest = topics.manifest("at-least-once", &format!("{{ {} = {{ 0 = 2 }} }}", topics.source));
        let runner = Runner::start(broker, &manifest);
        assert_eq!(topics.arrived(broker, 4), ["0c", "0d", "1a", "1b"]);
        runner.stop().unwrap();
        // They are for a group that has none.
        let runner = Runner::start(broker, &manifest);
        topics.send(broker, 0, &["0e"]);
        assert_eq!(topics.arrived(broker, 5).len(), 5);
        runner.stop().unwrap();
    }

    /// An offset that the topic has not reached ends the run before anything is read.
    fn an_offset_beyond_the_end_is_named(broker: &Broker) {
        let topics = Topics::make(broker, 1);
        topics.send(broker, 0, &["a", "b"]);
        let source = &topics.source;
        let manifest = topics.manifest("at-least-once", &format!("{{ {source} = {{ 0 = 3 }} }}"));
        let error = Runner::start(broker, &manifest).join().unwrap_err().to_string();
        let due = format!("[source] start: {source}/0: offset 3 is beyond the end of what is committed there, 2: correct the offset");
        assert_eq!(error, due);
        assert_eq!(broker.committed(source, source, 0), None);
    }

    /// Several runners that begin together agree on where.
    fn several_runners_begin_at_one_place(broker: &Broker) {
        let topics = Topics::make(broker, 4);
        for partition in 0..4 {
            topics.send(broker, partition, &["old"]);
        }
        let manifest = topics.manifest("at-least-once", r#""latest""#);
        let runners: Vec<_> = (0..3).map(|_| Runner::start(broker, &manifest)).collect();
        for partition in 0..4 {
            broker.await_committed(&topics.source, &topics.source, partition, 1);
        }
        let mut due = Vec::new();
        for round in 0..5 {
            for partition in 0..4 {
                let text = format!("{round}-{partition}");
                topics.send(broker, partition, &[&text]);
                due.push(text);
            }
        }
        let mut arrived = topics.arrived(broker, due.len());
        runners.into_iter().for_each(|runner| drop(runner.stop().unwrap()));
        if let Broker::Mock(_) = broker {
            // It refuses commits while a group shares out its partitions, so that a
            // hand-over repeats records there.
            arrived.dedup();
        }
        assert_eq!(arrived, due);
    }
}

/// At a point in time: the first record that is not older; where there is none, with those
/// that come, however old they say they are.
#[test]
fn a_point_in_time_finds_its_record() {
    let Some(broker) = Broker::apache() else { return };
    for delivery in DELIVERIES {
        let topics = Topics::make(&broker, 3);
        let at = |partition, text: &str, timestamp| {
            let sent = Sent {
                partition: Some(partition),
                timestamp: Some(timestamp),
                ..Sent::keyed(text, text)
            };
            broker.send(&topics.source, &[sent]);
        };
        // 2026-01-01T00:00:00Z
        let midnight = 1_767_225_600_000;
        at(0, "before", midnight - 1);
        at(0, "then", midnight);
        at(0, "after", midnight + 1);
        at(1, "before", midnight - 1);
        let manifest = topics.manifest(delivery, "2026-01-01T01:00:00+01:00");
        let runner = Runner::start(&broker, &manifest);
        assert_eq!(topics.arrived(&broker, 2), ["after", "then"], "{delivery}");
        broker.await_committed(&topics.source, &topics.source, 1, 1);
        broker.await_committed(&topics.source, &topics.source, 2, 0);
        runner.stop().unwrap();
        at(1, "late", midnight - 1000);
        let runner = Runner::start(&broker, &manifest);
        assert_eq!(topics.arrived(&broker, 3), ["after", "late", "then"], "{delivery}");
        runner.stop().unwrap();
    }
}

/// What was deleted cannot be read: the oldest record that is left comes first, whether the
/// offset is the manifest's or the group's, and also where the group began at the end.
#[test]
fn what_is_gone_leads_to_the_oldest_that_is_left() {
    let Some(broker) = Broker::apache() else { return };
    let topics = Topics::make(&broker, 1);
    topics.send(&broker, 0, &["a", "b", "c", "d"]);
    broker.delete_records(&topics.source, 0, 2);
    let start = format!("{{ {} = {{ 0 = 1 }} }}", topics.source);
    let runner = Runner::start(&broker, &topics.manifest("at-least-once", &start));
    assert_eq!(topics.arrived(&broker, 2), ["c", "d"]);
    runner.stop().unwrap();
    broker.await_committed(&topics.source, &topics.source, 0, 4);

    topics.send(&broker, 0, &["e", "f", "g"]);
    broker.delete_records(&topics.source, 0, 6);
    let runner = Runner::start(&broker, &topics.manifest("at-least-once", r#""latest""#));
    assert_eq!(topics.arrived(&broker, 3), ["c", "d", "g"]);
    runner.stop().unwrap();
    broker.await_committed(&topics.source, &topics.source, 0, 7);
}

/// A partition that appears is read from its oldest record, whatever `start` says: while a
/// runner runs, and while none does.
#[test]
fn new_partitions_are_read_from_their_beginning() {
    let Some(broker) = Broker::apache() else { return };
    for delivery in DELIVERIES {
        let topics = Topics::make(&broker, 1);
        let manifest = topics.manifest(delivery, r#""latest""#);
        topics.send(&broker, 0, &["old"]);
        let runner = Runner::start(&broker, &manifest);
        broker.await_committed(&topics.source, &topics.source, 0, 1);
        broker.add_partitions(&topics.source, 2);
        topics.send(&broker, 1, &["a"]);
        topics.send(&broker, 0, &["b"]);
        assert_eq!(topics.arrived(&broker, 2), ["a", "b"], "{delivery}");
        runner.stop().unwrap();

        broker.add_partitions(&topics.source, 3);
        topics.send(&broker, 2, &["c"]);
        let runner = Runner::start(&broker, &manifest);
        assert_eq!(topics.arrived(&broker, 3), ["a", "b", "c"], "{delivery}");
        runner.stop().unwrap();
        broker.await_committed(&topics.source, &topics.source, 2, 1);
    }
}
