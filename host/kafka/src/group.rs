//! What happens when the consumer group rebalances.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::consumer::{
    BaseConsumer, CommitMode, Consumer, ConsumerContext, ConsumerGroupMetadata, RebalanceProtocol,
};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::{Partition, Statistics};
use rdkafka::topic_partition_list::{TopicPartitionList, TopicPartitionListElem};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rdkafka::{ClientContext, bindings};

use super::client_errors::{ClientErrors, HasClientErrors};
use super::config::SourceSettings;
use super::error::KafkaFailure;
use super::initial_offsets::InitialOffsets;
use super::offset_tracker::OffsetTracker;
use super::partitions::names;
use crate::events::PartitionsChanged;
use sandbar_record::AckHandle;
use sandbar_telemetry::Stats;
use sandbar_telemetry::now::Lag;

/// The consumer's callbacks. They run on the thread that polls, inside `poll`.
pub struct Member {
    progress: Mutex<OffsetTracker>,
    /// The assignments in force. Kept apart from the offset tracker, which is locked while
    /// partitions are revoked and the last of their batches is waited for.
    owned: Mutex<Vec<u64>>,
    /// Where partitions begin.
    starts: InitialOffsets,
    /// The topics that the pipeline writes, and so must not read.
    written: Vec<String>,
    /// Why partitions that were assigned cannot be read.
    failed: Mutex<Option<KafkaFailure>>,
    /// Whether offsets are committed here; otherwise they are sent with transactions.
    commits: bool,
    workers: usize,
    /// How long to wait for batches of partitions that are revoked.
    patience: Duration,
    /// The number of rebalances.
    rebalances: AtomicU64,
    /// Set when everything that could be delivered and committed is.
    finished: AtomicBool,
    stats: Arc<Stats>,
    client_errors: ClientErrors,
}

impl Member {
    /// A member without partitions, which distributes them among `workers`.
    pub fn new(workers: usize, plan: &SourceSettings, stats: Arc<Stats>) -> Self {
        Member {
            progress: Mutex::new(OffsetTracker::default()),
            owned: Mutex::default(),
            starts: InitialOffsets::new(plan.start.clone()),
            written: plan.written.clone(),
            failed: Mutex::default(),
            commits: plan.commits,
            workers,
            patience: plan.drain_deadline,
            rebalances: AtomicU64::new(0),
            finished: AtomicBool::new(false),
            stats,
            client_errors: ClientErrors::default(),
        }
    }

    /// Where partitions begin.
    pub fn starts(&self) -> &InitialOffsets {
        &self.starts
    }

    /// Why partitions that were assigned cannot be read, if so: checked before the first of
    /// their records is looked at.
    pub fn failure(&self) -> Option<KafkaFailure> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The offset tracker. Must not be locked across a poll.
    pub fn progress(&self) -> MutexGuard<'_, OffsetTracker> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owned(&self) -> MutexGuard<'_, Vec<u64>> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that nothing is left to wait for when partitions are revoked.
    pub fn finish(&self) {
        self.finished.store(true, Ordering::Relaxed);
    }

    /// The number of rebalances: if it has changed, so has the offset tracker.
    pub fn rebalances(&self) -> u64 {
        self.rebalances.load(Ordering::Relaxed)
    }

    /// Takes partitions, and looks up where to read them.
    fn take(&self, consumer: &BaseConsumer<Self>, added: &mut TopicPartitionList) {
        self.progress().assign(added, self.workers);
        // A consumer that is about to leave reads nothing more.
        if self.finished.load(Ordering::Relaxed) {
            return;
        }
        let own = added.elements().into_iter().find_map(|each| {
            let topic = each.topic().to_owned();
            self.written.contains(&topic).then_some(KafkaFailure::Loop { topic })
        });
        let failure = match own.map_or_else(|| self.starts.place(consumer, added), Err) {
            Ok(None) => return,
            Ok(Some(placed)) => return self.progress().begin(&placed),
            Err(failure) => failure,
        };
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }

    /// Waits until what is in flight from `removed` is delivered, and commits it, so that the
    /// next owner starts behind it.
    fn give_up(&self, consumer: &BaseConsumer<Self>, removed: &TopicPartitionList) {
        let mut progress = self.progress();
        // If the assignment is lost already, another member may have begun: there is
        // nothing to wait for, and a commit would be refused.
        if !consumer.assignment_lost() && !self.finished.load(Ordering::Relaxed) {
            match progress.drain(Some(removed), self.patience) {
                Ok(true) => {}
                Ok(false) => {
                    tracing::warn!(partitions = %names(removed), "partitions revoked before all their records were delivered; some records will be processed twice");
                }
                // The polling thread gets the same error at its next check and ends.
                Err(error) => tracing::error!(%error, "delivery failed, the run ends"),
            }
            // A commit that is not answered yet may have been refused.
            progress.forget_commits();
            let offsets = progress.commit(Some(removed));
            if self.commits
                && offsets.count() > 0
                && let Err(error) = consumer.commit(&offsets, CommitMode::Sync)
            {
                tracing::warn!(%error, "offset commit failed for revoked partitions; some records will be processed twice");
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

    /// The metadata by which the broker tells a current member from a former one; `None` while
    /// this is no member.
    ///
    /// The metadata of a consumer that the group has removed names no member, and the brokers
    /// accept offsets in a transaction from anybody who names none: with it, a runner could
    /// commit what another has taken over.
    pub fn metadata(&self) -> Option<ConsumerGroupMetadata> {
        let before = self.generation()?;
        let metadata = self.0.group_metadata()?;
        // It does not say which generation it is of. If the generation was the same before and
        // after, it is of that one: no member returns to a generation it has left.
        (self.generation()? == before).then_some(metadata)
    }

    /// Whether the group has committed these offsets, or later ones.
    ///
    /// # Errors
    /// If the brokers do not answer.
    pub fn has_committed(
        &self,
        expected: &TopicPartitionList,
        patience: Duration,
    ) -> KafkaResult<bool> {
        let committed = self.0.committed_offsets(expected.clone(), patience)?;
        let reached = |each: &TopicPartitionListElem<'_>| -> KafkaResult<bool> {
            each.error()?;
            let expected = expected.find_partition(each.topic(), each.partition());
            let expected =
                expected.and_then(|expected| expected.offset().to_raw()).unwrap_or(i64::MAX);
            Ok(each.offset().to_raw().is_some_and(|offset| offset >= expected))
        };
        committed.elements().iter().try_fold(true, |all, each| Ok(reached(each)? && all))
    }

    /// The generation of the group in which this is a member.
    fn generation(&self) -> Option<i32> {
        // SAFETY: the client lives as long as `self`; the metadata is owned by this function,
        // is not null when it is read, and is freed.
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

    /// Whether the partition that a batch was read from is still assigned to this runner.
    pub fn owns(&self, ack: &AckHandle) -> bool {
        self.0.context().owned().contains(&ack.assignment())
    }
}

/// Sends a commit; its outcome comes to [`Member::commit_callback`] inside a later poll.
///
/// rdkafka's own asynchronous commit has no outcome: it polls librdkafka for events and sets
/// no callback, and then librdkafka tells of a commit only whoever names a queue for it. A
/// commit that the brokers refuse during a rebalance would be taken for done.
///
/// # Errors
/// If librdkafka cannot send it.
pub fn commit_async(
    consumer: &BaseConsumer<Member>,
    offsets: &TopicPartitionList,
) -> KafkaResult<()> {
    let client = consumer.client().native_ptr();
    // SAFETY: the client outlives the call; the queue is not null when it is used, and is given
    // back; the offsets are copied. Without a callback the outcome is an event of that queue.
    let error = unsafe {
        let queue = bindings::rd_kafka_queue_get_consumer(client);
        if queue.is_null() {
            return Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::UnknownGroup));
        }
        let error = bindings::rd_kafka_commit_queue(
            client,
            offsets.ptr(),
            queue,
            None,
            std::ptr::null_mut(),
        );
        bindings::rd_kafka_queue_destroy(queue);
        error
    };
    match error {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        error => Err(KafkaError::ConsumerCommit(error.into())),
    }
}

impl HasClientErrors for Member {
    fn client_errors(&self) -> &ClientErrors {
        &self.client_errors
    }
}

impl ClientContext for Member {
    fn error(&self, error: KafkaError, reason: &str) {
        self.client_errors.hear("consumer", &error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        let progress = self.progress();
        let lags = statistics.topics.iter().flat_map(|(topic, about)| {
            about.partitions.iter().map(move |(partition, about)| (topic, *partition, about))
        });
        // Other members' partitions are in it too.
        let lags = lags.filter_map(|(topic, partition, about)| {
            let (position, idle) = progress.position(topic, partition)?;
            Some(Lag { topic: topic.clone(), partition, records: behind(position, idle, about)? })
        });
        self.stats.now.lags(lags.collect());
    }
}

impl ConsumerContext for Member {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        kind: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let assigned = kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if assigned {
            tracing::info!(partitions = %names(partitions), "partitions assigned");
            self.take(consumer, partitions);
        } else {
            tracing::info!(partitions = %names(partitions), "partitions revoked");
            self.give_up(consumer, partitions);
        }
        let owned = self.progress().assignments();
        PartitionsChanged { left: owned.len() }.emit(&self.stats);
        *self.owned() = owned;
        self.rebalances.fetch_add(1, Ordering::Relaxed);
        // Only now may the group go on: transactions rely on what is owned. It must go on
        // whatever happened above.
        let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let told = match (assigned, cooperative) {
            (true, true) => consumer.incremental_assign(partitions),
            (true, false) => consumer.assign(partitions),
            (false, true) => consumer.incremental_unassign(partitions),
            (false, false) => consumer.unassign(),
        };
        if let Err(error) = told {
            tracing::warn!(%error, "rebalance failed, this runner may not read its partitions until the next one");
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::warn!(%error, "offset commit failed, retrying");
            // Synchronous commits hold the offset tracker and report here too.
            if let Ok(mut progress) = self.progress.try_lock() {
                progress.forget_commits();
            }
        }
    }
}

/// A partition's lag, computed from what is delivered: librdkafka does not know offsets that
/// are committed in transactions. `None`: not known yet.
fn behind(position: Option<i64>, idle: bool, about: &Partition) -> Option<u64> {
    let delivered = position.unwrap_or(about.committed_offset);
    // The last offsets of a partition may belong to transaction markers instead of records.
    // librdkafka counts them as consumed.
    let reached = if idle { delivered.max(about.app_offset) } else { delivered };
    if reached < 0 || about.ls_offset < 0 {
        return None;
    }
    u64::try_from(about.ls_offset - reached).ok().or(Some(0))
}
