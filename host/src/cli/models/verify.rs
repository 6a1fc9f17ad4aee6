//! `sandbar models verify`

use clap::Args;

use super::Folders;
use crate::models::Model;
use crate::models::pull::State;

/// Compare files of models with the sizes and digests of their descriptions. The exit
/// status is 1 where one is missing or wrong.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The models: names of model folders, or paths. [default: all]
    #[arg(value_name = "MODEL")]
    models: Vec<String>,
}

impl Verify {
    pub(super) fn execute(self, folders: &Folders) -> anyhow::Result<()> {
        let names = if self.models.is_empty() { folders.names()? } else { self.models };
        let mut wrong = 0;
        for name in &names {
            let model = match folders.find(name) {
                Ok(model) => model,
                Err(error) => {
                    wrong += 1;
                    eprintln!("{error:#}");
                    continue;
                }
            };
            match State::of(&model) {
                State::Present => println!("{name}: ok{}", unchecked(&model)),
                State::Absent(file) => {
                    wrong += 1;
                    println!("{name}: {file} is absent{}", way_out(&model, name));
                }
                State::Wrong(error) => {
                    wrong += 1;
                    println!("{name}: {error}");
                }
            }
        }
        anyhow::ensure!(wrong == 0, "{wrong} of {} models are not in order", names.len());
        Ok(())
    }
}

/// What the description leaves open.
fn unchecked(model: &Model) -> &'static str {
    let labels = model.labels.as_ref().is_some_and(|labels| labels.sha256.is_none());
    if labels { " (its labels have no digest)" } else { "" }
}

fn way_out(model: &Model, name: &str) -> String {
    if model.url.is_some() || model.archive.is_some() {
        format!("; get it by `sandbar models pull {name}`")
    } else {
        String::new()
    }
}
