//! Leases: a running pipeline records which versions it uses, and renews the record while it
//! runs, so that they are not removed. The lease of a killed runner
//! expires.

use std::collections::BTreeSet;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::error::RegistryError;
use super::version::ArtifactKind;
use crate::format::FORMAT;
use crate::keys;
use crate::registry::Registry;
use crate::time::now;
use sandbar_files::limits;

/// How long a lease holds.
const HOLDS: Duration = Duration::from_secs(15 * 60);
/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(5 * 60);
/// How long a runner that ends waits for the registry to remove its lease.
const GOODBYE: Duration = Duration::from_secs(2);

/// The versions that one runner uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Uses {
    /// The format of this description.
    pub format: u32,
    /// The pipeline's name.
    pub pipeline: String,
    /// The machine and the process.
    pub runner: String,
    /// When it expires, by the runner's clock.
    #[serde(with = "humantime_serde")]
    pub until: SystemTime,
    /// The versions.
    pub versions: BTreeSet<Used>,
}

/// A version that is used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Used {
    /// A model or an operator.
    #[serde(rename = "sort")]
    pub kind: ArtifactKind,
    /// Its name.
    pub name: String,
    /// The version's number.
    pub version: u32,
}

impl Registry {
    /// All leases that have not expired.
    ///
    /// # Errors
    /// If that cannot be read.
    pub fn uses(&self) -> Result<Vec<Uses>, RegistryError> {
        let listed = self.objects.list(keys::USES);
        let listed = listed.map_err(|trouble| self.error("leases", trouble))?;
        let mut uses = Vec::new();
        for entry in listed.iter().filter(|entry| entry.key.ends_with(".json")) {
            // A lease that no longer exists was released.
            let read: Option<Uses> = self.json(&entry.key, "leases")?;
            uses.extend(read.filter(|it| it.until > SystemTime::now()));
        }
        Ok(uses)
    }
}

/// A lease. It is released on drop.
pub struct Lease {
    used: Arc<Mutex<BTreeSet<Used>>>,
    wake: Option<Sender<()>>,
    /// Disconnected once the lease is released.
    done: Mutex<Receiver<()>>,
}

impl Lease {
    /// Takes a lease and renews it, on its own thread. If the registry cannot be
    /// written, a warning is logged and the pipeline runs all the same.
    pub fn hold(registry: Arc<Registry>, pipeline: &str, used: BTreeSet<Used>) -> Self {
        let host = host();
        // Two containers may have the same name and process.
        let runner = format!("{host}-{}-{:08x}", std::process::id(), rand::random::<u32>());
        let runner = runner.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "-");
        let (pipeline, used) = (pipeline.to_owned(), Arc::new(Mutex::new(used)));
        let (wake, woken) = mpsc::channel();
        let (ending, done) = mpsc::channel::<()>();
        let shared = used.clone();
        let renew = move || {
            let key = keys::uses(&runner);
            loop {
                let versions = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let uses = Uses {
                    format: FORMAT,
                    pipeline: pipeline.clone(),
                    runner: runner.clone(),
                    until: now() + HOLDS,
                    versions,
                };
                let written = registry.encode("leases", &uses).and_then(|bytes| {
                    let put = registry.objects.put(&key, bytes.into());
                    put.map_err(|trouble| registry.error("leases", trouble))
                });
                if let Err(error) = written {
                    tracing::warn!(%error, "cannot write the lease, garbage collection may remove versions in use");
                }
                match woken.recv_timeout(RENEWED) {
                    Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            let _ = registry.objects.remove(&key);
            drop(ending);
        };
        let thread = std::thread::Builder::new().name("sandbar-lease".into()).spawn(renew);
        if let Err(error) = &thread {
            tracing::warn!(%error, "cannot write the lease, garbage collection may remove versions in use");
        }
        Lease { used, wake: Some(wake), done: Mutex::new(done) }
    }

    /// Changes the versions in use.
    pub fn set(&self, used: BTreeSet<Used>) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = used;
        if let Some(wake) = &self.wake {
            let _ = wake.send(());
        }
    }
}

/// The machine's name, from the system or the environment.
pub fn host() -> String {
    let file = sandbar_files::read_text("/proc/sys/kernel/hostname".as_ref(), limits::SYSTEM).ok();
    let name = file.or_else(|| std::env::var("HOSTNAME").ok());
    name.map(|name| name.trim().to_owned()).unwrap_or_else(|| "runner".to_owned())
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.wake = None;
        // It expires if the registry is unreachable.
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = done.recv_timeout(GOODBYE);
    }
}
