//! What the end-to-end tests have in common: a broker, a pipeline running on it,
//! records in and out.
//!
//! No two modules import each other, and none imports from here: this names them, and what
//! nearly every test needs of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what a test says is for those who run it"
)]

pub mod asked;
pub mod broker;
pub mod changes;
pub mod checker;
pub mod cluster;
pub mod end;
pub mod flights;
pub mod flow;
pub mod gaps;
pub mod graphs;
pub mod held;
pub mod http;
pub mod objects;
pub mod operators;
pub mod paths;
pub mod preparing;
pub mod process;
pub mod projects;
pub mod proxy;
pub mod random;
pub mod registering;
pub mod runner;
pub mod secured;
pub mod served;
pub mod shim;
pub mod site;

pub use broker::{Broker, Received, Sent};
pub use cluster::{cluster, schema_registry};
pub use end::End;
pub use paths::{component, project, sandbar, test_data};
pub use runner::Runner;

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

/// Runs a test on the mock broker and on Apache Kafka.
#[macro_export]
macro_rules! on_each_broker {
    ($($(#[$about:meta])* fn $name:ident($broker:ident: &Broker) $body:block)*) => {$(
        $(#[$about])*
        mod $name {
            use super::*;

            fn body($broker: &$crate::Broker) $body

            #[test]
            fn mock() {
                body(&$crate::Broker::mock());
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
