//! `sandbar models list`

use bytesize::ByteSize;
use clap::Args;

use super::folders::Folders;
use crate::output::{self, complain, say};
use sandbar_model::Model;
use sandbar_model::pull::State;

/// List the model folders: name and version, kind, size, whether the files are present and
/// right, licence. In a registry: names, newest versions, aliases.
#[derive(Debug, Args)]
pub(super) struct List {
    /// As JSON.
    #[arg(long)]
    pub(super) json: bool,
}

impl List {
    pub(super) fn execute(self, folders: &Folders) -> anyhow::Result<()> {
        let mut rows = vec![["MODEL", "KIND", "SIZE", "FILES", "LICENCE"].map(str::to_owned)];
        let (mut wrong, mut list) = (0, Vec::new());
        for name in folders.names()? {
            match Model::describe(&folders.root.join(&name)) {
                Ok(model) => {
                    let mut json = serde_json::to_value(&model)?;
                    json["folder"] = model.folder().to_string_lossy().into();
                    json["state"] = State::of(&model).as_str().into();
                    list.push(json);
                    rows.push(row(&model));
                }
                Err(error) => {
                    wrong += 1;
                    complain!("{error}");
                }
            }
        }
        if self.json {
            output::json(&list)?;
            rows.clear();
        }
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2), width(3)];
        for [id, kind, size, state, licence] in &rows {
            let [a, b, c, d] = widths;
            say!("{id:a$}  {kind:b$}  {size:>c$}  {state:d$}  {licence}");
        }
        anyhow::ensure!(wrong == 0, "{wrong} invalid model descriptions");
        Ok(())
    }
}

fn row(model: &Model) -> [String; 5] {
    let there = model.folder().join(&model.file).metadata().ok().map(|about| about.len());
    let size = model.size.or(there).map_or("?".into(), |size| ByteSize(size).to_string());
    let state = State::of(model).as_str().to_owned();
    [model.id(), model.kind.to_string(), size, state, model.licence.clone()]
}
