//! What the end-to-end tests have in common: a broker, a pipeline running on it,
//! records in and out.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

pub mod broker;
pub mod changes;
pub mod checker;
pub mod flights;
pub mod flow;
pub mod gaps;
pub mod graphs;
pub mod http;
pub mod objects;
pub mod operators;
pub mod process;
pub mod projects;
pub mod proxy;
pub mod random;
pub mod runner;
pub mod secured;
pub mod shim;
pub mod site;

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

pub use broker::{Broker, Received, Sent};
pub use runner::Runner;
use xtask::kafka::{Cluster, Installation, Lifetime, Options, Unavailable};

/// The project's folder.
pub fn project() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A file of the large test data (docs/test-data.md), where there are any.
///
/// # Panics
/// Where the folder does not have it.
pub fn test_data(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("SANDBAR_TEST_DATA").filter(|folder| !folder.is_empty());
    let Some(folder) = folder else {
        eprintln!("skipped: SANDBAR_TEST_DATA is not set, see docs/test-data.md");
        return None;
    };
    Some(std::fs::read(PathBuf::from(folder).join(name)).unwrap())
}

/// A component that `cargo xtask operators` builds, by the name of its crate.
///
/// # Panics
/// Where it is not built.
pub fn component(name: &str) -> PathBuf {
    let file = format!("{}.wasm", name.replace('-', "_"));
    let path = project().join("operators/target/wasm32-wasip2/release").join(file);
    assert!(path.exists(), "{} is missing; run `cargo xtask operators`", path.display());
    path
}

/// The command `sandbar`, which cargo builds beside the tests.
///
/// # Panics
/// Where it is not built.
pub fn sandbar() -> Command {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap();
    let path = folder.join("sandbar");
    assert!(path.exists(), "{} is missing; run `cargo build --release`", path.display());
    let mut command = Command::new(path);
    command.env("SANDBAR_CACHE", project().join("target/component-cache"));
    command.env_remove("SANDBAR_BROKERS").env_remove("SANDBAR_LOG");
    command
}

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

/// Says to other threads of a test that all is done, also when the test fails.
pub struct End<'a>(pub &'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs a test with each kind of delivery.
#[macro_export]
macro_rules! in_both_ways {
    ($($(#[$about:meta])* fn $name:ident($times:ident: Times) $body:block)*) => {$(
        $(#[$about])*
        mod $name {
            use super::*;

            fn body($times: Times) $body

            #[test]
            fn lose_nothing() {
                body(Times::AtLeastOnce);
            }

            #[test]
            fn write_nothing_twice() {
                body(Times::ExactlyOnce);
            }
        }
    )*};
}

/// Runs a test on the practice broker and on Apache Kafka.
#[macro_export]
macro_rules! on_each_broker {
    ($($(#[$about:meta])* fn $name:ident($broker:ident: &Broker) $body:block)*) => {$(
        $(#[$about])*
        mod $name {
            use super::*;

            fn body($broker: &$crate::Broker) $body

            #[test]
            fn practice() {
                body(&$crate::Broker::practice());
            }

            #[test]
            fn apache() {
                if let Some(broker) = $crate::Broker::apache() {
                    body(&broker);
                }
            }
        }
    )*};
}
