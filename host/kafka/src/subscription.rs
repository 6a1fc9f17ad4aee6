//! Which topics are read: those that are named, and those that match an expression.

use std::collections::BTreeMap;

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;

use super::topics::PATIENCE;
use sandbar_manifest::{Pattern, is_pattern};

/// The topics of a source.
#[derive(Debug)]
pub struct Subscription {
    names: Vec<String>,
    patterns: Vec<Pattern>,
}

impl Subscription {
    /// Takes the entries of `[source] topics`, which have been checked.
    pub fn new(entries: &[String]) -> Self {
        let (patterns, names): (Vec<_>, Vec<_>) =
            entries.iter().cloned().partition(|entry| is_pattern(entry));
        let patterns = patterns.iter().filter_map(|entry| Pattern::new(entry).ok()).collect();
        Subscription { names, patterns }
    }

    /// The topics that are named: they must exist.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether topics may appear and disappear.
    pub fn has_patterns(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Whether a topic is named, not only matched.
    pub fn is_named(&self, topic: &str) -> bool {
        self.names.iter().any(|name| name == topic)
    }

    /// Whether a topic is read.
    pub fn includes(&self, topic: &str) -> bool {
        self.is_named(topic) || self.patterns.iter().any(|pattern| pattern.matches(topic))
    }

    /// The topics that exist, each with the number of its partitions.
    ///
    /// # Errors
    /// If the brokers do not answer.
    pub fn topics<C: ClientContext + ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
    ) -> KafkaResult<BTreeMap<String, i32>> {
        let mut all = BTreeMap::new();
        let ask = |topic| consumer.fetch_metadata(topic, PATIENCE);
        let answers = match self.has_patterns() {
            true => vec![ask(None)?],
            false => self.names.iter().map(|name| ask(Some(name))).collect::<Result<_, _>>()?,
        };
        for topic in answers.iter().flat_map(|answer| answer.topics()) {
            if topic.error().is_none() && self.includes(topic.name()) {
                let count = i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX);
                all.insert(topic.name().to_owned(), count);
            }
        }
        Ok(all)
    }
}
