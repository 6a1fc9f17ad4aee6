//! The minimal Kafka stream: copies records from one topic to another.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::producer::{BaseProducer, BaseRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::broker::{PARTITIONS, send};

/// Copies until it is killed, with the producer's settings of `sandbar run`, but
/// without its bookkeeping: no group, no offsets, no failures.
#[derive(Args)]
pub struct Copy {
    brokers: String,
    from: String,
    to: String,
}

impl Copy {
    /// Copies keys and values.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub fn run(&self) -> Result<()> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        let consumer: BaseConsumer = config
            .clone()
            .set("group.id", "sandbar-bench-copy")
            .set("enable.auto.commit", "false")
            .create()?;
        let producer: BaseProducer = config
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("compression.type", "lz4")
            .set("partitioner", "murmur2_random")
            .create()?;
        let mut partitions = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            partitions.add_partition_offset(&self.from, partition, Offset::Beginning)?;
        }
        consumer.assign(&partitions)?;
        loop {
            if let Some(message) = consumer.poll(Duration::from_millis(10)) {
                self.pass_on(&producer, &message.context("cannot consume")?)?;
            }
            producer.poll(Duration::ZERO);
        }
    }

    fn pass_on(&self, producer: &BaseProducer, message: &BorrowedMessage<'_>) -> Result<()> {
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&self.to);
        record.key = message.key();
        record.payload = message.payload();
        send(producer, record)
    }
}
