//! The broker of the demo: one in this process, or a real one.

use anyhow::{Context, Result};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::types::RDKafkaErrorCode;
use sandbar::kafka::practice::PracticeBroker;
use sandbar::manifest::Manifest;

/// Partitions of each topic.
const PARTITIONS: i32 = 4;

/// Where the demo's topics are.
pub struct Broker {
    address: String,
    /// Lives as long as the demo.
    practice: Option<PracticeBroker>,
}

impl Broker {
    /// Starts the practice broker, or takes the one that is given, and makes the
    /// pipeline's topics.
    pub fn start(brokers: Option<&str>, manifest: &Manifest) -> Result<Self> {
        let mut topics: Vec<&str> = manifest.source.topics.iter().map(String::as_str).collect();
        topics.extend([manifest.sink.topic.as_str(), manifest.dead_letter.topic.as_str()]);
        if let Some(address) = brokers {
            create(address, &topics)?;
            return Ok(Broker { address: address.to_owned(), practice: None });
        }
        let practice = PracticeBroker::start().context("the practice broker does not start")?;
        for topic in topics {
            practice.create_topic(topic, PARTITIONS)?;
        }
        Ok(Broker { address: practice.address(), practice: Some(practice) })
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// What a consumer of this broker needs. The practice broker answers a fetch that
    /// found nothing only at the end of its time, whatever arrives meanwhile.
    pub fn consumer_properties(&self) -> Option<(String, String)> {
        self.practice.as_ref().map(|_| ("fetch.wait.max.ms".into(), "10".into()))
    }

    pub fn describe(&self) -> String {
        match self.practice {
            Some(_) => format!("{} (the practice broker of this process)", self.address),
            None => self.address.clone(),
        }
    }
}

/// Makes the topics that are not there.
fn create(brokers: &str, topics: &[&str]) -> Result<()> {
    let client: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).create()?;
    let topics: Vec<NewTopic<'_>> = topics
        .iter()
        .map(|topic| NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(-1)))
        .collect();
    let creation = client.create_topics(&topics, &AdminOptions::new());
    let results = futures_executor::block_on(creation)
        .with_context(|| format!("topics cannot be made on {brokers}"))?;
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => {
                anyhow::bail!("topic '{topic}' cannot be made on {brokers}: {code}")
            }
        }
    }
    Ok(())
}
