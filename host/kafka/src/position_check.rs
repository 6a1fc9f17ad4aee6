//! Whether partitions are read where they have to be.
//!
//! librdkafka goes back to the oldest record of a partition, in silence or with a warning, where
//! it takes the committed offset for none or for one that does not exist: when the group
//! rebalances while an open transaction holds offsets back (seen with 2.12: what is put aside
//! then has lost its offset), and when a broker that has just become the leader does not know yet
//! how far the partition goes (KAFKA-20507). Records would be processed twice, also with exactly
//! once. So a record that is before the one that has to be next is not taken: its partition is
//! paused until it is known where it goes on, and read from there.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::error::KafkaFailure;
use super::group::Member;
use super::topics::PATIENCE;

/// Between two attempts.
const RETRY: Duration = Duration::from_millis(500);
/// How long a partition may end before the offset at which it goes on: a new leader learns of its
/// end within moments.
const CATCH_UP: Duration = Duration::from_secs(10);

/// A record that came where another has to be next.
#[derive(Debug)]
pub struct Misplaced {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
}

/// The partitions that are paused until it is known where they go on.
#[derive(Default)]
pub struct PositionCheck {
    suspended: Vec<Suspended>,
    tried: Option<Instant>,
}

struct Suspended {
    topic: String,
    partition: i32,
    since: Instant,
}

/// Where a partition goes on.
enum Verdict {
    At(i64),
    /// Not known yet.
    Wait,
    /// It ends before that offset: it was created anew, or has lost its end.
    Beyond {
        next: i64,
        low: i64,
        end: i64,
    },
}

impl PositionCheck {
    /// Whether anything is paused here.
    pub fn is_idle(&self) -> bool {
        self.suspended.is_empty()
    }

    /// Pauses the partition of a record that is not the next one.
    pub fn suspend(&mut self, consumer: &BaseConsumer<Member>, record: &Misplaced) {
        let Misplaced { topic, partition, offset } = record;
        if let Err(error) = consumer.pause(&list_of(topic, *partition)) {
            tracing::warn!(topic, partition, %error, "cannot pause a partition that is read from the wrong offset, retrying");
        }
        if self.suspended.iter().any(|each| each.is(topic, *partition)) {
            return;
        }
        let next = consumer.context().progress().next_offset(topic, *partition);
        tracing::warn!(
            topic,
            partition,
            offset,
            next_offset = next,
            "partition read from the wrong offset, going back to the right one"
        );
        self.tried = None;
        let (topic, partition) = (topic.clone(), *partition);
        self.suspended.push(Suspended { topic, partition, since: Instant::now() });
    }

    /// Lets partitions go on of which it is known where; those that back-pressure has paused
    /// stay `paused` otherwise. Where a partition ends before its offset, and goes on doing so, it
    /// begins again with its oldest record if records `may_repeat`.
    ///
    /// # Errors
    /// If a partition ends before its offset and records must not be processed twice, or no start
    /// offset can be determined.
    pub fn resume(
        &mut self,
        consumer: &BaseConsumer<Member>,
        paused: bool,
        may_repeat: bool,
    ) -> Result<(), KafkaFailure> {
        if self.tried.is_some_and(|tried| tried.elapsed() < RETRY) {
            return Ok(());
        }
        let member = consumer.context();
        self.suspended
            .retain(|each| member.progress().assignment(&each.topic, each.partition).is_some());
        self.place(consumer)?;
        let mut waiting = Vec::new();
        for each in self.suspended.drain(..) {
            let verdict = each.verdict(consumer).unwrap_or_else(|error| {
                let Suspended { topic, partition, .. } = &each;
                tracing::warn!(topic, partition, %error, "offset lookup failed, retrying");
                Verdict::Wait
            });
            let offset = match verdict {
                Verdict::At(offset) => Some(offset),
                Verdict::Wait => None,
                Verdict::Beyond { .. } if each.since.elapsed() < CATCH_UP => None,
                Verdict::Beyond { next, low, end } if may_repeat => {
                    each.begin_again(member, next, low, end);
                    Some(low)
                }
                Verdict::Beyond { next, end, .. } => {
                    let Suspended { topic, partition, .. } = each;
                    return Err(KafkaFailure::Beyond { topic, partition, offset: next, end });
                }
            };
            if !offset.is_some_and(|offset| each.seek(consumer, offset, paused)) {
                waiting.push(each);
            }
        }
        self.suspended = waiting;
        self.tried = Some(Instant::now());
        Ok(())
    }

    /// Looks up where those are to be read of which that is not known.
    fn place(&self, consumer: &BaseConsumer<Member>) -> Result<(), KafkaFailure> {
        let member = consumer.context();
        let mut unknown = TopicPartitionList::new();
        for each in &self.suspended {
            if member.progress().next_offset(&each.topic, each.partition).is_none() {
                unknown.add_partition(&each.topic, each.partition);
            }
        }
        if unknown.count() == 0 {
            return Ok(());
        }
        if let Some(placed) = member.starts().place(consumer, &mut unknown)? {
            member.progress().begin(&placed);
        }
        Ok(())
    }
}

impl Suspended {
    fn is(&self, topic: &str, partition: i32) -> bool {
        self.partition == partition && self.topic == topic
    }

    fn verdict(&self, consumer: &BaseConsumer<Member>) -> KafkaResult<Verdict> {
        let next = consumer.context().progress().next_offset(&self.topic, self.partition);
        let Some(next) = next else { return Ok(Verdict::Wait) };
        let (low, end) = consumer.fetch_watermarks(&self.topic, self.partition, PATIENCE)?;
        Ok(if next > end { Verdict::Beyond { next, low, end } } else { Verdict::At(next.max(low)) })
    }

    /// Begins again with the oldest record of what the partition has now.
    fn begin_again(&self, member: &Member, next: i64, low: i64, end: i64) {
        let Suspended { topic, partition, .. } = self;
        tracing::warn!(
            topic,
            partition,
            offset = next,
            end_offset = end,
            oldest_offset = low,
            "offset beyond the end of the partition: the topic was created anew or has lost records; starting at the oldest record"
        );
        member.progress().restart(topic, *partition, low);
    }

    /// Reads the partition from there. Whether that was possible.
    fn seek(&self, consumer: &BaseConsumer<Member>, offset: i64, paused: bool) -> bool {
        let Suspended { topic, partition, .. } = self;
        let done =
            consumer.seek(topic, *partition, Offset::Offset(offset), PATIENCE).and_then(|()| {
                if paused { Ok(()) } else { consumer.resume(&list_of(topic, *partition)) }
            });
        if let Err(error) = &done {
            tracing::warn!(topic, partition, offset, %error, "cannot read a partition from another offset, retrying");
        }
        done.is_ok()
    }
}

fn list_of(topic: &str, partition: i32) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, partition);
    list
}
