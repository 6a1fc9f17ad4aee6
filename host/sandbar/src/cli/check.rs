//! `sandbar check`

use std::path::{Path, PathBuf};

use clap::Args;

use super::common::Common;
use crate::output::{self, complain, say};
use sandbar_pipeline::Definition;
use sandbar_pipeline::Plan;
use sandbar_sandbox::Sandbox;

/// Check pipelines without running them: the manifest, the worlds of its
/// components, its model files, and whether the stages accept their configuration
/// and each other. No broker is contacted, and secrets in the environment or in
/// files need not be there.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The pipelines' manifests.
    #[arg(value_name = "PIPELINE", required = true)]
    manifests: Vec<PathBuf>,
    /// Print the manifest with all its defaults, as TOML; secrets appear as "***". What is
    /// wrong is reported all the same.
    #[arg(long)]
    print: bool,
}

impl Check {
    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        let sandbox = common.sandbox()?;
        anyhow::ensure!(
            !self.print || self.manifests.len() == 1,
            "--print takes one pipeline, got {}",
            self.manifests.len()
        );
        let mut wrong = 0;
        for path in &self.manifests {
            match self.check(path, &sandbox, common) {
                // Only the manifest, for a file or another command.
                Ok(_) if self.print => {}
                Ok(plan) => say!("{}: ok: {plan}", path.display()),
                Err(error) => {
                    wrong += 1;
                    complain!("{error:#}");
                }
            }
        }
        anyhow::ensure!(wrong == 0, "{wrong} of {} pipelines cannot run", self.manifests.len());
        Ok(())
    }

    fn check(&self, path: &Path, sandbox: &Sandbox, common: &Common) -> anyhow::Result<String> {
        let definition = Definition::new(common.manifest(path)?, common.cache_folder());
        if self.print {
            output::document(&definition.manifest.print());
        }
        Ok(Plan::anew(&definition, sandbox)?.to_string())
    }
}
