//! The screen: predictions and dead letters as they arrive, and the rate.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use sandbar::record::Shutdown;
use sandbar::telemetry::{Snapshot, Stats};

/// The interval between two lines of figures.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long results may take after the last flight.
const PATIENCE: Duration = Duration::from_secs(60);
/// Predictions shown whole before the figures begin.
const SHOWN: u64 = 4;

/// A remark about the prediction of a key.
pub type Remarks = Box<dyn FnMut(&str) -> Option<String> + Send>;

/// What to watch.
pub struct Watch {
    /// What the records are: `flights`.
    pub what: &'static str,
    pub brokers: String,
    pub properties: Option<(String, String)>,
    /// Of predictions and of dead letters.
    pub topics: [String; 2],
    pub remarks: Remarks,
    /// Counts the results, for the producer.
    pub answered: Arc<AtomicU64>,
}

/// What was seen.
#[derive(Default)]
pub struct Seen {
    pub fed: u64,
    pub predictions: u64,
    pub dead_letters: u64,
}

impl Watch {
    /// Shows the results until the producer has ended and every record has a result.
    pub fn run(
        &mut self,
        consumer: &BaseConsumer,
        feeder: JoinHandle<Result<u64>>,
        shutdown: &Shutdown,
        stats: &Stats,
    ) -> Result<Seen> {
        let mut feeder = Some(feeder);
        let mut seen = Seen::default();
        let mut labels: HashMap<String, u64> = HashMap::new();
        let mut figures = Figures::default();
        let mut last_answer = Instant::now();
        loop {
            if let Some(message) = consumer.poll(Duration::from_millis(50)) {
                let message = message?;
                last_answer = Instant::now();
                if message.topic() == self.topics[0] {
                    seen.predictions += 1;
                    if let Some(label) = label(&message) {
                        match labels.get_mut(label) {
                            Some(count) => *count += 1,
                            None => drop(labels.insert(label.to_owned(), 1)),
                        }
                    }
                    let key = std::str::from_utf8(message.key().unwrap_or_default());
                    match (self.remarks)(key.unwrap_or_default()) {
                        Some(remark) => println!("{}  <- {remark}", show(&message)),
                        None if seen.predictions <= SHOWN => println!("{}", show(&message)),
                        None => {}
                    }
                } else {
                    seen.dead_letters += 1;
                    if seen.dead_letters <= 1 {
                        println!("{}", show_dead_letter(&message));
                    }
                }
                self.answered.fetch_add(1, Ordering::Relaxed);
            }
            figures.print(self.what, &seen, &labels, stats);
            if feeder.as_ref().is_some_and(JoinHandle::is_finished) {
                let feeder = feeder.take().context("the feeder ends once")?;
                seen.fed = feeder.join().map_err(|_| anyhow::anyhow!("the feeder panicked"))??;
                last_answer = Instant::now();
            }
            if feeder.is_none() {
                if seen.predictions + seen.dead_letters >= seen.fed {
                    return Ok(seen);
                }
                let waited = last_answer.elapsed();
                ensure!(
                    waited < PATIENCE || !shutdown.requested(),
                    "no prediction or dead letter arrived for {waited:?}"
                );
            }
        }
    }

    /// Reads both topics from their current ends, without a consumer group.
    pub fn consumer(&self) -> Result<BaseConsumer> {
        let consumer: BaseConsumer = ClientConfig::from_iter(self.properties.clone())
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", "sandbar-demo-watch")
            .set("enable.auto.commit", "false")
            .create()?;
        let mut from = TopicPartitionList::new();
        for topic in &self.topics {
            let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(30))?;
            let found = metadata.topics().first().with_context(|| format!("no topic '{topic}'"))?;
            for partition in found.partitions() {
                let (_, end) =
                    consumer.fetch_watermarks(topic, partition.id(), Duration::from_secs(30))?;
                from.add_partition_offset(topic, partition.id(), Offset::Offset(end))?;
            }
        }
        consumer.assign(&from)?;
        Ok(consumer)
    }
}

/// The label of a JSON prediction, or the whole text of any other.
fn label<'a>(message: &'a BorrowedMessage<'_>) -> Option<&'a str> {
    let value = std::str::from_utf8(message.payload()?).ok()?;
    match value.split_once("\"label\":\"") {
        Some((_, rest)) => rest.split('"').next(),
        None => Some(value),
    }
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

fn show(message: &BorrowedMessage<'_>) -> String {
    format!("{:8} {}", text(message.key()), text(message.payload()))
}

fn show_dead_letter(message: &BorrowedMessage<'_>) -> String {
    let headers: Vec<String> = message
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter())
        .map(|header| format!("{}: {}", header.key, text(header.value)))
        .collect();
    let value = text(message.payload());
    let value: String = value.chars().take(60).collect();
    format!("dead letter: {value:?}\n         {}", headers.join("\n         "))
}

/// The line of figures, once a second.
struct Figures {
    since: Instant,
    last: Snapshot,
}

impl Default for Figures {
    fn default() -> Self {
        Figures { since: Instant::now(), last: Snapshot::default() }
    }
}

impl Figures {
    fn print(&mut self, what: &str, seen: &Seen, labels: &HashMap<String, u64>, stats: &Stats) {
        let elapsed = self.since.elapsed();
        if elapsed < INTERVAL {
            return;
        }
        let now = stats.snapshot();
        let rate = (now.records - self.last.records) as f64 / elapsed.as_secs_f64();
        let mut shares: Vec<_> = labels.iter().collect();
        shares.sort();
        let shares: Vec<String> = shares
            .into_iter()
            .take(4)
            .map(|(label, count)| {
                format!("{label} {:.1} %", 100.0 * *count as f64 / seen.predictions as f64)
            })
            .collect();
        let failures: Vec<String> =
            now.failures.iter().map(|failed| format!("{} {}", failed.code, failed.count)).collect();
        println!(
            "{:>10} {what:8}  {:>8.0}/s  {}  failures: {}",
            now.records,
            rate,
            shares.join("  "),
            if failures.is_empty() { "none".into() } else { failures.join(", ") }
        );
        self.since = Instant::now();
        self.last = now;
    }
}
