//! The verbs of the command `sandbar`, one file each.

mod build;
mod check;
mod inspect;
mod lines;
mod local;
mod models;
mod new;
mod run;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::observe::{self, LogFormat};
use crate::sandbox::{Sandbox, cache};

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
    Inspect(inspect::Inspect),
    New(new::New),
    Build(build::Build),
    Models(models::Models),
}

/// Options of every verb.
#[derive(Debug, Args)]
struct Common {
    /// What is logged to standard error: a level, or levels by module
    /// ("info,sandbar=debug"; what operators print is "sandbar::operator").
    #[arg(long, global = true, default_value = "info", env = "SANDBAR_LOG", value_name = "FILTER")]
    log: String,
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
        Ok(Sandbox::new(self.cache.clone().or_else(cache::default_folder))?)
    }
}

impl Cli {
    /// Does what the command line says.
    ///
    /// # Errors
    /// Whatever keeps it from that, for the person at the terminal.
    pub fn execute(self) -> anyhow::Result<()> {
        observe::init(self.common.log_format, &self.common.log)?;
        match self.verb {
            Verb::Run(run) => run.execute(&self.common),
            Verb::Check(check) => check.execute(&self.common),
            Verb::Inspect(inspect) => inspect.execute(&self.common),
            Verb::New(new) => new.execute(),
            Verb::Build(build) => build.execute(&self.common),
            Verb::Models(models) => models.execute(),
        }
    }
}
