//! Options of every verb.

use std::path::{Path, PathBuf};

use clap::Args;

use super::prepare;

use sandbar_manifest::{Manifest, Trust};
use sandbar_sandbox::{Sandbox, cache};
use sandbar_telemetry::LogFormat;

/// Options of every verb.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// What is logged to standard error: a level, or levels by module
    /// ("info,sandbar=debug"; what operators print is "sandbar::operator").
    /// [default: info; of `sandbar test`: what operators print, and errors]
    #[arg(long, global = true, env = "SANDBAR_LOG", value_name = "FILTER")]
    pub(super) log: Option<String>,
    /// The form of log lines.
    #[arg(long, global = true, value_enum, default_value = "text", env = "SANDBAR_LOG_FORMAT")]
    pub(super) log_format: LogFormat,
    /// Folder for compiled components, which must belong to you and be writable by
    /// nobody else. [default: sandbar/components in your cache folder]
    #[arg(long, global = true, env = "SANDBAR_CACHE", value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// Trust manifests: let them set properties of librdkafka, and options of object stores,
    /// that load code, start programs, or send and write files. Without it such a manifest is
    /// refused (docs/reference/manifest.md).
    // Not from the environment: it is about the manifests of one command.
    #[arg(long, global = true)]
    allow_native: bool,
}

impl Common {
    /// What manifests may bring.
    pub(super) fn trust(&self) -> Trust {
        if self.allow_native { Trust::Native } else { Trust::Data }
    }

    /// Reads a pipeline's manifest.
    pub(super) fn manifest(&self, path: &Path) -> anyhow::Result<Manifest> {
        Ok(Manifest::load_trusting(path, self.trust())?)
    }

    pub(super) fn sandbox(&self) -> anyhow::Result<Sandbox> {
        let sandbox = Sandbox::new(self.cache_folder())?;
        Ok(match prepare::child() {
            Some(child) => sandbox.with_child(child),
            None => sandbox,
        })
    }

    pub(super) fn cache_folder(&self) -> Option<PathBuf> {
        self.cache.clone().or_else(cache::default_folder)
    }
}
