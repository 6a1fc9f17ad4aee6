//! The archive of Kafka's classes, with which its JVMs start in a third of the time.
//!
//! Half of what a test's broker costs is its start, most of that the loading and verifying of
//! some 9,000 classes. A JVM writes those it has loaded to a file when it ends, and another maps
//! them into its memory (class data sharing, JEP 350).

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::cluster::Cluster;
use super::installation::{Classes, Installation};
use super::lifetime::Lifetime;

impl Installation {
    /// The same with the archive, which a broker writes that is started and stopped for it, if
    /// there is none yet. Without one all works, only slower: a failure is told.
    pub fn archived(self) -> Self {
        let Some(archive) = self.missing_archive() else { return self };
        match self.record(&archive) {
            Ok(()) => self.with_classes(Classes::Archive(archive)),
            Err(error) => {
                eprintln!("Apache Kafka starts slower than it could: {error:#}");
                self
            }
        }
    }

    fn record(&self, archive: &Path) -> Result<()> {
        // Another process may do the same at this moment: each has its own until the rename.
        let process = std::process::id();
        let recording = archive.with_extension(process.to_string());
        let recorder = self.with_classes(Classes::Record(recording.clone()));
        let name = format!("classes-{process}");
        let mut cluster = Cluster::start(&recorder, &name, 1, None, Lifetime::Ours)?;
        cluster.stop_broker(0)?;
        fs::rename(&recording, archive)
            .with_context(|| format!("Java has not written {}", recording.display()))
    }
}
