//! The brokers that tests run on, and records into and out of them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;
use sandbar::kafka::mock_broker::MockBroker;

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A broker with topics of its own for each test.
pub enum Broker {
    /// librdkafka's mock cluster.
    Mock(MockBroker),
    /// An Apache Kafka, at this address.
    Apache(String),
    /// Several of it, at these addresses: topics have three replicas.
    Replicated(String),
}

/// A record to send.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sent {
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Option<Vec<u8>>,
    /// Headers, whose values are not null.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
    /// The partition; by the key where there is none.
    pub partition: Option<i32>,
}

impl Sent {
    /// A record of partition 0 that has a value and nothing else.
    pub fn value(value: impl Into<Vec<u8>>) -> Self {
        Sent { value: Some(value.into()), partition: Some(0), ..Sent::default() }
    }

    /// The same with a key.
    pub fn keyed(key: impl std::fmt::Display, value: impl Into<Vec<u8>>) -> Self {
        Sent { key: Some(key.to_string().into_bytes()), ..Sent::value(value) }
    }
}

/// A record that came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The partition that it was found in.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Option<Vec<u8>>,
    /// Headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
}

impl Received {
    /// The value as text; empty where it is null.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.value.as_deref().unwrap_or_default()).into_owned()
    }

    /// A header as text; empty where there is none.
    pub fn header(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
    }
}

impl Broker {
    /// A mock broker of this test's own.
    pub fn mock() -> Self {
        Broker::Mock(MockBroker::start().unwrap())
    }

    /// The Apache Kafka that SANDBAR_TEST_KAFKA names. Without it the test is
    /// skipped, which `cargo xtask test` reports.
    pub fn apache() -> Option<Self> {
        match std::env::var("SANDBAR_TEST_KAFKA") {
            Ok(address) if !address.is_empty() => Some(Broker::Apache(address)),
            _ => {
                eprintln!("skipped: no Apache Kafka; `cargo xtask test` starts one");
                None
            }
        }
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        match self {
            Broker::Mock(broker) => broker.address(),
            Broker::Apache(address) | Broker::Replicated(address) => address.clone(),
        }
    }

    /// Makes a topic whose name begins with `name` and that no other test has.
    pub fn topic(&self, name: &str, partitions: i32) -> String {
        self.topic_with(name, partitions, &[])
    }

    /// The same with a configuration, of which the mock broker knows nothing.
    pub fn topic_with(&self, name: &str, partitions: i32, config: &[(&str, &str)]) -> String {
        let topic = unused(name);
        self.make_topic(&topic, partitions, config);
        topic
    }

    /// Makes a topic of exactly this name.
    pub fn make_topic(&self, topic: &str, partitions: i32, config: &[(&str, &str)]) {
        let (address, replicas) = match self {
            Broker::Mock(broker) => return broker.create_topic(topic, partitions).unwrap(),
            Broker::Apache(address) => (address, 1),
            Broker::Replicated(address) => (address, 3),
        };
        let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(replicas));
        create_topic(address, new, config);
    }

    /// What a topic is set to.
    pub fn setting(&self, topic: &str, name: &str) -> String {
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", self.address()).create().unwrap();
        let topics = [ResourceSpecifier::Topic(topic)];
        let answer =
            futures_executor::block_on(admin.describe_configs(&topics, &AdminOptions::new()));
        let settings = answer.unwrap().remove(0).unwrap();
        settings.get(name).unwrap().value.clone().unwrap()
    }

    /// Makes a topic that is on one of several brokers alone; `node` counts from 1.
    pub fn topic_on(&self, name: &str, partitions: usize, node: i32) -> String {
        let topic = unused(name);
        let node = [node];
        let replicas: Vec<&[i32]> = vec![&node; partitions];
        let new = NewTopic::new(&topic, partitions as i32, TopicReplication::Variable(&replicas));
        create_topic(&self.address(), new, &[]);
        topic
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", self.address())
            .set("message.max.bytes", "100000000")
            .set("enable.auto.commit", "false");
        config
    }

    /// Sends records, in order, and waits until they have arrived.
    pub fn send(&self, topic: &str, records: &[Sent]) {
        let producer: BaseProducer =
            self.client().set("enable.idempotence", "true").create().unwrap();
        for sent in records {
            let headers = sent.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
                headers.insert(Header { key, value: Some(value) })
            });
            let mut record = BaseRecord::<[u8], [u8]>::to(topic).headers(headers);
            record.key = sent.key.as_deref();
            record.payload = sent.value.as_deref();
            record.timestamp = sent.timestamp;
            record.partition = sent.partition;
            while let Err((error, back)) = producer.send(record) {
                let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
                assert_eq!(error, full, "sending to {topic}");
                record = back;
                producer.poll(Duration::from_millis(10));
            }
        }
        producer.flush(PATIENCE).unwrap();
    }

    /// Sends a record with a header whose name is any bytes but zero. rdkafka wants
    /// UTF-8, so this goes to librdkafka itself.
    pub fn send_with_odd_header(&self, topic: &str, name: &[u8], value: &str) {
        use rdkafka::bindings as raw;

        let producer: BaseProducer = self.client().create().unwrap();
        let topic = std::ffi::CString::new(topic).unwrap();
        // SAFETY: all that the pointers name lives until the flush below; the headers
        // belong to librdkafka once the call has succeeded, which is asserted.
        unsafe {
            let headers = raw::rd_kafka_headers_new(1);
            let text = (value.as_ptr().cast(), value.len());
            raw::rd_kafka_header_add(
                headers,
                name.as_ptr().cast(),
                name.len() as isize,
                text.0,
                text.1 as isize,
            );
            let mut parts: [raw::rd_kafka_vu_t; 3] = std::mem::zeroed();
            parts[0].vtype = raw::rd_kafka_vtype_t::RD_KAFKA_VTYPE_TOPIC;
            parts[0].u.cstr = topic.as_ptr();
            parts[1].vtype = raw::rd_kafka_vtype_t::RD_KAFKA_VTYPE_VALUE;
            parts[1].u.mem.ptr = text.0.cast_mut();
            parts[1].u.mem.size = text.1;
            parts[2].vtype = raw::rd_kafka_vtype_t::RD_KAFKA_VTYPE_HEADERS;
            parts[2].u.headers = headers;
            let client = producer.client().native_ptr();
            let error = raw::rd_kafka_produceva(client, parts.as_ptr(), parts.len());
            assert!(error.is_null(), "librdkafka refuses the record");
        }
        producer.flush(PATIENCE).unwrap();
    }

    /// Waits until `count` records are in a topic and returns them, partition by
    /// partition in order of their offsets. More than `count` are returned too.
    ///
    /// # Panics
    /// Where fewer come within [`PATIENCE`].
    pub fn receive(&self, topic: &str, count: usize) -> Vec<Received> {
        let consumer: BaseConsumer =
            self.client().set("group.id", "sandbar-tests").create().unwrap();
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).unwrap();
        let mut all = TopicPartitionList::new();
        for partition in metadata.topics()[0].partitions() {
            all.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
        }
        consumer.assign(&all).unwrap();
        let mut received = Vec::new();
        let end = Instant::now() + PATIENCE;
        while received.len() < count {
            assert!(Instant::now() < end, "{} of {count} records in {topic}", received.len());
            while let Some(message) = consumer.poll(Duration::from_millis(200)) {
                match message {
                    Ok(message) => received.push(copy(&message)),
                    Err(error) => eprintln!("receiving from {topic}: {error}"),
                }
            }
        }
        received.sort_by_key(|record| (record.partition, record.offset));
        received
    }

    /// Waits until records of `keys` different keys are in a topic: for what may arrive
    /// more than once. Returns how many records there are.
    pub fn receive_keys(&self, topic: &str, keys: usize) -> usize {
        let mut count = keys;
        loop {
            let received = self.receive(topic, count);
            let distinct: BTreeSet<_> = received.iter().map(|record| &record.key).collect();
            if distinct.len() >= keys {
                return received.len();
            }
            count = received.len() + 1;
        }
    }

    /// The broker that leads each partition of a topic.
    pub fn leaders(&self, topic: &str) -> Vec<i32> {
        let consumer: BaseConsumer = self.client().create().unwrap();
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).unwrap();
        metadata.topics()[0].partitions().iter().map(|partition| partition.leader()).collect()
    }

    /// The offset that a group has committed for a partition.
    pub fn committed(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        let consumer: BaseConsumer = self.client().set("group.id", group).create().unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, partition);
        let list = consumer.committed_offsets(list, PATIENCE).unwrap();
        match list.find_partition(topic, partition)?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    }
}

/// A topic's name that no other test has.
fn unused(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{name}-{}-{number}", std::process::id())
}

fn create_topic<'a>(address: &str, new: NewTopic<'a>, config: &[(&'a str, &'a str)]) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", address).create().unwrap();
    let new = new.set("max.message.bytes", "20000000");
    let new = config.iter().fold(new, |new, (key, value)| new.set(key, value));
    let topic = new.name;
    let created = futures_executor::block_on(admin.create_topics(&[new], &AdminOptions::new()));
    assert!(created.unwrap()[0].is_ok(), "{topic} cannot be made on {address}");
}

fn copy(message: &impl Message) -> Received {
    let headers = message.headers().map(|headers| {
        let each = headers.iter();
        each.map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()))
            .collect()
    });
    Received {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
        timestamp: message.timestamp().to_millis(),
    }
}
