//! Where partitions are read from: the offsets that the group has committed, and start offsets
//! in partitions of which it has committed none.
//!
//! librdkafka looks the committed ones up too, but is not believed (`position_check`): what is
//! known here is where the first record has to be.
//!
//! Start offsets are decided when a partition is assigned, and committed before the first record is
//! read: whoever owns the partition next, also after a crash, continues from there.
//! Otherwise `latest` would skip what is written between two runs.
//!
//! `initial_offsets` applies to what exists when the group begins. A partition that appears later is
//! read from its oldest record, whatever `initial_offsets` says: it was written to before anybody
//! noticed it. Which partitions are later is told by what existed when this runner began,
//! and by what the group had committed then.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;

use super::error::KafkaFailure;
use super::partitions::names;
use super::subscription::Subscription;
use super::topics::{PATIENCE, PAUSE, is_refusal};
use sandbar_manifest::Start;
use sandbar_record::Shutdown;

/// How long the look-up of a start offset may take while a partition is being assigned:
/// nothing is polled meanwhile, and the group considers a member dead after minutes.
const LOOKUP_PATIENCE: Duration = Duration::from_secs(60);

/// How long the look-up of committed offsets may take at that time. They have no answer while a
/// transaction is open that commits some; other partitions are not held up for that.
const PROMPT: Duration = Duration::from_millis(500);

/// Where partitions are to be read.
pub(super) struct Placed {
    /// The lowest offset of which the first record may be: what the group has committed, or 0
    /// where it has committed none and the oldest record comes first.
    pub floors: TopicPartitionList,
    /// The start offsets decided now.
    pub starts: TopicPartitionList,
    /// Whether the group has taken those: it refuses them while it rebalances.
    pub committed: bool,
}

/// Where the partitions of a source begin.
pub struct InitialOffsets {
    start: Start,
    /// What existed when this runner began.
    before: OnceLock<Before>,
}

struct Before {
    /// By topic, the number of partitions to which `initial_offsets` applies.
    partitions: BTreeMap<String, i32>,
    shutdown: Shutdown,
}

/// A topic, a partition and an offset in it.
type PartitionOffset = (String, i32, i64);

impl InitialOffsets {
    /// As the manifest says it.
    pub fn new(start: Start) -> Self {
        InitialOffsets { start, before: OnceLock::new() }
    }

    /// Whether there is nothing to decide: librdkafka begins with the oldest record if it
    /// finds no offset.
    fn is_plain(&self) -> bool {
        self.start == Start::Earliest
    }

    /// Notes what exists before the runner joins its group. `Ok(false)`: `shutdown` came
    /// first.
    ///
    /// # Errors
    /// If the brokers refuse this client.
    pub fn note<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        subscription: &Subscription,
        brokers: &str,
        shutdown: &Shutdown,
    ) -> Result<bool, KafkaFailure> {
        if self.is_plain() && !subscription.has_patterns() {
            return Ok(true);
        }
        while !shutdown.requested() {
            match self.look(consumer, subscription) {
                Ok(partitions) => {
                    if subscription.has_patterns() {
                        let found: Vec<&str> = partitions.keys().map(String::as_str).collect();
                        tracing::info!(
                            topics = found.join(" "),
                            "topics found; topics created later are read too"
                        );
                    }
                    let _ = self.before.set(Before { partitions, shutdown: shutdown.clone() });
                    return Ok(true);
                }
                Err(error) => match error.rdkafka_error_code() {
                    Some(cause) if is_refusal(cause) => {
                        let what = "the source's topics or its group".to_owned();
                        return Err(KafkaFailure::Refused { brokers: brokers.into(), what, cause });
                    }
                    _ => tracing::warn!(brokers, %error, "brokers not reachable yet, retrying"),
                },
            }
            shutdown.wait(PAUSE);
        }
        Ok(false)
    }

    /// The number of partitions to which `initial_offsets` applies, by topic: all, or none if the
    /// group has committed there before. Topics that are only matched count as one.
    fn look<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        subscription: &Subscription,
    ) -> KafkaResult<BTreeMap<String, i32>> {
        let mut topics = subscription.topics(consumer)?;
        if self.is_plain() || topics.is_empty() {
            return Ok(topics);
        }
        let mut all = TopicPartitionList::new();
        for (topic, count) in &topics {
            for partition in 0..*count {
                all.add_partition(topic, partition);
            }
        }
        let committed = places(&consumer.committed_offsets(all, PATIENCE)?)?;
        let known = |topic: &str| {
            let named = subscription.is_named(topic);
            committed
                .iter()
                .any(|(other, ..)| other == topic || !named && !subscription.is_named(other))
        };
        topics.iter_mut().filter(|(topic, _)| known(topic)).for_each(|(_, count)| *count = 0);
        Ok(topics)
    }

    /// Looks up where `added` are to be read; sets and commits their offsets where the group has
    /// none. `None`: not to be had now; `added` is then unchanged.
    ///
    /// # Errors
    /// If a start offset cannot be determined, or the brokers refuse this client.
    pub(super) fn place<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        added: &mut TopicPartitionList,
    ) -> Result<Option<Placed>, KafkaFailure> {
        let mut bare = TopicPartitionList::new();
        for each in added.elements() {
            bare.add_partition(each.topic(), each.partition());
        }
        let known = match consumer.committed_offsets(bare, PROMPT).and_then(|list| places(&list)) {
            Ok(known) => known,
            Err(cause) if cause.rdkafka_error_code().is_some_and(is_refusal) => {
                return Err(KafkaFailure::NoStart { partitions: names(added), cause });
            }
            Err(error) => {
                tracing::debug!(partitions = %names(added), %error, "committed offsets not known yet, retrying");
                return Ok(None);
            }
        };
        let mut placed = Placed {
            floors: TopicPartitionList::new(),
            starts: TopicPartitionList::new(),
            committed: true,
        };
        let mut fresh = TopicPartitionList::new();
        for each in added.elements() {
            let (topic, partition) = (each.topic(), each.partition());
            let offset = known.iter().find(|(of, number, _)| of == topic && *number == partition);
            if offset.is_none() {
                fresh.add_partition(topic, partition);
            }
            let floor = Offset::Offset(offset.map_or(0, |(.., offset)| *offset));
            let set = placed.floors.add_partition_offset(topic, partition, floor);
            set.map_err(|cause| KafkaFailure::NoStart { partitions: names(added), cause })?;
        }
        if let Some(before) = self.before.get().filter(|_| !self.is_plain())
            && fresh.count() > 0
        {
            let about = names(&fresh);
            let lookup = OffsetLookup { consumer, shutdown: &before.shutdown, about };
            let Some(found) = self.find(&lookup, before, &fresh)? else { return Ok(None) };
            (placed.starts, placed.committed) = lookup.settle(&found, added)?;
        }
        Ok(Some(placed))
    }

    /// The start offsets of partitions with no committed offset.
    fn find<C: ConsumerContext>(
        &self,
        lookup: &OffsetLookup<'_, C>,
        before: &Before,
        fresh: &TopicPartitionList,
    ) -> Result<Option<Vec<PartitionOffset>>, KafkaFailure> {
        let is_new = |topic: &str, partition: i32| {
            before.partitions.get(topic).is_none_or(|count| partition >= *count)
        };
        let wanted = |topic: &str, partition: i32| match &self.start {
            _ if is_new(topic, partition) => Offset::Beginning,
            Start::Latest => Offset::End,
            // The request is a time; the answer is an offset.
            Start::At(moment) => Offset::Offset(moment.millis()),
            Start::Earliest | Start::Offsets(_) => Offset::Beginning,
        };
        let Some(mut found) = lookup.ask(fresh, wanted)? else { return Ok(None) };
        match &self.start {
            Start::At(_) => {
                // No record is that recent: the end of the partition.
                let Some(ends) = lookup.ask(fresh, |_, _| Offset::End)? else { return Ok(None) };
                for (place, end) in found.iter_mut().zip(ends).filter(|(place, _)| place.2 < 0) {
                    *place = end;
                }
            }
            Start::Offsets(offsets) => {
                let Some(ends) = lookup.ask(fresh, |_, _| Offset::End)? else { return Ok(None) };
                for (place, (.., end)) in found.iter_mut().zip(ends) {
                    let (topic, partition, oldest) = place;
                    let named = offsets.get(topic).and_then(|of| of.get(partition));
                    let Some(&offset) = named.filter(|_| !is_new(topic, *partition)) else {
                        continue;
                    };
                    if offset > end {
                        let (topic, partition) = (topic.clone(), *partition);
                        return Err(KafkaFailure::NoOffset { topic, partition, offset, end });
                    }
                    if offset < *oldest {
                        tracing::warn!(
                            topic,
                            partition,
                            offset,
                            oldest_offset = *oldest,
                            "[source] start: offset no longer in the topic, starting at the oldest record"
                        );
                    }
                    *oldest = offset.max(*oldest);
                }
            }
            Start::Earliest | Start::Latest => {}
        }
        Ok(Some(found))
    }
}

/// The offset look-up while partitions are being assigned.
struct OffsetLookup<'a, C: ConsumerContext> {
    consumer: &'a BaseConsumer<C>,
    shutdown: &'a Shutdown,
    /// The partitions.
    about: String,
}

impl<C: ConsumerContext> OffsetLookup<'_, C> {
    fn failure(&self, cause: KafkaError) -> KafkaFailure {
        KafkaFailure::NoStart { partitions: self.about.clone(), cause }
    }

    /// Retries until there is an answer. `None`: nobody wants it any more.
    fn insist<T>(
        &self,
        question: impl Fn(&BaseConsumer<C>) -> KafkaResult<T>,
    ) -> Result<Option<T>, KafkaFailure> {
        let end = Instant::now() + LOOKUP_PATIENCE;
        while !self.shutdown.requested() {
            match question(self.consumer) {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) => {
                    let lasting = error.rdkafka_error_code().is_some_and(is_refusal);
                    if lasting || Instant::now() >= end {
                        return Err(self.failure(error));
                    }
                    tracing::warn!(%error, partitions = self.about, "offset lookup failed, retrying");
                }
            }
            self.shutdown.wait(PAUSE);
        }
        Ok(None)
    }

    /// Sets and commits start offsets; returns them, and whether the group has taken them.
    fn settle(
        &self,
        found: &[PartitionOffset],
        added: &mut TopicPartitionList,
    ) -> Result<(TopicPartitionList, bool), KafkaFailure> {
        let mut list = TopicPartitionList::new();
        for (topic, partition, offset) in found {
            tracing::info!(
                topic,
                partition,
                offset,
                "start offset set, the group has committed none here"
            );
            let offset = Offset::Offset(*offset);
            let set = list.add_partition_offset(topic, *partition, offset);
            set.and_then(|()| added.set_partition_offset(topic, *partition, offset))
                .map_err(|cause| self.failure(cause))?;
        }
        let committed = self.insist(|consumer| match consumer.commit(&list, CommitMode::Sync) {
            Err(error) if is_passed(&error) => {
                tracing::warn!(%error, "rebalance before the start offsets were committed, retrying");
                Ok(false)
            }
            done => done.map(|()| true),
        })?;
        Ok((list, committed.unwrap_or(false)))
    }

    /// Looks up an offset of each partition.
    fn ask(
        &self,
        partitions: &TopicPartitionList,
        wanted: impl Fn(&str, i32) -> Offset,
    ) -> Result<Option<Vec<PartitionOffset>>, KafkaFailure> {
        self.insist(|consumer| {
            let mut list = TopicPartitionList::new();
            for each in partitions.elements() {
                let (topic, partition) = (each.topic(), each.partition());
                list.add_partition_offset(topic, partition, wanted(topic, partition))?;
            }
            let answer = consumer.offsets_for_times(list, PATIENCE)?;
            let each = answer.elements().into_iter().map(|each| {
                each.error()?;
                let offset = each.offset().to_raw().unwrap_or(-1);
                Ok((each.topic().to_owned(), each.partition(), offset))
            });
            each.collect()
        })
    }
}

/// Those partitions of a list that have an offset.
fn places(list: &TopicPartitionList) -> KafkaResult<Vec<PartitionOffset>> {
    let mut places = Vec::new();
    for each in list.elements() {
        each.error()?;
        if let Offset::Offset(offset) = each.offset() {
            places.push((each.topic().to_owned(), each.partition(), offset));
        }
    }
    Ok(places)
}

/// Whether the partitions are no longer this runner's to commit.
fn is_passed(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::RebalanceInProgress
                | RDKafkaErrorCode::IllegalGeneration
                | RDKafkaErrorCode::UnknownMemberId
        )
    )
}
