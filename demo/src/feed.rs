//! The producer of the demo's flights.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use flight_records::{CLASSIC, Flights};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;
use sandbar::pipeline::Shutdown;

/// Flights that may be without an answer. The practice broker drops what is unread
/// once a partition holds 5 MB; this many flights and their answers are 3 MB.
const AHEAD: u64 = 10_000;

/// What to feed.
pub struct Feed {
    pub brokers: String,
    pub topic: String,
    pub seed: u64,
    /// One record in this many is not a flight; 0 for none.
    pub garbage: u64,
    pub records: Option<u64>,
    /// Predictions and dead letters that came back.
    pub answered: Arc<AtomicU64>,
}

impl Feed {
    /// Feeds until `shutdown` or the end. Returns how many records it fed.
    pub fn run(self, shutdown: &Shutdown) -> Result<u64> {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("linger.ms", "5")
            .set("enable.idempotence", "true")
            .create()?;
        let mut flights = Flights::new(self.seed);
        let mut line = String::new();
        let mut fed = 0_u64;
        while !shutdown.requested() && self.records.is_none_or(|records| fed < records) {
            if fed.saturating_sub(self.answered.load(Ordering::Relaxed)) >= AHEAD {
                producer.poll(Duration::from_millis(1));
                continue;
            }
            match CLASSIC.get(fed as usize) {
                Some(classic) => (*classic).clone_into(&mut line),
                None if self.garbage > 0 && fed % self.garbage == self.garbage - 1 => {
                    "this is not a flight".clone_into(&mut line);
                }
                None => flights.write_next(&mut line),
            }
            send(&producer, &self.topic, &line)?;
            fed += 1;
        }
        producer.flush(Duration::from_secs(10))?;
        Ok(fed)
    }
}

/// Sends a line under the number of its flight; waits while the queue is full.
fn send(producer: &BaseProducer, topic: &str, line: &str) -> Result<()> {
    let mut columns = line.split(',').skip(8);
    let key = format!("{}{}", columns.next().unwrap_or(""), columns.next().unwrap_or(""));
    let mut record = BaseRecord::to(topic).key(&key).payload(line);
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
