//! The producer of the demo's input records.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;
use sandbar::record::Shutdown;

/// Records without an answer at most. The mock broker drops unread records
/// once a partition holds 5 MB; this many flights and their answers are 3 MB.
const AHEAD: u64 = 10_000;

/// A record to send, whose memory is reused for the next.
#[derive(Default)]
pub struct Record {
    pub key: String,
    pub value: Vec<u8>,
}

/// Writes the record of a number, from 0.
pub type Records = Box<dyn FnMut(u64, &mut Record) + Send>;

/// The records to send.
pub struct Feed {
    pub brokers: String,
    pub topic: String,
    pub records: Records,
    /// How many; by default until asked to stop.
    pub limit: Option<u64>,
    /// How many to send at least, even if asked to stop before.
    pub least: u64,
    /// The interval between two records.
    pub pause: Duration,
    /// Predictions and dead letters that came back.
    pub answered: Arc<AtomicU64>,
}

impl Feed {
    /// Sends records until `shutdown` or the end. Returns how many it sent.
    pub fn run(mut self, shutdown: &Shutdown) -> Result<u64> {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("linger.ms", "5")
            .set("enable.idempotence", "true")
            .create()?;
        let mut record = Record::default();
        let mut fed = 0_u64;
        let more = |fed| fed < self.least || !shutdown.requested();
        while more(fed) && self.limit.is_none_or(|limit| fed < limit) {
            if fed.saturating_sub(self.answered.load(Ordering::Relaxed)) >= AHEAD {
                producer.poll(Duration::from_millis(1));
                continue;
            }
            (self.records)(fed, &mut record);
            send(&producer, &self.topic, &record)?;
            fed += 1;
            if !self.pause.is_zero() {
                shutdown.wait(self.pause);
            }
        }
        producer.flush(Duration::from_secs(10))?;
        Ok(fed)
    }
}

/// Sends a record; waits while the queue is full.
fn send(producer: &BaseProducer, topic: &str, record: &Record) -> Result<()> {
    let mut record = BaseRecord::to(topic).key(&record.key).payload(&record.value);
    loop {
        match producer.send(record) {
            Ok(()) => {
                producer.poll(Duration::ZERO);
                return Ok(());
            }
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                record = back;
                producer.poll(Duration::from_millis(10));
            }
            Err((error, _)) => return Err(error.into()),
        }
    }
}
