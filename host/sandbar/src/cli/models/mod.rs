//! `sandbar models`

mod folders;
mod list;
mod pull;
mod samples;
mod show;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::registry::{self, Add, Diff, Gc, Promote, RegistryArgs, Rollback};
use crate::cli::common::Common;
use folders::Folders;
use sandbar_registry::ArtifactKind;

/// Models in a registry, or in folders on this machine.
///
/// `add`, `diff`, `promote`, `rollback` and `gc` are for a registry, `pull` and `samples` for
/// folders.
/// `list`, `show` and `verify` are for the registry if one is named, and for the model
/// folders otherwise.
#[derive(Debug, Args)]
pub(super) struct Models {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    folders: FoldersArgs,
    #[command(flatten)]
    place: RegistryArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(Add),
    List(list::List),
    Show(show::Show),
    Diff(Diff),
    Verify(verify::Verify),
    Promote(Promote),
    Rollback(Rollback),
    Gc(Gc),
    Pull(pull::Pull),
    Samples(samples::WriteSamples),
}

#[derive(Debug, Args)]
struct FoldersArgs {
    /// The folder that holds the model folders. [default: models]
    #[arg(long = "models", global = true, value_name = "FOLDER")]
    root: Option<PathBuf>,
}

impl Models {
    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        let (kind, place) = (ArtifactKind::Model, &self.place);
        anyhow::ensure!(
            self.folders.root.is_none() || place.named().is_none(),
            "--models and --registry conflict; give one of them"
        );
        // The command line takes precedence over the environment.
        let is_registry = self.folders.root.is_none() && place.location().is_some();
        let folders = Folders { root: self.folders.root.unwrap_or_else(|| "models".into()) };
        match self.verb {
            Verb::List(list) if is_registry => registry::list(kind, place, list.json),
            Verb::List(list) => list.execute(&folders),
            Verb::Show(show) if is_registry => registry::show(kind, place, &show.model, show.json),
            Verb::Show(show) => show.execute(&folders),
            Verb::Verify(verify) if is_registry => verify.execute_registry(place),
            Verb::Verify(verify) => verify.execute(&folders),
            Verb::Pull(pull) => {
                anyhow::ensure!(
                    place.named().is_none(),
                    "pull is for model folders; a version in a registry is fetched when it is used"
                );
                pull.execute(&folders)
            }
            Verb::Samples(samples) => {
                anyhow::ensure!(
                    place.named().is_none(),
                    "samples are written into a model folder; add that to the registry afterwards"
                );
                samples.execute(&folders, common)
            }
            Verb::Add(add) => add.execute(kind, place, || common.sandbox()),
            Verb::Diff(diff) => diff.execute(kind, place),
            Verb::Promote(promote) => promote.execute(kind, place),
            Verb::Rollback(rollback) => rollback.execute(kind, place),
            Verb::Gc(gc) => gc.execute(kind, place),
        }
    }
}
