//! Brokers that a test may break, and a registry of schemas.

use xtask::kafka::{Cluster, Installation, Lifetime, Options, SchemaRegistry, Unavailable};

use crate::broker::Broker;

/// Brokers of a test's own, which it may break; they end with the thread that calls this.
/// `None`, and the test is skipped, where there is no Apache Kafka.
///
/// # Panics
/// Where they do not start.
pub fn cluster(name: &str, brokers: u16, options: Options) -> Option<Cluster> {
    Broker::apache()?;
    let installation = match Installation::resolve(None) {
        Ok(installation) => installation,
        Err(Unavailable::Missing(what)) => {
            eprintln!("skipped: {what}");
            return None;
        }
        Err(Unavailable::Failed(error)) => panic!("{error:#}"),
    };
    let name = format!("{name}-{}", std::process::id());
    let lifetime = Lifetime::Ours;
    let started = Cluster::start_with(&installation, &name, brokers, None, lifetime, &options);
    Some(started.unwrap_or_else(|error| panic!("{error:#}")))
}

/// A schema registry of a test's own. `None`, and the test is skipped, where there is no Apache
/// Kafka: both need Java and Maven.
///
/// # Panics
/// Where it does not start.
pub fn schema_registry() -> Option<SchemaRegistry> {
    Broker::apache()?;
    let program = match SchemaRegistry::resolve() {
        Ok(program) => program,
        Err(Unavailable::Missing(what)) => {
            eprintln!("skipped: {what}");
            return None;
        }
        Err(Unavailable::Failed(error)) => panic!("{error:#}"),
    };
    Some(SchemaRegistry::start(&program).unwrap_or_else(|error| panic!("{error:#}")))
}
