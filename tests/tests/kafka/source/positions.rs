//! Where partitions are read from, whatever librdkafka makes of it.

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use sandbar_tests::broker::PATIENCE;
use sandbar_tests::{Broker, Runner};

use super::starts::Topics;

const PARTITIONS: i32 = 4;

/// Offsets that an open transaction holds back are waited for, also when the group rebalances
/// meanwhile: then librdkafka forgets what it has asked for, and begins with the oldest record.
#[test]
fn offsets_that_are_not_decided_yet_are_waited_for() {
    let Some(broker) = Broker::apache() else { return };
    let topics = Topics::make(&broker, PARTITIONS);
    let manifest = topics.manifest("exactly-once", r#""earliest""#);
    for partition in 0..PARTITIONS {
        topics.send(&broker, partition, &["old", "old", "old"]);
    }
    let runner = Runner::start(&broker, &manifest);
    assert_eq!(topics.arrived(&broker, 12).len(), 12);
    runner.stop().unwrap();

    let open = Transaction::holding_back(&broker, &topics.source);
    let first = Runner::start(&broker, &manifest);
    first.await_stats("all partitions", |stats| stats.rebalances == 1);
    let second = Runner::start(&broker, &manifest);
    // One to give up partitions, one to go on.
    second.await_stats("some partitions", |stats| stats.rebalances >= 1);
    first.await_stats("fewer partitions", |stats| stats.rebalances >= 2);
    for partition in 0..PARTITIONS {
        topics.send(&broker, partition, &["new"]);
    }
    open.abort();
    for partition in 0..PARTITIONS {
        broker.await_committed(&topics.source, &topics.source, partition, 4);
    }
    first.stop().unwrap();
    second.stop().unwrap();
    let mut expected = vec!["new"; 4];
    expected.extend(["old"; 12]);
    assert_eq!(topics.arrived(&broker, 16), expected);
}

/// A broker that does not know for a moment how far a partition goes: nothing is read again.
#[test]
fn offsets_that_a_broker_forgets_are_kept() {
    let broker = Broker::mock();
    let topics = Topics::make(&broker, 1);
    let runner = Runner::start(&broker, &topics.manifest("at-least-once", r#""earliest""#));
    let Broker::Mock(mock) = &broker else { unreachable!("made above") };
    let expected: Vec<String> = (0..40).map(|number| format!("{number:02}")).collect();
    for (index, texts) in expected.chunks(4).enumerate() {
        if index > 0 {
            mock.forget_offsets(2);
        }
        topics.send(&broker, 0, &texts.iter().map(String::as_str).collect::<Vec<_>>());
        // Nobody else fetches meanwhile, who would get those answers.
        let count = 4 * (index as u64 + 1);
        runner.await_stats("all that was sent", |stats| stats.outputs >= count);
    }
    runner.stop().unwrap();
    mock.forget_offsets(0);
    assert_eq!(topics.arrived(&broker, 40), expected);
}

/// A topic that was made anew, under a group that had come further, is read from its oldest
/// record where records may be processed twice.
#[test]
fn beyond_the_end_at_least_once_begins_again() {
    let Some(broker) = Broker::apache() else { return };
    let (topics, runner) = beyond_the_end(&broker, "at-least-once");
    assert_eq!(topics.arrived(&broker, 3), ["a", "b", "c"]);
    runner.stop().unwrap();
    assert_eq!(broker.committed(&topics.source, &topics.source, 0), Some(3));
}

/// Where they must not, it is for a person to say.
#[test]
fn beyond_the_end_exactly_once_ends_the_run() {
    let Some(broker) = Broker::apache() else { return };
    let (topics, mut runner) = beyond_the_end(&broker, "exactly-once");
    let source = &topics.source;
    let expected =
        format!("{source}/0: the group's offset 500 is beyond the end of the partition, 3: ");
    let error = runner.join().unwrap_err().to_string();
    assert!(error.contains(&expected), "{error}");
    assert_eq!(broker.committed(source, source, 0), Some(500));
}

fn beyond_the_end(broker: &Broker, delivery: &str) -> (Topics, Runner) {
    let topics = Topics::make(broker, 1);
    topics.send(broker, 0, &["a", "b", "c"]);
    commit(broker, &topics.source, 500);
    let runner = Runner::start(broker, &topics.manifest(delivery, r#""earliest""#));
    (topics, runner)
}

/// A transaction that has offsets of a group, and stays open.
struct Transaction(BaseProducer);

impl Transaction {
    fn holding_back(broker: &Broker, group_and_topic: &str) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", broker.address());
        let producer: BaseProducer = config
            .clone()
            .set("transactional.id", format!("{group_and_topic}-held"))
            .create()
            .unwrap();
        let member: BaseConsumer = config.set("group.id", group_and_topic).create().unwrap();
        let mut offsets = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            let offset = Offset::Offset(3);
            offsets.add_partition_offset(group_and_topic, partition, offset).unwrap();
        }
        producer.init_transactions(PATIENCE).unwrap();
        producer.begin_transaction().unwrap();
        let metadata = member.group_metadata().unwrap();
        producer.send_offsets_to_transaction(&offsets, &metadata, PATIENCE).unwrap();
        Transaction(producer)
    }

    fn abort(self) {
        self.0.abort_transaction(PATIENCE).unwrap();
    }
}

fn commit(broker: &Broker, group_and_topic: &str, offset: i64) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", broker.address())
        .set("group.id", group_and_topic)
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(group_and_topic, 0, Offset::Offset(offset)).unwrap();
    consumer.commit(&list, CommitMode::Sync).unwrap();
}
