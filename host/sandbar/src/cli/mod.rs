//! The verbs of the command `sandbar`, one file each.

mod admin;
mod bench;
mod build;
mod check;
mod dlq;
mod fleet;
mod inspect;
mod lines;
mod local;
mod models;
mod new;
mod operators;
mod registry;
mod rollout;
mod run;
mod test;
mod watch;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use sandbar_sandbox::{Sandbox, cache};
use sandbar_telemetry;
use sandbar_telemetry::LogFormat;

/// Sandboxed model operators in a Kafka stream.
#[derive(Debug, Parser)]
#[command(name = "sandbar", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(run::Run),
    Check(check::Check),
    Status(admin::Status),
    Swap(admin::Swap),
    Rollback(admin::Rollback),
    Rollout(rollout::Rollout),
    Promote(fleet::Promote),
    Fleet(fleet::Fleet),
    Inspect(inspect::Inspect),
    New(new::New),
    Build(build::Build),
    Watch(watch::Watch),
    Test(test::Test),
    Bench(bench::Bench),
    Models(models::Models),
    Operators(operators::Operators),
    Dlq(dlq::Dlq),
}

/// Options of every verb.
#[derive(Debug, Args)]
struct Common {
    /// What is logged to standard error: a level, or levels by module
    /// ("info,sandbar=debug"; what operators print is "sandbar::operator").
    /// [default: info; of `sandbar test`: what operators print, and errors]
    #[arg(long, global = true, env = "SANDBAR_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// The form of log lines.
    #[arg(long, global = true, value_enum, default_value = "text", env = "SANDBAR_LOG_FORMAT")]
    log_format: LogFormat,
    /// Folder for compiled components, which must belong to you and be writable by
    /// nobody else. [default: sandbar/components in your cache folder]
    #[arg(long, global = true, env = "SANDBAR_CACHE", value_name = "FOLDER")]
    cache: Option<PathBuf>,
}

impl Common {
    fn sandbox(&self) -> anyhow::Result<Sandbox> {
        Ok(Sandbox::new(self.cache_folder())?)
    }

    fn cache_folder(&self) -> Option<PathBuf> {
        self.cache.clone().or_else(cache::default_folder)
    }
}

/// The exit status of a command that could not do what it was asked.
pub fn status(error: &anyhow::Error) -> u8 {
    if error.is::<test::Unreadable>() { 2 } else { 1 }
}

impl Cli {
    /// Executes the command line.
    ///
    /// # Errors
    /// Any failure, for the person at the terminal.
    pub fn execute(self) -> anyhow::Result<()> {
        let usual = if matches!(self.verb, Verb::Test(_)) { test::LOG } else { "info" };
        sandbar_telemetry::init(
            self.common.log_format,
            self.common.log.as_deref().unwrap_or(usual),
        )?;
        match self.verb {
            Verb::Run(run) => run.execute(&self.common),
            Verb::Check(check) => check.execute(&self.common),
            Verb::Status(status) => status.execute(),
            Verb::Swap(swap) => swap.execute(),
            Verb::Rollback(rollback) => rollback.execute(),
            Verb::Rollout(rollout) => rollout.execute(),
            Verb::Promote(promote) => promote.execute(),
            Verb::Fleet(fleet) => fleet.execute(),
            Verb::Inspect(inspect) => inspect.execute(&self.common),
            Verb::New(new) => new.execute(),
            Verb::Build(build) => build.execute(&self.common),
            Verb::Watch(watch) => watch.execute(&self.common),
            Verb::Test(test) => test.execute(&self.common),
            Verb::Bench(bench) => bench.execute(&self.common),
            Verb::Models(models) => models.execute(&self.common),
            Verb::Operators(operators) => operators.execute(&self.common),
            Verb::Dlq(dlq) => dlq.execute(&self.common),
        }
    }
}
