//! Records that flow through a pipeline while somebody breaks something.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;

use crate::broker::PATIENCE;
use crate::checker::{Counts, Feed, Mix, Seen, Side};
use crate::end::End;
use crate::site::{PARTITIONS, Process, Site};

/// The key of the record behind all others.
const END: &[u8] = b"end";
/// Records that may be on their way before no more are fed.
const AHEAD: u64 = 2000;
/// How long a broker may take to say where something stands.
const GLANCE: Duration = Duration::from_secs(5);
/// Between two looks at something.
const PAUSE: Duration = Duration::from_millis(5);

/// Whether tests that break things shall do so for long.
pub fn is_long() -> bool {
    std::env::var("SANDBAR_TEST_LONG").is_ok_and(|value| value == "1")
}

/// What flows.
pub struct Flow<'a> {
    site: &'a Site,
    /// Where tests reach the brokers, also when the pipeline cannot.
    brokers: &'a str,
    /// Records a second, at the most.
    rate: Option<u64>,
    feed: Feed,
    seen: Mutex<Seen>,
    /// Nothing is fed for now.
    rests: AtomicBool,
    /// Nothing more is fed.
    fed: AtomicBool,
    /// Nothing more is waited for.
    over: AtomicBool,
}

impl<'a> Flow<'a> {
    /// Of a mix of records, as fast as they come out or at a `rate`.
    pub fn new(site: &'a Site, brokers: &'a str, mix: Mix, rate: Option<u64>) -> Self {
        let feed = Feed { partitions: PARTITIONS, mix };
        let seen = Mutex::new(Seen::new(feed, site.times));
        let [rests, fed, over] = [false; 3].map(AtomicBool::new);
        Flow { site, brokers, rate, feed, seen, rests, fed, over }
    }

    /// Feeds records until `breaking` returns the runners that are left then, waits until
    /// all of them have come out, ends the runners, and looks at all that ever came out.
    ///
    /// # Panics
    /// Where something is not as promised.
    pub fn run(&self, breaking: impl FnOnce(&Self) -> Vec<Process>) -> Counts {
        std::thread::scope(|scope| {
            let end = End(&self.over);
            let feeder = scope.spawn(|| self.supply());
            let watcher = scope.spawn(|| self.watch());
            let mut runners = breaking(self);
            self.fed.store(true, Ordering::Relaxed);
            feeder.join().unwrap();
            let all = self.counts().fed;
            self.until(&format!("all of {all} records come out"), &mut runners, || {
                self.came() == all
            });
            for runner in runners {
                runner.stop();
            }
            // Whatever should not be there stands before this.
            self.mark_the_end();
            watcher.join().unwrap();
            drop(end);
            self.seen().finish();
            self.counts()
        })
    }

    /// How many different records have come out.
    pub fn came(&self) -> u64 {
        self.seen().different()
    }

    /// Waits until so many more records have come out, with these runners.
    pub fn more(&self, count: u64, what: &str, runners: &mut [Process]) {
        let goal = self.came() + count;
        self.until(what, runners, || self.came() >= goal);
    }

    /// Feeds nothing until all that was fed has come out, and some moments more.
    pub fn rest(&self, runners: &mut [Process]) {
        self.rests.store(true, Ordering::Relaxed);
        self.until("what was fed", runners, || self.came() == self.counts().fed);
        // Not a wait for something: for nothing.
        std::thread::sleep(Duration::from_millis(300));
        self.rests.store(false, Ordering::Relaxed);
    }

    /// Waits for something, while runners must stay alive.
    pub fn until(&self, what: &str, runners: &mut [Process], condition: impl Fn() -> bool) {
        let mut end = Instant::now() + PATIENCE;
        let mut came = self.came();
        while !condition() {
            // As long as something comes out, it is but slow.
            if self.came() > came {
                came = self.came();
                end = Instant::now() + PATIENCE;
            }
            let counts = self.counts();
            if Instant::now() >= end {
                let missing = self.seen().missing();
                panic!("{what}: {counts:?}, missing {missing:?}; {}", self.whereabouts());
            }
            runners.iter_mut().for_each(Process::check);
            std::thread::park_timeout(PAUSE);
        }
    }

    /// For each partition: what the group has committed and what there is; what readers of
    /// committed outputs may see and what there is.
    fn whereabouts(&self) -> String {
        let at = |isolation: &str, topic: &str, partition| {
            let consumer: BaseConsumer =
                self.client().set("isolation.level", isolation).create().ok()?;
            let marks = consumer.fetch_watermarks(topic, partition, GLANCE);
            marks.map_err(|error| eprintln!("{topic}/{partition}: {error}")).ok().map(|it| it.1)
        };
        let committed = |partition| {
            let mut config = self.client();
            let consumer: BaseConsumer = config.set("group.id", &self.site.source).create().ok()?;
            let mut list = TopicPartitionList::new();
            list.add_partition(&self.site.source, partition);
            // Offsets of a transaction that is open are not told.
            let list = consumer.committed_offsets(list, GLANCE);
            let list = list.map_err(|error| eprintln!("group, {partition}: {error}")).ok()?;
            list.elements().first()?.offset().to_raw()
        };
        let (source, sink) = (&self.site.source, &self.site.sink);
        let one = |partition| {
            format!(
                "partition {partition}: committed {:?} of {:?}, readable {:?} of {:?}",
                committed(partition),
                at("read_committed", source, partition),
                at("read_committed", sink, partition),
                at("read_uncommitted", sink, partition),
            )
        };
        (0..PARTITIONS as i32).map(one).collect::<Vec<_>>().join("; ")
    }

    /// The counts so far.
    ///
    /// # Panics
    /// Where something is not as promised.
    pub fn counts(&self) -> Counts {
        let counts = self.seen().counts();
        counts.unwrap_or_else(|wrong| panic!("{:?}: {wrong}", self.site.times))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", self.brokers)
            .set("reconnect.backoff.max.ms", "1000")
            .set("log.connection.close", "false");
        config
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Feeds records, each of them once.
    fn supply(&self) {
        let producer: ThreadedProducer<Reports> = self
            .client()
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .create_with_context(Reports::default())
            .unwrap();
        let begin = Instant::now();
        for number in 0.. {
            let due = || {
                self.rate.is_none_or(|rate| {
                    number as u128 <= begin.elapsed().as_micros() * u128::from(rate) / 1_000_000
                })
            };
            while number >= self.came() + AHEAD || self.rests.load(Ordering::Relaxed) || !due() {
                if self.fed.load(Ordering::Relaxed) || self.is_over() {
                    break;
                }
                std::thread::park_timeout(PAUSE);
            }
            if self.fed.load(Ordering::Relaxed) || self.is_over() {
                break;
            }
            self.seen().fed(number + 1);
            let sent = self.feed.record(number);
            self.send(&producer, &self.site.source, &sent.key, &sent.value, sent.partition);
        }
        while producer.flush(PAUSE).is_err() && !self.is_over() {}
        let lost = producer.context().0.load(Ordering::Relaxed);
        if lost > 0 {
            self.seen().complain(format!("{lost} records could not be fed: a fault of the test"));
        }
    }

    fn send(
        &self,
        producer: &ThreadedProducer<Reports>,
        topic: &str,
        key: &Option<Vec<u8>>,
        value: &Option<Vec<u8>>,
        partition: Option<i32>,
    ) {
        let mut record = BaseRecord::<[u8], [u8]>::to(topic);
        record.key = key.as_deref();
        record.payload = value.as_deref();
        record.partition = partition;
        while let Err((error, back)) = producer.send(record) {
            let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
            assert_eq!(error, full, "sending to {topic}");
            record = back;
            std::thread::park_timeout(PAUSE);
        }
    }

    fn topics(&self) -> [&String; 3] {
        [&self.site.source, &self.site.sink, &self.site.dead]
    }

    /// Puts a last record into each partition.
    fn mark_the_end(&self) {
        let producer: ThreadedProducer<Reports> =
            self.client().create_with_context(Reports::default()).unwrap();
        for topic in self.topics() {
            for partition in 0..PARTITIONS as i32 {
                self.send(&producer, topic, &Some(END.into()), &None, Some(partition));
            }
        }
        producer.flush(PATIENCE).unwrap();
    }

    /// Reads what goes in and what comes out, as readers of committed records see it, to the last record.
    fn watch(&self) {
        let consumer: BaseConsumer = self
            .client()
            .set("group.id", "sandbar-tests")
            .set("enable.auto.commit", "false")
            // Records that are gone must not be skipped in silence.
            .set("auto.offset.reset", "error")
            .create()
            .unwrap();
        let mut all = TopicPartitionList::new();
        for topic in self.topics() {
            for partition in 0..PARTITIONS as i32 {
                all.add_partition_offset(topic, partition, Offset::Offset(0)).unwrap();
            }
        }
        consumer.assign(&all).unwrap();
        let mut left = all.count();
        // A consumer whose broker was away may fetch again what it has handed out already.
        let mut next: BTreeMap<(String, i32), i64> = BTreeMap::new();
        while left > 0 && !self.is_over() {
            match consumer.poll(Duration::from_millis(20)) {
                None => {}
                Some(Ok(message))
                    if {
                        let place = (message.topic().to_owned(), message.partition());
                        let next = next.entry(place).or_default();
                        let again = message.offset() < *next;
                        *next = (*next).max(message.offset() + 1);
                        again
                    } =>
                {
                    self.seen().read_again();
                }
                Some(Ok(message)) if message.key() == Some(END) => left -= 1,
                Some(Ok(message)) => {
                    let (partition, key) = (message.partition(), message.key());
                    let (mut seen, key) = (self.seen(), key.unwrap_or_default());
                    match message.topic() {
                        topic if topic == self.site.sink => seen.note(Side::Output, partition, key),
                        topic if topic == self.site.dead => seen.note(Side::Letter, partition, key),
                        _ => seen.note_fed(key),
                    }
                }
                Some(Err(error)) => {
                    let code = error.rdkafka_error_code();
                    if code == Some(RDKafkaErrorCode::AutoOffsetReset) {
                        self.seen().complain(format!("a topic has lost records: {error}"));
                    }
                }
            }
        }
    }
}

/// Counts what was not delivered.
#[derive(Default)]
struct Reports(std::sync::atomic::AtomicU64);

impl ClientContext for Reports {
    // A broker that is away is the point.
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if result.is_err() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
