//! `sandbar models add`, `sandbar operators add`

use std::path::PathBuf;

use clap::Args;

use super::{RegistryArgs, Who};
use crate::output::{self, say};
use sandbar_registry::draft::{Draft, Notes};
use sandbar_registry::{ArtifactKind, version};
use sandbar_sandbox::Sandbox;

/// Add a version to the registry, under the next number of its name. It is loaded once
/// first: what cannot be used is not added. Nothing runs it until an alias or a
/// manifest points to it.
#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// A model's folder; or an operator's component, or its folder once it is built.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// The name in the registry. [default: its own]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What was measured, as in auc=0.73. May be given several times.
    #[arg(long = "metric", value_name = "NAME=VALUE")]
    metrics: Vec<String>,
    /// What it was built from: a commit, a run. [default: the path]
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// Add it even if a version has the same files already.
    #[arg(long)]
    again: bool,
    /// Print the version as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    who: Who,
}

impl Add {
    pub(in crate::cli) fn execute(
        self,
        kind: ArtifactKind,
        place: &RegistryArgs,
        sandbox: impl FnOnce() -> anyhow::Result<Sandbox>,
    ) -> anyhow::Result<()> {
        let metrics = version::metrics(&self.metrics).map_err(anyhow::Error::msg)?;
        let notes = Notes { by: self.who.name(), source: self.source, metrics };
        let name = self.name.as_deref();
        let draft = match kind {
            ArtifactKind::Model => Draft::model(&self.path, name, notes)?,
            ArtifactKind::Operator => Draft::operator(&self.path, name, notes, &sandbox()?)?,
        };
        let added = place.create()?.add(draft, self.again)?;
        let id = added.version.id();
        if self.json {
            let mut json = serde_json::to_value(&added.version)?;
            json["new"] = added.new.into();
            output::json(&json)?;
        } else if added.new {
            say!("{id}: added, {} bytes", added.version.size());
        } else {
            say!("{id}: has these files already; --again adds them again");
        }
        Ok(())
    }
}
