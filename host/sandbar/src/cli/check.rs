//! `sandbar check`

use std::path::{Path, PathBuf};

use clap::Args;

use super::common::Common;
use crate::output::{self, complain, say};
use sandbar_pipeline::Definition;
use sandbar_pipeline::GraphStyle;
use sandbar_pipeline::Plan;
use sandbar_sandbox::Sandbox;

/// Check pipelines without running them: the manifest, the worlds of its
/// components, its model files, and whether the stages accept their configuration
/// and each other. No broker is contacted, and secrets in the environment or in
/// files need not be there.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The pipelines' manifests.
    #[arg(value_name = "PIPELINE", required_unless_present = "graph")]
    manifests: Vec<PathBuf>,
    /// Print the manifest with all its defaults, as TOML; secrets appear as "***". What is
    /// wrong is reported all the same.
    #[arg(long)]
    print: bool,
    /// Print what each stage reads: as a table (text), or in the notation of Graphviz (dot) or of
    /// Mermaid (mermaid).
    #[arg(long, value_name = "STYLE", num_args = 0..=1, default_missing_value = "text",
        conflicts_with = "print")]
    graph: Option<String>,
    /// Print the schemas of predictions in Avro, Protobuf or JSON Schema, as a registry would get
    /// them, each behind its topic and subject. No registry is asked.
    #[arg(long, conflicts_with_all = ["print", "graph"])]
    schemas: bool,
}

/// What `--graph` may be followed by; anything else is the pipeline.
const STYLES: [(&str, GraphStyle); 3] =
    [("text", GraphStyle::Text), ("dot", GraphStyle::Dot), ("mermaid", GraphStyle::Mermaid)];

impl Check {
    pub(super) fn execute(mut self, common: &Common) -> anyhow::Result<()> {
        let graph = self.graph.take().map(|word| {
            let style = STYLES.iter().find(|(name, _)| *name == word).map(|(_, style)| *style);
            style.unwrap_or_else(|| {
                self.manifests.insert(0, PathBuf::from(word));
                GraphStyle::Text
            })
        });
        let sandbox = common.sandbox()?;
        anyhow::ensure!(
            !self.print || self.manifests.len() == 1,
            "--print takes one pipeline, got {}",
            self.manifests.len()
        );
        anyhow::ensure!(
            graph.is_none() || self.manifests.len() == 1,
            "--graph takes one pipeline, got {}; styles are text, dot and mermaid",
            self.manifests.len()
        );
        let mut wrong = 0;
        for path in &self.manifests {
            match self.check(path, &sandbox, common) {
                // Only the manifest, for a file or another command.
                Ok(_) if self.print => {}
                Ok(plan) if self.schemas => {
                    for schema in plan.topic_schemas() {
                        say!("{schema}");
                        output::document(&format!("{}\n", schema.schema.text.trim_end()));
                    }
                }
                Ok(plan) => match graph {
                    Some(style) => output::text(plan.picture().show(style)),
                    None => say!("{}: ok: {plan}", path.display()),
                },
                Err(error) => {
                    wrong += 1;
                    complain!("{error:#}");
                }
            }
        }
        anyhow::ensure!(wrong == 0, "{wrong} of {} pipelines cannot run", self.manifests.len());
        Ok(())
    }

    fn check(&self, path: &Path, sandbox: &Sandbox, common: &Common) -> anyhow::Result<Plan> {
        let definition = Definition::new(common.manifest(path)?, common.cache_folder());
        if self.print {
            output::document(&definition.manifest.print());
        }
        Ok(Plan::anew(&definition, sandbox)?)
    }
}
