//! `sandbar models`

mod list;
mod pull;
mod show;
mod verify;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};

use super::Common;
use super::registry::{self, Add, Diff, Gc, Promote, RegistryArgs, Rollback};
use sandbar_config::nearest;
use sandbar_model::{DESCRIPTION, Model};
use sandbar_registry::ArtifactKind;

/// Models in a registry, or in folders on this machine.
///
/// `add`, `diff`, `promote`, `rollback` and `gc` are for a registry, `pull` for folders.
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
}

#[derive(Debug, Args)]
struct FoldersArgs {
    /// The folder that holds the model folders. [default: models]
    #[arg(long = "models", global = true, value_name = "FOLDER")]
    root: Option<PathBuf>,
}

/// Where models are.
#[derive(Debug)]
struct Folders {
    root: PathBuf,
}

impl Models {
    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        let (sort, place) = (ArtifactKind::Model, &self.place);
        anyhow::ensure!(
            self.folders.root.is_none() || place.named().is_none(),
            "--models and --registry conflict; give one of them"
        );
        // The command line takes precedence over the environment.
        let is_registry = self.folders.root.is_none() && place.location().is_some();
        let folders = Folders { root: self.folders.root.unwrap_or_else(|| "models".into()) };
        match self.verb {
            Verb::List(list) if is_registry => registry::list(sort, place, list.json),
            Verb::List(list) => list.execute(&folders),
            Verb::Show(show) if is_registry => registry::show(sort, place, &show.model, show.json),
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
            Verb::Add(add) => add.execute(sort, place, || common.sandbox()),
            Verb::Diff(diff) => diff.execute(sort, place),
            Verb::Promote(promote) => promote.execute(sort, place),
            Verb::Rollback(rollback) => rollback.execute(sort, place),
            Verb::Gc(gc) => gc.execute(sort, place),
        }
    }
}

impl Folders {
    /// The names of the model folders, in alphabetical order.
    fn names(&self) -> anyhow::Result<Vec<String>> {
        let wrong = || {
            format!(
                "{}: cannot read model folders; name their folder with --models",
                self.root.display()
            )
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.root).with_context(wrong)? {
            let path = entry.with_context(wrong)?.path();
            if path.join(DESCRIPTION).is_file()
                && let Some(name) = path.file_name().and_then(|name| name.to_str())
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The model of a folder: by its name among the model folders, or by its path.
    fn find(&self, name: &str) -> anyhow::Result<Model> {
        let below = self.root.join(name);
        for folder in [below.as_path(), Path::new(name)] {
            if folder.join(DESCRIPTION).is_file() {
                return Ok(Model::describe(folder)?);
            }
        }
        let names = self.names().unwrap_or_default();
        let instead = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean '{near}'?"),
            None if names.is_empty() => "there are no model folders".to_owned(),
            None => format!("known model folders: {}", names.join(", ")),
        };
        anyhow::bail!("'{name}' is not a model folder in {}; {instead}", self.root.display())
    }
}
