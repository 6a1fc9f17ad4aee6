//! `sandbar models verify`

use clap::Args;

use super::folders::Folders;
use crate::cli::registry::RegistryArgs;
use crate::output::{complain, say};
use sandbar_model::Model;
use sandbar_model::pull::State;
use sandbar_registry::{ArtifactKind, Reference, Target};

/// Compare the files of models with the sizes and digests in their descriptions. The exit
/// status is 1 if one is missing or wrong. In a registry: all files of versions, read
/// once.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The models: names of model folders, or paths; in a registry flights@3.
    /// [default: all]
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
                    complain!("{error:#}");
                    continue;
                }
            };
            match State::of(&model) {
                State::Present => say!("{name}: ok{}", unchecked(&model)),
                State::Absent(file) => {
                    wrong += 1;
                    say!("{name}: {file} is absent{}", way_out(&model, name));
                }
                State::Wrong(error) => {
                    wrong += 1;
                    say!("{name}: {error}");
                }
            }
        }
        anyhow::ensure!(wrong == 0, "{wrong} of {} models are missing or wrong", names.len());
        Ok(())
    }
}

impl Verify {
    /// Compares the files of versions with their digests in the registry.
    pub(super) fn execute_registry(self, place: &RegistryArgs) -> anyhow::Result<()> {
        let registry = place.open()?;
        let mut references = Vec::new();
        for model in &self.models {
            references.push(model.parse::<Reference>().map_err(anyhow::Error::msg)?);
        }
        if self.models.is_empty() {
            for name in registry.names(ArtifactKind::Model)? {
                let numbers = registry.numbers(ArtifactKind::Model, &name)?;
                references.extend(numbers.iter().filter(|it| !it.removed).map(|it| Reference {
                    name: name.clone(),
                    target: Target::Version(it.number),
                }));
            }
        }
        let mut wrong = 0;
        for reference in &references {
            let version = registry.resolve(ArtifactKind::Model, reference);
            match version.and_then(|version| registry.verify(&version)) {
                Ok(()) => say!("{reference}: ok"),
                Err(error) => {
                    wrong += 1;
                    say!("{error}");
                }
            }
        }
        anyhow::ensure!(
            wrong == 0,
            "{wrong} of {} versions are missing or wrong",
            references.len()
        );
        Ok(())
    }
}

/// What the description does not cover.
fn unchecked(model: &Model) -> &'static str {
    let labels = model.labels.as_ref().is_some_and(|labels| labels.sha256.is_none());
    if labels { " (its labels have no digest)" } else { "" }
}

fn way_out(model: &Model, name: &str) -> String {
    if model.url.is_some() || model.archive.is_some() {
        format!("; download it with `sandbar models pull {name}`")
    } else {
        String::new()
    }
}
