//! A pipeline and its brokers, for verbs that use its topics without running it.

use std::path::PathBuf;

use clap::Args;
use sandbar_kafka::config::Connection;
use sandbar_manifest::Manifest;

use super::common::Common;

/// The pipeline and its brokers.
#[derive(Debug, Args)]
pub(super) struct PipelineArgs {
    /// The pipeline's manifest, which names the topics.
    #[arg(value_name = "PIPELINE")]
    manifest: PathBuf,
    /// The brokers, "host:port" separated by commas, instead of the manifest's.
    #[arg(long, value_name = "HOST:PORT,...", env = "SANDBAR_BROKERS")]
    brokers: Option<String>,
}

impl PipelineArgs {
    pub(super) fn open(&self, common: &Common) -> anyhow::Result<(Manifest, Connection)> {
        let manifest = common.manifest(&self.manifest)?;
        manifest.secrets()?;
        let connection = Connection {
            brokers: manifest.brokers(self.brokers.as_deref())?.to_owned(),
            ..Connection::of(&manifest)
        };
        Ok((manifest, connection))
    }
}
