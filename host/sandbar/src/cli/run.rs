//! `sandbar run`

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use sandbar_manifest::Listen;
use sandbar_pipeline::{Definition, Plan};
use sandbar_record::Shutdown;

use super::common::Common;
use super::local::Local;
use super::prepare;
use crate::runner::Runner;

/// The exit status of a run that has come to its memory limit: `EX_TEMPFAIL`, as the next run may
/// succeed.
pub(super) const OUT_OF_MEMORY: u8 = 75;
/// How long a stop may take beyond the drain deadline, to close connections.
const GRACE: Duration = Duration::from_secs(5);

/// Run a pipeline until Ctrl-C or SIGTERM, and deliver the records in flight before
/// ending.
///
/// Runners with the same consumer group share the partitions of the topics: start
/// as many as you need.
///
/// With --stdin or --file no Kafka is needed: records are lines or files, predictions
/// go to standard output, and the command ends with the input. For a first look, and
/// for use in a shell.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// The pipeline's manifest (docs/reference/manifest.md).
    #[arg(value_name = "PIPELINE")]
    manifest: PathBuf,
    /// The brokers, "host:port" separated by commas, instead of the manifest's.
    /// [env: SANDBAR_BROKERS]
    // Not with clap: the variable must not conflict with --stdin.
    #[arg(long, value_name = "HOST:PORT,...")]
    brokers: Option<String>,
    /// The address for metrics and health, or "off", instead of the manifest's.
    #[arg(long, value_name = "HOST:PORT", env = "SANDBAR_ADMIN")]
    admin: Option<Listen>,
    /// An address for health and readiness alone, or "off", instead of the manifest's: for
    /// probes, whatever the load of the other.
    #[arg(long, value_name = "HOST:PORT", env = "SANDBAR_HEALTH")]
    health: Option<Listen>,
    /// The token that changes need (`sandbar swap`). Without one, everybody on
    /// this machine may make changes, if the address is a loopback one.
    #[arg(long, value_name = "TOKEN", env = "SANDBAR_ADMIN_TOKEN", hide_env_values = true)]
    admin_token: Option<String>,
    /// The runner's name in its fleet. [default: the machine's name and a random
    /// number]
    #[arg(long, value_name = "NAME", env = "SANDBAR_RUNNER_ID")]
    runner_id: Option<String>,
    #[command(flatten)]
    local: Local,
}

impl Run {
    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        let manifest = common.manifest(&self.manifest)?;
        if self.local.is_asked() {
            self.local.look()?;
            let definition = Definition::new(manifest, common.cache_folder());
            let plan = Plan::new(&definition, &common.sandbox()?)?;
            return self.local.execute(&plan.readable());
        }
        let patience = manifest.runner.drain_deadline;
        let mut runner = Runner::new(manifest)
            .child(prepare::child())
            .cache(common.cache_folder())
            .admin(self.admin)
            .health(self.health)
            .admin_token(self.admin_token)
            .id(self.runner_id);
        if let Some(brokers) = self.brokers.or_else(|| std::env::var("SANDBAR_BROKERS").ok()) {
            runner = runner.brokers(brokers);
        }
        let shutdown = Shutdown::default();
        end_at_last(&shutdown, patience, stop_at_signals(&shutdown)?)?;
        Ok(runner.run(&shutdown)?)
    }
}

/// Lets Ctrl-C and SIGTERM ask for the end. Returns what says whether they have.
fn stop_at_signals(shutdown: &Shutdown) -> anyhow::Result<Arc<AtomicBool>> {
    let (asked, signalled) = (shutdown.clone(), Arc::new(AtomicBool::new(false)));
    let told = signalled.clone();
    ctrlc::set_handler(move || {
        if asked.requested() {
            // A second signal: do not wait for the drain.
            std::process::exit(130);
        }
        told.store(true, Ordering::Relaxed);
        asked.request();
    })
    .context("signals cannot be handled")?;
    Ok(signalled)
}

/// Sees to it that the end comes once it is requested: by a signal or, without one, since the
/// process has no more memory.
fn end_at_last(
    shutdown: &Shutdown,
    patience: Duration,
    signalled: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    let asked = shutdown.clone();
    let last = move || {
        while !asked.requested() {
            asked.wait(Duration::from_hours(1));
        }
        // librdkafka may wait for unreachable brokers in any case.
        std::thread::sleep(patience + GRACE);
        tracing::error!("drain deadline exceeded; the next run reprocesses undelivered records");
        let status = if signalled.load(Ordering::Relaxed) { 1 } else { OUT_OF_MEMORY };
        std::process::exit(status.into());
    };
    std::thread::Builder::new().name("sandbar-last".into()).spawn(last)?;
    Ok(())
}
