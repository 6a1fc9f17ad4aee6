//! `sandbar models`

mod list;
mod pull;
mod show;
mod verify;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::manifest::document::nearest;
use crate::models::{DESCRIPTION, Model};

/// Model folders: what there is, whether it is right, and how to get it.
#[derive(Debug, Args)]
pub(super) struct Models {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    folders: Folders,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(list::List),
    Show(show::Show),
    Verify(verify::Verify),
    Pull(pull::Pull),
}

/// Where models are looked for.
#[derive(Debug, Args)]
struct Folders {
    /// The folder that holds the model folders.
    #[arg(long = "models", global = true, default_value = "models", value_name = "FOLDER")]
    root: PathBuf,
}

impl Models {
    pub(super) fn execute(self) -> anyhow::Result<()> {
        match self.verb {
            Verb::List(list) => list.execute(&self.folders),
            Verb::Show(show) => show.execute(&self.folders),
            Verb::Verify(verify) => verify.execute(&self.folders),
            Verb::Pull(pull) => pull.execute(&self.folders),
        }
    }
}

impl Folders {
    /// The names of the model folders, in alphabetical order.
    fn names(&self) -> anyhow::Result<Vec<String>> {
        let wrong = || {
            format!(
                "{}: no model folders can be read there; name their folder with --models",
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
            None if names.is_empty() => "there are none".to_owned(),
            None => format!("there are {}", names.join(", ")),
        };
        anyhow::bail!("'{name}' is not a model folder of {}; {instead}", self.root.display())
    }
}
