//! Lists of partitions, in words.

use rdkafka::topic_partition_list::TopicPartitionList;

/// `topic/0 topic/1 ...`
pub(super) fn names(list: &TopicPartitionList) -> String {
    let names = list.elements();
    let names = names.iter().map(|each| format!("{}/{}", each.topic(), each.partition()));
    names.collect::<Vec<_>>().join(" ")
}
