//! Topics on the given broker: created, filled with flights, watched, deleted.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::ToBytes;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;

use crate::workload::flights;

/// Partitions of each topic.
pub const PARTITIONS: i32 = 4;

/// The timeout of one request to the broker.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest time without a new record.
const STALLED: Duration = Duration::from_secs(60);

/// A broker, and the topics created on it.
pub struct Broker {
    /// `host:port`
    pub address: String,
    admin: AdminClient<DefaultClientContext>,
    watcher: BaseConsumer,
    topics: Vec<String>,
}

impl Broker {
    /// Creates the clients; the first request to the broker is that for the first topic.
    ///
    /// # Errors
    /// If the address is not one.
    pub fn connect(address: &str) -> Result<Broker> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", address);
        Ok(Broker {
            address: address.to_owned(),
            admin: config.create()?,
            watcher: config.clone().set("group.id", "sandbar-bench").create()?,
            topics: Vec::new(),
        })
    }

    /// Creates a topic for this run only; it is deleted at the end.
    ///
    /// # Errors
    /// If the broker refuses.
    pub fn create_topic(&mut self, name: &str) -> Result<String> {
        let topic = format!("sandbar-bench-{}-{name}", std::process::id());
        let new = NewTopic::new(&topic, PARTITIONS, TopicReplication::Fixed(-1));
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        let results = futures_executor::block_on(self.admin.create_topics([&new], &options))
            .with_context(|| format!("cannot create topics on {}", self.address))?;
        for result in results {
            result.map_err(|(topic, code)| anyhow!("cannot create topic {topic}: {code}"))?;
        }
        self.topics.push(topic.clone());
        // Its partitions have no leader for a moment, and the client remembers that.
        let start = Instant::now();
        while let Err(error) = self.refresh(&topic).and_then(|()| self.records(&topic)) {
            if start.elapsed() > PATIENCE {
                return Err(error.context(format!("topic {topic} is not available")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(topic)
    }

    fn refresh(&self, topic: &str) -> Result<()> {
        let known = self.watcher.fetch_metadata(Some(topic), PATIENCE)?;
        let found = known.topics().iter().map(|it| it.partitions().len()).sum::<usize>();
        ensure!(found == PARTITIONS as usize, "expected {PARTITIONS} partitions, got {found}");
        Ok(())
    }

    /// Writes a number of flights to a topic, with their keys.
    ///
    /// # Errors
    /// If not all of them arrive.
    pub fn feed(&self, topic: &str, records: usize) -> Result<()> {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.address)
            .set("linger.ms", "20")
            .create()?;
        for flight in flights(records) {
            let record = BaseRecord::to(topic).key(&flight.key).payload(&flight.line);
            send(&producer, record)?;
        }
        producer.flush(PATIENCE)?;
        ensure!(self.records(topic)? == records as i64, "not all flights arrived");
        Ok(())
    }

    /// The number of records in a topic.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub fn records(&self, topic: &str) -> Result<i64> {
        (0..PARTITIONS)
            .map(|partition| {
                let (low, high) = self.watcher.fetch_watermarks(topic, partition, PATIENCE)?;
                Ok(high - low)
            })
            .sum()
    }

    /// Waits for a number of records in a topic. Returns the rate from the first of
    /// them that was seen to the last, per second.
    ///
    /// # Errors
    /// If no more arrive, or `alive` fails.
    pub fn await_records(
        &self,
        topic: &str,
        records: i64,
        mut alive: impl FnMut() -> Result<()>,
    ) -> Result<f64> {
        let mut first = None;
        let mut last = (self.records(topic)?, Instant::now());
        loop {
            let (seen, now) = (self.records(topic)?, Instant::now());
            if seen > 0 && first.is_none() {
                first = Some((seen, now));
            }
            if seen > last.0 {
                last = (seen, now);
            }
            if let Some((before, start)) = first
                && seen >= records
            {
                return Ok((seen - before) as f64 / (now - start).as_secs_f64());
            }
            if last.1.elapsed() > STALLED {
                bail!("only {seen} of {records} records have arrived in {topic}");
            }
            alive()?;
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        let deletion = self.admin.delete_topics(&topics, &AdminOptions::new());
        if let Err(error) = futures_executor::block_on(deletion) {
            eprintln!("cannot delete the topics sandbar-bench-*: {error}");
        }
    }
}

/// Sends a record; waits while the queue is full.
///
/// # Errors
/// If the producer refuses it.
pub fn send<K: ToBytes + ?Sized, P: ToBytes + ?Sized>(
    producer: &BaseProducer,
    mut record: BaseRecord<'_, K, P>,
) -> Result<()> {
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                record = back;
                producer.poll(Duration::from_millis(1));
            }
            Err((error, _)) => return Err(error.into()),
        }
    }
}
