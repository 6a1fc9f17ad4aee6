//! Leases: a running pipeline says which versions it uses, and says it again while it
//! runs, so that they are not removed. Whoever is killed says it no more, and the lease
//! ends by itself.

use std::collections::BTreeSet;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::error::RegistryError;
use super::version::Sort;
use super::{FORMAT, Registry, keys, now};

/// How long a lease holds.
const HOLDS: Duration = Duration::from_secs(15 * 60);
/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(5 * 60);
/// How long a runner that ends waits for a registry to take its lease back.
const GOODBYE: Duration = Duration::from_secs(2);

/// What one runner uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Uses {
    /// The form of this description.
    pub format: u32,
    /// The pipeline's name.
    pub pipeline: String,
    /// The machine and the process.
    pub runner: String,
    /// Until when this holds, by the runner's clock.
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
    pub sort: Sort,
    /// Its name.
    pub name: String,
    /// The version's number.
    pub version: u32,
}

impl Registry {
    /// What runners use whose leases hold.
    ///
    /// # Errors
    /// If that cannot be read.
    pub fn uses(&self) -> Result<Vec<Uses>, RegistryError> {
        let listed = self.objects.list(keys::USES);
        let listed = listed.map_err(|trouble| self.error("leases", trouble))?;
        let mut uses = Vec::new();
        for entry in listed.iter().filter(|entry| entry.key.ends_with(".json")) {
            // One that is not there any more was given back.
            let read: Option<Uses> = self.json(&entry.key, "leases")?;
            uses.extend(read.filter(|it| it.until > SystemTime::now()));
        }
        Ok(uses)
    }
}

/// A lease. It is given back when this is dropped.
pub struct Lease {
    used: Arc<Mutex<BTreeSet<Used>>>,
    wake: Option<Sender<()>>,
    /// Disconnected once the lease is given back.
    done: Mutex<Receiver<()>>,
}

impl Lease {
    /// Takes a lease and keeps it, on a thread of its own. A registry that does not let
    /// this one write is told of in an event, and the pipeline runs all the same.
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
                    tracing::warn!(%error, "cannot write the lease: garbage collection may remove versions in use");
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
            tracing::warn!(%error, "cannot write the lease: garbage collection may remove versions in use");
        }
        Lease { used, wake: Some(wake), done: Mutex::new(done) }
    }

    /// Uses these versions from now on.
    pub fn set(&self, used: BTreeSet<Used>) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = used;
        if let Some(wake) = &self.wake {
            let _ = wake.send(());
        }
    }
}

/// The machine's name, where the system or the environment tells it.
pub(crate) fn host() -> String {
    let file = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = file.or_else(|| std::env::var("HOSTNAME").ok());
    name.map(|name| name.trim().to_owned()).unwrap_or_else(|| "runner".to_owned())
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.wake = None;
        // It ends by itself where the registry does not answer.
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = done.recv_timeout(GOODBYE);
    }
}
