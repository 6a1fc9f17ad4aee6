//! The folders of models on this machine.

use std::path::{Path, PathBuf};

use anyhow::Context;

use sandbar_config::nearest;
use sandbar_model::{DESCRIPTION, Model};

/// Where models are.
#[derive(Debug)]
pub(super) struct Folders {
    pub(super) root: PathBuf,
}

impl Folders {
    /// The names of the model folders, in alphabetical order.
    pub(super) fn names(&self) -> anyhow::Result<Vec<String>> {
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
    pub(super) fn find(&self, name: &str) -> anyhow::Result<Model> {
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
