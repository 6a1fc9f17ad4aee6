//! What happens when the consumer group shares out its partitions anew.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::consumer::{
    BaseConsumer, CommitMode, Consumer, ConsumerContext, ConsumerGroupMetadata, Rebalance,
};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::{ClientContext, bindings};

use super::progress::Progress;
use crate::observe::Stats;
use crate::observe::events::PartitionsChanged;
use crate::observe::now::Lag;
use crate::pipeline::delivery::Ticket;

/// The consumer's callbacks. They run on the thread that polls, inside `poll`.
pub struct Member {
    progress: Mutex<Progress>,
    /// The assignments that are in force. Beside the books, which are held while
    /// partitions are given up and the last of their batches is waited for.
    owned: Mutex<Vec<u64>>,
    /// Whether offsets are committed here; else they go with transactions.
    commits: bool,
    workers: usize,
    /// How long to wait for batches of partitions that are taken away.
    patience: Duration,
    /// How often partitions came or went.
    rebalances: AtomicU64,
    /// Set when all that could be delivered and committed is.
    finished: AtomicBool,
    stats: Arc<Stats>,
}

impl Member {
    /// A member without partitions, which shares them out to `workers`.
    pub fn new(workers: usize, patience: Duration, commits: bool, stats: Arc<Stats>) -> Self {
        Member {
            progress: Mutex::new(Progress::default()),
            owned: Mutex::default(),
            commits,
            workers,
            patience,
            rebalances: AtomicU64::new(0),
            finished: AtomicBool::new(false),
            stats,
        }
    }

    /// The books. Not to be held across a poll.
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owned(&self) -> MutexGuard<'_, Vec<u64>> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that there is nothing left to wait for when partitions are taken away.
    pub fn finish(&self) {
        self.finished.store(true, Ordering::Relaxed);
    }

    /// How often partitions came or went: what changes when the books did.
    pub fn rebalances(&self) -> u64 {
        self.rebalances.load(Ordering::Relaxed)
    }

    /// Lets what is on its way from `removed` arrive, and commits it, so that the
    /// next owner starts behind it.
    fn give_up(&self, consumer: &BaseConsumer<Self>, removed: &TopicPartitionList) {
        let mut progress = self.progress();
        // Where the assignment is lost already, someone else may have begun: there is
        // nothing to wait for, and a commit would be refused.
        if !consumer.assignment_lost() && !self.finished.load(Ordering::Relaxed) {
            match progress.drain(Some(removed), self.patience) {
                Ok(true) => {}
                Ok(false) => {
                    tracing::warn!(partitions = %names(removed), "partitions are handed over before all of them was delivered; some records will be processed twice");
                }
                // The polling thread meets the same error at its next look and ends.
                Err(error) => tracing::error!(%error, "delivery failed"),
            }
            // A commit whose answer has not come may have been refused.
            progress.forget_commits();
            let offsets = progress.commit(Some(removed));
            if self.commits
                && offsets.count() > 0
                && let Err(error) = consumer.commit(&offsets, CommitMode::Sync)
            {
                tracing::warn!(%error, "the last commit of partitions that are taken away failed; some records will be processed twice");
            }
        }
        progress.revoke(removed);
    }
}

/// The consumer's membership, as transactions need it. Cheap to clone.
#[derive(Clone)]
pub struct Group(Arc<BaseConsumer<Member>>);

impl Group {
    /// The group that a consumer is in.
    pub fn of(consumer: Arc<BaseConsumer<Member>>) -> Self {
        Group(consumer)
    }

    /// By what the broker tells a member from one that it was; `None` while it is none.
    ///
    /// That of a consumer which the group has dropped names no member, and the brokers
    /// take offsets in a transaction from anybody who names none: with it, a runner could
    /// commit what another has taken over.
    pub fn metadata(&self) -> Option<ConsumerGroupMetadata> {
        let before = self.generation()?;
        let metadata = self.0.group_metadata()?;
        // It does not say what it holds. What was so before it and after it is so in it:
        // nobody comes back to a generation that they have left.
        (self.generation()? == before).then_some(metadata)
    }

    /// The generation of the group in which this is a member.
    fn generation(&self) -> Option<i32> {
        // SAFETY: the client lives as long as `self`; the metadata is this function's own,
        // is not null where it is read, and is given back.
        let generation = unsafe {
            let metadata = bindings::rd_kafka_consumer_group_metadata(self.0.client().native_ptr());
            if metadata.is_null() {
                return None;
            }
            let generation = bindings::rd_kafka_consumer_group_metadata_generation_id(metadata);
            bindings::rd_kafka_consumer_group_metadata_destroy(metadata);
            generation
        };
        (generation >= 0).then_some(generation)
    }

    /// Whether the partition that a batch was read from is still this runner's.
    pub fn owns(&self, ticket: &Ticket) -> bool {
        self.0.context().owned().contains(&ticket.assignment())
    }
}

impl ClientContext for Member {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "Kafka consumer");
    }

    fn stats(&self, statistics: Statistics) {
        let progress = self.progress();
        let lags = statistics.topics.iter().flat_map(|(topic, about)| {
            about.partitions.iter().map(move |(partition, about)| (topic, *partition, about))
        });
        // Partitions of others are in it too, and -1 where it is not known.
        let lags = lags.filter_map(|(topic, partition, about)| {
            progress.assignment(topic, partition)?;
            let records = u64::try_from(about.consumer_lag).ok()?;
            Some(Lag { topic: topic.clone(), partition, records })
        });
        self.stats.now.lags(lags.collect());
    }
}

impl ConsumerContext for Member {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(added) => {
                tracing::info!(partitions = %names(added), "partitions assigned");
                self.progress().assign(added, self.workers);
            }
            Rebalance::Revoke(removed) => {
                tracing::info!(partitions = %names(removed), "partitions taken away");
                self.give_up(consumer, removed);
            }
            Rebalance::Error(error) => tracing::warn!(%error, "rebalance"),
        }
        let owned = self.progress().assignments();
        PartitionsChanged { left: owned.len() }.emit(&self.stats);
        *self.owned() = owned;
        self.rebalances.fetch_add(1, Ordering::Relaxed);
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::warn!(%error, "a commit failed; it is tried again");
            // Synchronous commits hold the books and report here too.
            if let Ok(mut progress) = self.progress.try_lock() {
                progress.forget_commits();
            }
        }
    }
}

/// `topic/0 topic/1 ...`
fn names(list: &TopicPartitionList) -> String {
    let names = list.elements();
    let names = names.iter().map(|each| format!("{}/{}", each.topic(), each.partition()));
    names.collect::<Vec<_>>().join(" ")
}
