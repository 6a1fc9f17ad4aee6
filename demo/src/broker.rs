//! The broker of the demo: one in this process, or a real one.

use anyhow::{Context, Result};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::types::RDKafkaErrorCode;
use sandbar::kafka::mock_broker::MockBroker;
use sandbar::manifest::Manifest;

/// Partitions of each topic.
const PARTITIONS: i32 = 4;

/// Where the demo's topics are.
pub struct Broker {
    address: String,
    /// Lives as long as the demo.
    mock: Option<MockBroker>,
}

impl Broker {
    /// Starts the mock broker, or uses the given one.
    pub fn start(brokers: Option<&str>) -> Result<Self> {
        if let Some(address) = brokers {
            return Ok(Broker { address: address.to_owned(), mock: None });
        }
        let mock = MockBroker::start().context("cannot start the mock broker")?;
        Ok(Broker { address: mock.address(), mock: Some(mock) })
    }

    /// Creates the missing topics of a pipeline.
    pub fn create_topics(&self, manifest: &Manifest) -> Result<()> {
        let mut topics: Vec<&str> = manifest.source.topics.iter().map(String::as_str).collect();
        topics.extend([manifest.sink.topic.as_str(), manifest.dead_letter.topic.as_str()]);
        match &self.mock {
            None => create(&self.address, &topics),
            Some(mock) => {
                for topic in topics {
                    mock.create_topic(topic, PARTITIONS)?;
                }
                Ok(())
            }
        }
    }

    /// Extra settings of its clients.
    pub fn access(&self) -> Access {
        // The mock broker answers an empty fetch only at the end of its
        // time, even if records arrive meanwhile.
        let wait = || ("fetch.wait.max.ms".into(), "10".into());
        Access {
            address: self.address.clone(),
            consumer_properties: self.mock.as_ref().map(|_| wait()),
        }
    }

    pub fn describe(&self) -> String {
        match self.mock {
            Some(_) => format!("{} (the mock broker of this process)", self.address),
            None => self.address.clone(),
        }
    }
}

/// How a client reaches the broker.
#[derive(Clone)]
pub struct Access {
    pub address: String,
    pub consumer_properties: Option<(String, String)>,
}

/// Creates the missing topics.
fn create(brokers: &str, topics: &[&str]) -> Result<()> {
    let client: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).create()?;
    let topics: Vec<NewTopic<'_>> = topics
        .iter()
        .map(|topic| NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(-1)))
        .collect();
    let creation = client.create_topics(&topics, &AdminOptions::new());
    let results = futures_executor::block_on(creation)
        .with_context(|| format!("cannot create topics on {brokers}"))?;
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => {
                anyhow::bail!("cannot create topic '{topic}' on {brokers}: {code}")
            }
        }
    }
    Ok(())
}
