//! `sandbar new`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::common::Common;
use super::new_pipeline::NewPipeline;
use crate::output::say;
use crate::project::{Language, Project, next_steps};
use sandbar_sandbox::component::World;

/// Create a new pipeline without code, or a new operator.
#[derive(Debug, Args)]
pub(super) struct New {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Pipeline(NewPipeline),
    /// Create an operator that turns records into features.
    Extractor(NewOperator),
    /// Create an operator that turns features into predictions.
    Scorer(NewOperator),
    /// Create an operator that turns records into records.
    Transformer(NewOperator),
}

/// A folder that builds, passes its own tests and runs.
///
/// It has the operator's source, tests with sample records (tests/), how it is built
/// (operator.toml), the SDK (vendor/) and the contract (wit/), which come with this
/// command: no registry and no clone of Sandbar is needed.
#[derive(Debug, Args)]
struct NewOperator {
    /// Its name: lower-case letters, digits, '-' and '_', as in "flight-features".
    #[arg(value_name = "NAME")]
    name: String,
    /// What it is written in. Rust needs rustup, Python python3 from 3.10, JavaScript
    /// node from 20 and npm.
    #[arg(long = "lang", value_enum, default_value_t = Language::Rust, value_name = "LANGUAGE")]
    language: Language,
    /// The folder to create. [default: NAME]
    #[arg(long, value_name = "FOLDER")]
    path: Option<PathBuf>,
    /// The folder of another operator, with which this one is a pipeline: an extractor's
    /// for a scorer, a scorer's for an extractor. Writes pipeline.toml.
    #[arg(long, value_name = "FOLDER")]
    with: Option<PathBuf>,
    /// Use the SDK for Rust in this folder, as operators/sdk in a clone of Sandbar,
    /// instead of a copy.
    #[arg(long, value_name = "FOLDER")]
    sdk: Option<PathBuf>,
}

impl New {
    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        match self.what {
            What::Pipeline(pipeline) => pipeline.execute(common),
            What::Extractor(operator) => operator.execute(World::Extractor),
            What::Scorer(operator) => operator.execute(World::Scorer),
            What::Transformer(operator) => operator.execute(World::Transformer),
        }
    }
}

impl NewOperator {
    fn execute(self, world: World) -> anyhow::Result<()> {
        let project = Project {
            world,
            language: self.language,
            folder: self.path.unwrap_or_else(|| PathBuf::from(&self.name)),
            name: self.name,
            sdk: self.sdk,
            with: self.with,
        };
        project.create()?;
        let article = if project.world == World::Extractor { "an" } else { "a" };
        let (folder, language) = (project.folder.display(), project.language);
        say!("{folder}: {article} {} in {language}. Go on with:", project.world);
        say!();
        for step in next_steps(&project) {
            say!("    {step}");
        }
        Ok(())
    }
}
