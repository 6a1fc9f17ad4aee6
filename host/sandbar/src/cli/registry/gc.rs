//! `gc`

use std::time::Duration;

use bytesize::ByteSize;
use clap::Args;

use super::{RegistryArgs, Who};
use crate::output::{self, say};
use sandbar_registry::ArtifactKind;
use sandbar_registry::gc::Rules;

/// Remove the files of versions that are no longer used. What stays: the newest of
/// each name, what an alias points to or recently pointed to, what a running pipeline
/// uses, and what was added recently. The descriptions stay too.
#[derive(Debug, Args)]
pub(in crate::cli) struct Gc {
    /// Only print what would be removed.
    #[arg(long)]
    dry_run: bool,
    /// What is younger stays, also files of no version: an `add` may be under way.
    #[arg(long, default_value = "7d", value_parser = duration, value_name = "DURATION")]
    older_than: Duration,
    /// How many of the last targets of each alias stay, for a rollback.
    #[arg(long, default_value = "3", value_name = "N")]
    keep: usize,
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    who: Who,
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime_serde::re::humantime::parse_duration(text).map_err(|error| error.to_string())
}

impl Gc {
    pub(in crate::cli) fn execute(
        self,
        kind: ArtifactKind,
        place: &RegistryArgs,
    ) -> anyhow::Result<()> {
        let Gc { dry_run, older_than, keep, json, who } = self;
        let rules = Rules { older_than, targets: keep, by: who.name(), dry_run };
        let collected = place.open()?.gc(kind, &rules)?;
        if json {
            output::json(&collected)?;
            return Ok(());
        }
        for (id, reason) in &collected.kept {
            say!("{id}: kept: {reason}");
        }
        let done = if dry_run { "would be removed" } else { "removed" };
        for id in &collected.removed {
            say!("{id}: {done}");
        }
        say!("{} files, {}: {done}", collected.files, ByteSize(collected.bytes));
        Ok(())
    }
}
