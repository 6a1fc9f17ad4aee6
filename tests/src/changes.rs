//! Topics that change while pipelines read or write them; on Apache Kafka, since the
//! mock broker's never do.

use std::time::{Duration, Instant};

use futures_executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::metadata::MetadataPartition;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::broker::{Broker, PATIENCE};

impl Broker {
    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", self.address()).create().unwrap()
    }

    /// Makes a topic that there was before, and waits until it can be seen.
    pub fn make_anew(&self, topic: &str) {
        self.make_topic(topic, 1, &[]);
        self.await_metadata(topic, |partitions| partitions == 1);
    }

    /// Gives a topic more partitions, `count` in all.
    pub fn add_partitions(&self, topic: &str, count: usize) {
        let more = [NewPartitions::new(topic, count)];
        // The client must live until it is done: nobody would end the wait.
        let done = block_on(self.admin().create_partitions(&more, &AdminOptions::new()));
        assert!(done.unwrap()[0].is_ok(), "{topic} gets no more partitions");
        self.await_metadata(topic, |partitions| partitions == count);
    }

    /// Deletes a topic, and waits until it is gone.
    pub fn delete_topic(&self, topic: &str) {
        let done = block_on(self.admin().delete_topics(&[topic], &AdminOptions::new()));
        assert!(done.unwrap()[0].is_ok(), "{topic} cannot be deleted");
        self.await_metadata(topic, |partitions| partitions == 0);
    }

    /// Deletes the records of a partition that lie before `offset`, as retention does.
    pub fn delete_records(&self, topic: &str, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(offset)).unwrap();
        let done = block_on(self.admin().delete_records(&list, &AdminOptions::new())).unwrap();
        assert!(done.elements()[0].error().is_ok(), "{topic}: records cannot be deleted");
    }

    fn await_metadata(&self, topic: &str, due: impl Fn(usize) -> bool) {
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", self.address()).create().unwrap();
        let end = Instant::now() + PATIENCE;
        let partitions = || {
            let all = consumer.fetch_metadata(None, PATIENCE).unwrap();
            let found = all.topics().iter().find(|found| found.name() == topic);
            // One without a leader cannot be written to yet.
            let led = |partition: &&MetadataPartition| partition.leader() >= 0;
            found.map_or(0, |found| found.partitions().iter().filter(led).count())
        };
        while !due(partitions()) {
            assert!(Instant::now() < end, "{topic} does not change");
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// The first and the next offset of a partition.
    pub fn ends(&self, topic: &str, partition: i32) -> (i64, i64) {
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", self.address()).create().unwrap();
        consumer.fetch_watermarks(topic, partition, PATIENCE).unwrap()
    }

    /// Waits until a group has committed an offset.
    pub fn await_committed(&self, group: &str, topic: &str, partition: i32, offset: i64) {
        let end = Instant::now() + PATIENCE;
        loop {
            let committed = self.committed(group, topic, partition);
            if committed == Some(offset) {
                return;
            }
            assert!(
                Instant::now() < end,
                "{topic}/{partition}: {committed:?} is committed, not {offset}"
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}
