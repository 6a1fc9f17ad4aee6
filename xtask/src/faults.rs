//! `cargo xtask faults`: only the tests that inject faults, for long.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::kafka::{Cluster, Installation, Lifetime, Unavailable};
use crate::{operators, process, programs, test};

/// What `cargo xtask faults` takes.
#[derive(Args)]
pub struct FaultArguments {
    /// A hundred kills instead of ten, and so on, with each kind of delivery: half an hour.
    #[arg(long)]
    long: bool,
    /// Only the soak test: this many minutes of all faults at a low rate, with the memory of the
    /// runner that survives it.
    #[arg(long, value_name = "MINUTES", conflicts_with = "long")]
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
        Ok(installation) => installation.archived(),
        Err(Unavailable::Failed(error)) => return Err(error),
        Err(Unavailable::Missing(what)) => bail!("Apache Kafka is not available: {what}"),
    };
    let name = format!("faults-{}", std::process::id());
    let cluster = Cluster::start(&installation, &name, 1, None, Lifetime::Ours)?;
    let built = programs::build()?;
    let program = programs::named("faults").context("there is no program `faults`")?;
    let kafka = (test::KAFKA_VARIABLE, cluster.bootstrap());
    if let Some(minutes) = arguments.soak {
        // At so low a rate the two kinds of delivery have room side by side.
        let mut command = built.command(program.name)?;
        command.args(["--nocapture", "--test-threads", "2", "half_an_hour"]);
        command.env(kafka.0, kafka.1).env(test::SOAK_VARIABLE, minutes.to_string());
        return process::run(&mut command);
    }
    let flags = ["--nocapture", "--test-threads", "2"].map(OsString::from);
    let prepare = |command: &mut Command| {
        command.env(kafka.0, kafka.1);
        if arguments.long {
            command.env(test::LONG_VARIABLE, "1");
        }
    };
    let tests = built.list(program, &flags, prepare)?;
    let shared = tests.run_shared(&flags, prepare);
    tests.run_exclusive(&flags, prepare).and(shared)
}
