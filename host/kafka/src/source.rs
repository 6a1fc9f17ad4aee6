//! The consumer: reads records, hands batches of them to the workers, and commits
//! what is delivered.
//!
//! One thread polls, whatever the workers do, so that the group never considers this
//! runner dead. When too much is in flight it waits a moment for room; if that does
//! not help, partitions are paused, not the polling.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use super::batcher::Batcher;
use super::client_errors::{self, HasClientErrors};
use super::config::{self, Connection, SourceSettings};
use super::error::KafkaFailure;
use super::group::{self, Group, Member};
use super::position_check::PositionCheck;
use super::subscription::Subscription;
use super::topics;
use sandbar_record::{AckHandle, MemoryGate, Shortage, Shutdown, Source};
use sandbar_telemetry::Stats;

/// How long to wait for a record when nothing is in flight.
const IDLE: Duration = Duration::from_millis(100);
/// The same while batches are in flight: their end may let partitions resume.
const BUSY: Duration = Duration::from_millis(2);
/// How long to wait for room without polling, before partitions are paused. The group
/// considers a member dead only after `max.poll.interval.ms`, minutes.
const UNPOLLED: Duration = Duration::from_secs(1);
/// Records between two checks of the clock and of what is delivered.
const STRIDE: usize = 64;

/// The consuming end of a pipeline.
pub struct KafkaSource {
    consumer: Arc<BaseConsumer<Member>>,
    brokers: String,
    plan: SourceSettings,
    subscription: Subscription,
    batcher: Batcher,
    positions: PositionCheck,
    paused: bool,
    /// [`Member::rebalances`] when partitions were last paused or resumed.
    rebalances: u64,
    committed: Instant,
    stats: Arc<Stats>,
    memory: MemoryGate,
}

impl Source for KafkaSource {
    type Error = KafkaFailure;

    /// Reads until `shutdown`, then waits for what is in flight and commits it.
    ///
    /// # Errors
    /// If a topic does not exist, the brokers refuse this client, or an output
    /// cannot be delivered. What was delivered until then is committed.
    fn run(mut self, shutdown: &Shutdown) -> Result<(), KafkaFailure> {
        // Before there is a subscription only errors can arrive.
        let listen = || client_errors::listen(|time| drop(self.consumer.poll(time)));
        if !self.await_topics(shutdown, listen)? {
            return Ok(());
        }
        let starts = self.consumer.context().starts();
        if !starts.note(&self.consumer, &self.subscription, &self.brokers, shutdown)? {
            return Ok(());
        }
        let names: Vec<&str> = self.plan.topics.iter().map(String::as_str).collect();
        self.consumer.subscribe(&names).map_err(KafkaFailure::Consumer)?;

        let result = self.read(shutdown).and_then(|()| self.drain());
        self.commit_at_last();
        self.consumer.context().finish();
        result
    }
}

impl KafkaSource {
    /// Creates the consumer. It joins its group in [`Source::run`]. The batches of a
    /// partition go to one and the same of `workers`, in order.
    ///
    /// # Errors
    /// If librdkafka rejects its configuration.
    pub fn new(
        connection: &Connection,
        plan: SourceSettings,
        workers: Vec<Sender<Arc<AckHandle>>>,
        stats: Arc<Stats>,
    ) -> Result<Self, KafkaFailure> {
        let member = Member::new(workers.len(), &plan, stats.clone());
        let subscription = Subscription::new(&plan.topics);
        let consumer: BaseConsumer<Member> = config::consumer(connection, &plan.group)
            .create_with_context(member)
            .map_err(config::unsaid)
            .map_err(|cause| KafkaFailure::Config { client: "consumer", cause })?;
        let batcher = Batcher::new(plan.batch, workers);
        let (brokers, committed) = (connection.brokers.clone(), Instant::now());
        let (consumer, paused, rebalances) = (Arc::new(consumer), false, 0);
        Ok(KafkaSource {
            consumer,
            brokers,
            plan,
            subscription,
            batcher,
            positions: PositionCheck::default(),
            paused,
            rebalances,
            committed,
            stats,
            memory: MemoryGate::default(),
        })
    }

    /// The same, which holds back while the process is short of memory.
    #[must_use]
    pub fn within(self, memory: MemoryGate) -> Self {
        KafkaSource { memory, ..self }
    }

    /// The consumer group that it is a member of.
    pub fn group(&self) -> Group {
        Group::of(self.consumer.clone())
    }

    /// Waits until all named topics exist. `false`: `shutdown` came first.
    fn await_topics(&self, shutdown: &Shutdown, listen: impl Fn()) -> Result<bool, KafkaFailure> {
        for topic in self.subscription.names() {
            let client = self.consumer.client();
            let (brokers, key) = (&self.brokers, "[source] topics");
            if !topics::await_topic(client, &listen, brokers, topic, key, shutdown)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn read(&mut self, shutdown: &Shutdown) -> Result<(), KafkaFailure> {
        let mut wait = IDLE;
        let mut since_look = 0;
        while !shutdown.requested() {
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    if let Err(record) = self.batcher.push(&message, self.consumer.context()) {
                        self.positions.suspend(&self.consumer, &record);
                    }
                    wait = Duration::ZERO;
                    since_look += 1;
                    if since_look < STRIDE {
                        continue;
                    }
                    self.batcher.flush(false, self.consumer.context());
                }
                Some(Err(error)) => self.sort_out(error, shutdown)?,
                // Nothing is queued at the consumer: what was read so far is sent on.
                None => self.batcher.flush(true, self.consumer.context()),
            }
            let idle = self.look()?;
            if since_look == 0 {
                wait = if idle { IDLE } else { BUSY };
            }
            since_look = 0;
        }
        Ok(())
    }

    /// Processes acknowledgements, commits when it is time, pauses or resumes.
    /// Returns whether nothing is in flight.
    fn look(&mut self) -> Result<bool, KafkaFailure> {
        let member = self.consumer.context();
        if let Some(failure) = member.failure() {
            return Err(failure);
        }
        // Waiting a moment costs nothing, a pause discards what was fetched ahead.
        let patience = if self.paused { Duration::ZERO } else { UNPOLLED };
        let in_flight = member.progress().await_room(self.most_in_flight(), patience)?;
        if self.committed.elapsed() >= self.plan.commit_interval {
            // The error has been logged, and the next interval retries.
            let _ = self.commit(CommitMode::Async);
        }
        self.hold_back(in_flight);
        if !self.positions.is_idle() {
            self.positions.resume(&self.consumer, self.paused, self.plan.commits)?;
        }
        self.stats.now.polled();
        self.stats.now.in_flight(in_flight, self.paused);
        Ok(in_flight == 0)
    }

    /// How much may be in flight: nothing besides what is, while memory is tight. With nothing in
    /// flight, more than nothing is read, as it is not that which takes the memory.
    fn most_in_flight(&self) -> u64 {
        match self.memory.shortage() {
            Shortage::None => self.plan.in_flight,
            Shortage::Tight | Shortage::Short | Shortage::Over => 0,
        }
    }

    /// Pauses above the limit of bytes in flight, resumes below half of it. Whatever is in flight,
    /// it pauses while memory is short: what is read could not be computed.
    fn hold_back(&mut self, in_flight: u64) {
        let (most, short) = (self.most_in_flight(), self.memory.is_short());
        let above = short || in_flight > most;
        let below = !short && in_flight <= most / 2;
        // Partitions that have just been assigned are not paused yet.
        let rebalances = self.consumer.context().rebalances();
        let pause = above && (!self.paused || self.rebalances != rebalances);
        let resume = self.paused && below;
        if !pause && !resume {
            return;
        }
        self.rebalances = rebalances;
        let done = self.consumer.assignment().and_then(|assigned| {
            if above { self.consumer.pause(&assigned) } else { self.consumer.resume(&assigned) }
        });
        match done {
            Ok(()) if self.paused != above => {
                self.paused = above;
                tracing::debug!(
                    in_flight_bytes = in_flight,
                    paused = above,
                    "back-pressure pauses or resumes the partitions"
                );
            }
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, "cannot pause or resume partitions, retrying"),
        }
    }

    /// Commits what is delivered; where transactions do that, only start offsets that the group
    /// has refused before, and never later than the next record is read.
    fn commit(&mut self, mode: CommitMode) -> Result<(), KafkaError> {
        self.committed = Instant::now();
        let member = self.consumer.context();
        let (offsets, mode) = if self.plan.commits {
            (member.progress().commit(None), mode)
        } else {
            (member.progress().commit_starts(), CommitMode::Sync)
        };
        if offsets.count() == 0 {
            return Ok(());
        }
        let done = match mode {
            CommitMode::Sync => self.consumer.commit(&offsets, mode),
            CommitMode::Async => group::commit_async(&self.consumer, &offsets),
        };
        done.inspect_err(|error| {
            tracing::warn!(%error, "offset commit failed, retrying");
            self.consumer.context().progress().forget_commits();
        })
    }

    /// The final commit. While the group rebalances it refuses commits; to get past that
    /// the consumer must be polled.
    fn commit_at_last(&mut self) {
        let end = Instant::now() + self.plan.drain_deadline;
        // A commit that is not answered yet may have been refused.
        self.consumer.context().progress().forget_commits();
        let passing = |error: &KafkaError| {
            let code = error.rdkafka_error_code();
            let rebalance = RDKafkaErrorCode::RebalanceInProgress;
            code == Some(rebalance) || code == Some(RDKafkaErrorCode::IllegalGeneration)
        };
        while let Err(error) = self.commit(CommitMode::Sync) {
            if !passing(&error) || Instant::now() >= end {
                tracing::error!(%error, "final offset commit failed; some records will be processed twice");
                return;
            }
            // A record that arrives now is left to the next run.
            let _ = self.consumer.poll(IDLE);
        }
    }

    /// Waits for what is in flight. What was read and not handed over yet is left:
    /// the next run reads it again.
    fn drain(&self) -> Result<(), KafkaFailure> {
        let member = self.consumer.context();
        if !member.progress().drain(None, self.plan.drain_deadline)? {
            let deadline = self.plan.drain_deadline;
            tracing::warn!(
                deadline_seconds = deadline.as_secs_f64(),
                "stopped before everything was delivered; the next run reprocesses the rest"
            );
        }
        Ok(())
    }

    /// Most errors of a consumer are transient; these end the run.
    fn sort_out(&self, error: KafkaError, shutdown: &Shutdown) -> Result<(), KafkaFailure> {
        let Some(code) = error.rdkafka_error_code() else {
            return Err(KafkaFailure::Consumer(error));
        };
        if matches!(error, KafkaError::MessageConsumptionFatal(_)) {
            return Err(KafkaFailure::Consumer(error));
        }
        if topics::is_unknown(code) {
            // A broker that was unavailable may not know its topics yet.
            return self.await_topics(shutdown, || ()).map(drop);
        }
        if topics::is_refusal(code) {
            let what = format!(
                "topics '{}' or group '{}'",
                self.plan.topics.join("', '"),
                self.plan.group
            );
            return Err(KafkaFailure::Refused { brokers: self.brokers.clone(), what, cause: code });
        }
        let client_errors = self.consumer.context().client_errors();
        if code == RDKafkaErrorCode::Authentication
            && let Some(refusal) = client_errors.refusal(&self.brokers)
        {
            return Err(refusal);
        }
        match code {
            RDKafkaErrorCode::PollExceeded => {
                tracing::error!(
                    "consumer removed from its group: no poll within max.poll.interval.ms; rejoining"
                );
            }
            _ => {
                tracing::warn!(client = "consumer", %error, "Kafka client error, the client retries")
            }
        }
        Ok(())
    }
}
