//! `cargo xtask faults`: only the tests that inject faults, for long.

use anyhow::{Result, bail};
use clap::Args;

use crate::kafka::{Cluster, Installation, Lifetime, Unavailable};
use crate::{cargo, operators, process, test};

/// What `cargo xtask faults` takes.
#[derive(Args)]
pub struct FaultArguments {
    /// A hundred kills instead of ten, and so on, with each kind of delivery: half an hour.
    #[arg(long)]
    long: bool,
    /// Only the soak test: this many minutes of all faults at a low rate, with the memory of the
    /// runner that survives it.
    #[arg(long, value_name = "MINUTES")]
    soak: Option<u64>,
}

/// Builds what is needed, starts an Apache Kafka, and runs the tests, whose counts are
/// printed.
///
/// # Errors
/// When something does not compile, Apache Kafka is not available, or a test fails.
pub fn run(arguments: &FaultArguments) -> Result<()> {
    operators::build()?;
    let installation = match Installation::resolve(None) {
        Ok(installation) => installation,
        Err(Unavailable::Failed(error)) => return Err(error),
        Err(Unavailable::Missing(what)) => bail!("Apache Kafka is not available: {what}"),
    };
    let name = format!("faults-{}", std::process::id());
    let cluster = Cluster::start(&installation, &name, 1, None, Lifetime::Ours)?;
    // Cargo builds the command for the tests of its own crate alone.
    process::run(cargo::host().args(["build", "--release", "--package", "sandbar"]))?;
    let mut command = cargo::host();
    command.args(["test", "--release", "--workspace", "--no-fail-fast"]);
    command.args(["--test", "faults", "--test", "broker_faults"]);
    command.args(["--", "--nocapture", "--test-threads", "2"]);
    command.env(test::KAFKA_VARIABLE, cluster.bootstrap());
    if let Some(minutes) = arguments.soak {
        command.arg("half_an_hour").env("SANDBAR_SOAK_MINUTES", minutes.to_string());
    }
    if arguments.long {
        command.env("SANDBAR_FAULTS", "long");
    }
    process::run(&mut command)
}
