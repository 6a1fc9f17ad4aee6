//! `promote` and `rollback`

use clap::Args;

use super::{RegistryArgs, Who};
use crate::output::{self, say};
use sandbar_registry::aliases::{Changed, Intent};
use sandbar_registry::{ArtifactKind, DEFAULT_ALIAS};

/// Point an alias to a version. Pipelines that name the alias get it.
#[derive(Debug, Args)]
pub(in crate::cli) struct Promote {
    /// The name of the model or operator.
    #[arg(value_name = "NAME")]
    name: String,
    /// The number of the version.
    #[arg(value_name = "N")]
    version: u32,
    #[command(flatten)]
    change: AliasArgs,
}

/// Point an alias back to its version before the last promotion.
#[derive(Debug, Args)]
pub(in crate::cli) struct Rollback {
    /// The name of the model or operator.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    change: AliasArgs,
}

#[derive(Debug, Args)]
struct AliasArgs {
    /// The alias.
    #[arg(long, default_value = DEFAULT_ALIAS, value_name = "ALIAS")]
    alias: String,
    /// Change nothing unless the alias points to this version now; 0 for none.
    #[arg(long, value_name = "N")]
    expect: Option<u32>,
    /// Why, for others to see.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print the alias as it is now, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    who: Who,
}

impl Promote {
    pub(in crate::cli) fn execute(
        self,
        kind: ArtifactKind,
        place: &RegistryArgs,
    ) -> anyhow::Result<()> {
        let Promote { name, version, change } = self;
        let registry = place.open()?;
        let (alias, json, intent) = change.take();
        tell(&name, &alias, json, &registry.promote(kind, &name, version, &alias, &intent)?)
    }
}

impl Rollback {
    pub(in crate::cli) fn execute(
        self,
        kind: ArtifactKind,
        place: &RegistryArgs,
    ) -> anyhow::Result<()> {
        let Rollback { name, change } = self;
        let registry = place.open()?;
        let (alias, json, intent) = change.take();
        tell(&name, &alias, json, &registry.rollback(kind, &name, &alias, &intent)?)
    }
}

impl AliasArgs {
    fn take(self) -> (String, bool, Intent) {
        let AliasArgs { alias, expect, reason, json, who } = self;
        (alias, json, Intent { by: who.name(), reason, expect })
    }
}

fn tell(name: &str, alias: &str, json: bool, changed: &Changed) -> anyhow::Result<()> {
    let change = &changed.change;
    if json {
        let mut json = serde_json::to_value(change)?;
        json["new"] = changed.new.into();
        output::json(&json)?;
        return Ok(());
    }
    let now = format!("{name}@{alias} is {name}@{}", change.version);
    match change.previous {
        _ if !changed.new => say!("{now} already"),
        Some(previous) => say!("{now}; it was {name}@{previous}"),
        None => say!("{now}"),
    }
    Ok(())
}
