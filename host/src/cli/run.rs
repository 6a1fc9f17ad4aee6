//! `sandbar run`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::Common;
use super::local::{Local, tell_totals};
use crate::admin::api::Access;
use crate::admin::{Admin, Subject};
use crate::fleet::Member;
use crate::manifest::{Listen, Manifest};
use crate::observe::Stats;
use crate::pipeline::{self, Deployment, Plan, Shutdown};

/// How long a stop may take beyond the drain deadline, to close connections.
const GRACE: Duration = Duration::from_secs(5);
/// How long a runner may not poll Kafka beyond the drain deadline, which it
/// may use up when partitions are revoked.
const UNPOLLED: Duration = Duration::from_secs(30);

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
        let manifest = Manifest::load(&self.manifest)?.with_cache(common.cache_folder());
        if self.local.is_asked() {
            self.local.look()?;
            return self.local.execute(&Plan::new(&manifest, None, &common.sandbox()?)?);
        }
        let brokers = self.brokers.or_else(|| std::env::var("SANDBAR_BROKERS").ok());
        let brokers = manifest.brokers(brokers.as_deref())?;
        let (name, listen) = (manifest.name.clone(), manifest.admin.listen);
        let brokers = brokers.to_owned();
        let stats = Arc::new(Stats::default());
        // Before components are compiled, which may take a while.
        manifest.secrets()?;
        let token = self.admin_token.filter(|token| !token.is_empty());
        let token = token.or(manifest.admin_token().map_err(anyhow::Error::msg)?);
        let patience = manifest.runner.drain_deadline;
        let sandbox = common.sandbox()?;
        let shutdown = Shutdown::default();
        let loaded = if manifest.fleet.is_none() {
            Some(Deployment::new(manifest.clone(), Some(&brokers), &sandbox, stats.clone())?)
        } else {
            None
        };
        let asked = shutdown.clone();
        ctrlc::set_handler(move || {
            if asked.requested() {
                // A second signal: do not wait for the drain.
                std::process::exit(130);
            }
            asked.request();
            std::thread::spawn(move || {
                // librdkafka may wait for unreachable brokers in any case.
                std::thread::sleep(patience + GRACE);
                tracing::error!(
                    "drain deadline exceeded; the next run reprocesses undelivered records"
                );
                std::process::exit(1);
            });
        })
        .context("cannot handle signals")?;
        let mut member = Member::join(&manifest, &brokers, self.runner_id, &stats, &shutdown)?;
        let loaded = match (&member, loaded) {
            (Some(member), _) => member.begin(&manifest, &brokers, &sandbox, &shutdown)?,
            (None, loaded) => loaded,
        };
        // It was stopped before it had a version to serve.
        let Some(deployment) = loaded.map(Arc::new) else { return Ok(()) };
        if let Some(member) = &mut member {
            member.follow(deployment.clone())?;
        }
        let subject = Subject {
            pipeline: name,
            deployment: deployment.clone(),
            fleet: member.as_ref().map(|member| member.fleet().clone()),
            access: Access::Nobody,
            shutdown: shutdown.clone(),
            patience: patience + UNPOLLED,
        };
        let _admin = serve(self.admin.or(listen), token, subject)?;
        let result = pipeline::run(&deployment, &shutdown);
        tell_totals(&stats.snapshot());
        Ok(result?)
    }
}

/// Starts the server. With the default address a failure is no error: several runners
/// on one machine would conflict.
fn serve(
    chosen: Option<Listen>,
    token: Option<String>,
    subject: Subject,
) -> anyhow::Result<Option<Admin>> {
    let Some(address) = chosen.unwrap_or_default().address() else { return Ok(None) };
    let access = match token {
        Some(token) => Access::Token(token),
        None if address.ip().is_loopback() => Access::Local,
        None => Access::Nobody,
    };
    let subject = Subject { access, ..subject };
    match Admin::start(address, subject) {
        Ok(admin) => {
            tracing::info!(address = %admin.address(), "serving metrics and health");
            Ok(Some(admin))
        }
        Err(error) if chosen.is_none() => {
            tracing::warn!("{error}");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
