//! `sandbar check`

use std::path::PathBuf;

use clap::Args;

use super::Common;
use crate::manifest::Manifest;
use crate::pipeline::Plan;

/// Check pipelines without running them: the manifest, the worlds of its
/// components, its model files, and whether the stages accept their configuration
/// and each other. No broker is asked.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The pipelines' manifests.
    #[arg(value_name = "PIPELINE", required = true)]
    manifests: Vec<PathBuf>,
}

impl Check {
    pub(super) fn execute(self, common: &Common) -> anyhow::Result<()> {
        let sandbox = common.sandbox()?;
        let mut wrong = 0;
        for path in &self.manifests {
            match check(path, &sandbox, common) {
                Ok(plan) => println!("{}: ok: {plan}", path.display()),
                Err(error) => {
                    wrong += 1;
                    eprintln!("{error:#}");
                }
            }
        }
        anyhow::ensure!(wrong == 0, "{wrong} of {} pipelines cannot run", self.manifests.len());
        Ok(())
    }
}

fn check(
    path: &std::path::Path,
    sandbox: &crate::sandbox::Sandbox,
    common: &Common,
) -> anyhow::Result<String> {
    let manifest = Manifest::load(path)?.with_cache(common.cache_folder());
    let plan = Plan::new(&manifest, None, sandbox)?;
    Ok(plan.to_string())
}
