//! The mock broker: librdkafka's mock cluster, in this process.
//!
//! It speaks Kafka's protocol over TCP on the loopback address, so that real
//! clients work with it. It is for demonstrations and tests, never for data:
//! it keeps 5 MB or 100,000 batches per partition and then drops the oldest even
//! if unread, has no transactions, creates topics only through this type, refuses
//! commits while a group rebalances (so that a rebalance repeats records),
//! takes three seconds for the first join of a group, and answers look-ups
//! by time with the end of the partition.

use std::time::Duration;

use rdkafka::error::KafkaResult;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

/// A mock broker in this process. Dropping it stops it.
pub struct MockBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl MockBroker {
    /// Starts a broker on a free port of the loopback address.
    ///
    /// # Errors
    /// If librdkafka cannot.
    pub fn start() -> KafkaResult<Self> {
        Ok(MockBroker { cluster: MockCluster::new(1)? })
    }

    /// `host:port` for clients.
    pub fn address(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// Creates a topic.
    ///
    /// # Errors
    /// If librdkafka cannot: the topic exists, for example.
    pub fn create_topic(&self, topic: &str, partitions: i32) -> KafkaResult<()> {
        self.cluster.create_topic(topic, partitions, 1)
    }

    /// Makes the broker close its connections and refuse new ones, or accept them again.
    ///
    /// # Errors
    /// If librdkafka cannot.
    pub fn set_away(&self, away: bool) -> KafkaResult<()> {
        if away { self.cluster.broker_down(1) } else { self.cluster.broker_up(1) }
    }

    /// Answers the next so many requests for records, of whomever, that their offset does not
    /// exist.
    pub fn forget_offsets(&self, requests: usize) {
        self.cluster.clear_request_errors(RDKafkaApiKey::Fetch);
        let code = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
        self.cluster.request_errors(RDKafkaApiKey::Fetch, &vec![code; requests]);
    }

    /// Delays every answer of the broker.
    ///
    /// # Errors
    /// If librdkafka cannot.
    pub fn set_delay(&self, delay: Duration) -> KafkaResult<()> {
        self.cluster.broker_round_trip_time(1, delay)
    }
}
