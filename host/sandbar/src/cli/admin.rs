//! `sandbar status`, `swap` and `rollback`: requests to a runner over HTTP.

use std::time::Duration;

use anyhow::ensure;
use bytesize::ByteSize;
use clap::Args;

use super::at::At;
use super::fleet;
use super::pair::pair;
use super::shown::show;
use crate::admin::api::{
    CancelRequest, Cancelled, MemoryStatus, RollbackRequest, ServingStatus as Told, SwapRequest,
};
use crate::output::{self, say};
use humantime_serde::re::humantime;
use sandbar_registry::ArtifactSource;

/// Show what a runner serves and its state; in a fleet, the state of all its runners.
#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    at: At,
}

/// Replace models or components that a runner serves.
///
/// The runner loads the new ones beside those that serve, checks that they fit the other
/// stages, tries them on a recent batch, and switches between two batches. If anything
/// fails, the old ones go on serving. A swap lasts until the runner ends: to keep it, change
/// the manifest too.
#[derive(Debug, Args)]
pub(super) struct Swap {
    /// A model, by the pipeline's name for it: a folder, or NAME@VERSION or NAME@ALIAS in
    /// the manifest's registry.
    #[arg(long = "model", value_name = "NAME=MODEL", value_parser = pair)]
    models: Vec<(String, ArtifactSource)>,
    /// The component of a stage: a file, or a version in the registry.
    #[arg(long = "component", value_name = "STAGE=COMPONENT", value_parser = pair)]
    components: Vec<(String, ArtifactSource)>,
    /// The revision to change, as `sandbar status` shows it: if another one serves by now,
    /// nothing is changed.
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
    /// How long it may take to prepare them ("30s"), if less than the manifest's load-deadline;
    /// after it nothing is changed.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
    /// Cancel the change that is being prepared, also a rollback's or a roll-out's, instead.
    #[arg(long, conflicts_with_all = ["models", "components", "revision", "timeout"])]
    cancel: bool,
    #[command(flatten)]
    at: At,
}

/// Undo the last swap: serve again what the runner served before it.
#[derive(Debug, Args)]
pub(super) struct Rollback {
    /// The revision to change: if another one serves by now, nothing is changed.
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
    #[command(flatten)]
    at: At,
}

impl Status {
    pub(super) fn execute(self) -> anyhow::Result<()> {
        let told: Told = self.at.ask("status", None::<&()>)?;
        let fleet = fleet::of(&self.at)?;
        if self.at.json {
            let mut told = serde_json::to_value(&told)?;
            if let Some(fleet) = &fleet {
                told["fleet"] = serde_json::to_value(fleet)?;
            }
            output::json(&told)?;
            return Ok(());
        }
        let state = if told.ready { "ready" } else { "not ready" };
        say!("{} on sandbar {}, {state}", told.pipeline, told.version);
        show(&told.serving);
        say!(
            "{} records, {} outputs, {} failed; {} partitions, lag {} records",
            told.records,
            told.outputs,
            told.failed,
            told.partitions,
            told.lag
        );
        if let Some(MemoryStatus { used, limit, shortage }) = &told.memory {
            let (used, limit) = (ByteSize(*used), ByteSize(*limit));
            say!("memory: {used} of {limit} used, {shortage}");
        }
        super::rollout::show(&told);
        if let Some(fleet) = &fleet {
            say!();
            fleet::show(fleet);
        }
        Ok(())
    }
}

impl Swap {
    pub(super) fn execute(self) -> anyhow::Result<()> {
        if self.cancel {
            let show = |told: &Cancelled| say!("the {} is cancelled", told.cancelled);
            return self.at.told("cancel", &CancelRequest {}, show);
        }
        ensure!(
            !self.models.is_empty() || !self.components.is_empty(),
            "nothing to swap: name a model (--model NAME=MODEL) or a component (--component STAGE=COMPONENT)"
        );
        let request = SwapRequest {
            models: self.models.into_iter().collect(),
            components: self.components.into_iter().collect(),
            revision: self.revision,
            timeout: self.timeout.map(|timeout| timeout.as_secs_f64()),
        };
        self.at.change("swap", &request)
    }
}

impl Rollback {
    pub(super) fn execute(self) -> anyhow::Result<()> {
        self.at.change("rollback", &RollbackRequest { revision: self.revision })
    }
}
