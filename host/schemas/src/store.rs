//! Schemas of a registry and of files, as guests may ask for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use sandbar_model::http::Runtime;
use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::answers::Answer;
use crate::cache::Cache;
use crate::client::Client;
use crate::key::Key;
use crate::references::resolve;
use crate::schema::{Cause, Reference, Schema, SchemaError};
use crate::subject::{SchemaId, SubjectSchema};

/// Bytes of schemas that another process is told of.
const TOLD: usize = 8 << 20;

/// The schemas of a pipeline.
pub struct Schemas {
    registry: Registry,
    /// The subjects that may be asked for.
    subjects: BTreeSet<String>,
    files: BTreeMap<String, Schema>,
    cache: Mutex<Cache>,
}

/// Where schemas come from that are not known yet.
enum Registry {
    /// Nowhere, for this reason.
    None(SchemaError),
    /// From its servers. The thread for requests is started by the first.
    Servers(Box<Client>, Duration, OnceLock<Result<Runtime, String>>),
}

/// What is known, for a process that can ask nobody.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    subjects: BTreeSet<String>,
    files: BTreeMap<String, Schema>,
    found: Vec<(Key, Schema)>,
}

impl Schemas {
    /// Schemas of a registry, of which operators may name `subjects`, and of files by name.
    /// Instead of a way to the registry there may be a reason why there is none.
    pub fn new(
        access: Result<Access, String>,
        subjects: BTreeSet<String>,
        files: BTreeMap<String, Schema>,
    ) -> Self {
        let registry = access.and_then(|access| {
            let client = Box::new(Client::new(&access)?);
            Ok(Registry::Servers(client, access.timeout, OnceLock::new()))
        });
        let registry = registry
            .unwrap_or_else(|reason| Registry::None(SchemaError::new(Cause::Unavailable, reason)));
        Schemas { registry, subjects, files, cache: Mutex::default() }
    }

    /// What another process knew; there is nobody to ask.
    pub fn offline(snapshot: Snapshot) -> Self {
        let Snapshot { subjects, files, found } = snapshot;
        let reason = "it was not known when the pipeline was prepared, and is asked for only when \
                      the pipeline serves: ask for it with the first record that needs it";
        let mut cache = Cache::default();
        for (key, schema) in found {
            cache.put(key, Ok(Arc::new(schema)), Instant::now());
        }
        Schemas {
            registry: Registry::None(SchemaError::new(Cause::Unavailable, reason)),
            subjects,
            files,
            cache: Mutex::new(cache),
        }
    }

    /// What is known, the newest first as far as there is room, after a look at the subjects
    /// that may be asked for. Those that cannot be found are not in it.
    pub fn snapshot(&self) -> Snapshot {
        let mut patience = self.timeout();
        for subject in &self.subjects {
            let start = Instant::now();
            _ = self.get(&Key::Subject(subject.clone(), None), patience);
            patience = patience.saturating_sub(start.elapsed());
        }
        let mut room = TOLD;
        let mut found = Vec::new();
        for (key, schema) in self.cache().newest() {
            room = room.saturating_sub(schema.size());
            if room == 0 {
                break;
            }
            found.push((key.clone(), Schema::clone(schema)));
        }
        Snapshot { subjects: self.subjects.clone(), files: self.files.clone(), found }
    }

    /// Time for one schema.
    pub fn timeout(&self) -> Duration {
        match &self.registry {
            Registry::None(_) => Duration::ZERO,
            Registry::Servers(_, timeout, _) => *timeout,
        }
    }

    /// A schema of the registry, for which the caller waits so long at the most.
    ///
    /// # Errors
    /// If it may not be asked for, there is none, or the registry does not answer in time.
    pub fn get(&self, key: &Key, patience: Duration) -> Result<Arc<Schema>, SchemaError> {
        let what = what(key);
        if let Key::Subject(subject, _) = key
            && !self.subjects.contains(subject)
        {
            let message = "operators may not ask for it; name it in `subjects` of [schemas]";
            return Err(SchemaError::new(Cause::Denied, message).about(&what));
        }
        let known = self.cache().get(key, Instant::now());
        if let Some((found, true)) = known {
            return found;
        }
        let found = self.ask(key, patience).map(Arc::new).map_err(|error| error.about(&what));
        if let Err(error) = &found
            && error.cause == Cause::Unavailable
        {
            // What was the latest version a minute ago will do.
            return match known {
                Some((Ok(schema), _)) => Ok(schema),
                _ => found,
            };
        }
        self.cache().put(key.clone(), found.clone(), Instant::now());
        found
    }

    fn ask(&self, key: &Key, patience: Duration) -> Result<Schema, SchemaError> {
        let (client, timeout, runtime) = self.registry()?;
        let patience = patience.min(timeout);
        if patience.is_zero() {
            let message = "not asked for: the call has waited for schemas as long as it may";
            return Err(SchemaError::new(Cause::Unavailable, message));
        }
        let deadline = Instant::now() + patience;
        runtime.handle().block_on(async {
            let answer: Result<Answer, SchemaError> = match key {
                Key::Id(id) => client.get(&["schemas", "ids", &id.to_string()], deadline).await,
                Key::Guid(guid) => {
                    client.get(&["schemas", "guids", &hyphened(guid)], deadline).await
                }
                Key::Subject(subject, version) => {
                    let version =
                        version.map_or("latest".to_owned(), |version| version.to_string());
                    client.get(&["subjects", subject, "versions", &version], deadline).await
                }
            };
            resolve(client, answer?, deadline).await
        })
    }

    /// What the registry knows a schema by under its subject. With `register` it is put there, if
    /// it is not there yet.
    ///
    /// # Errors
    /// If it is not there, the registry refuses it, or does not answer in time.
    pub fn id(&self, schema: &SubjectSchema, register: bool) -> Result<SchemaId, SchemaError> {
        let asked = || {
            let (client, timeout, runtime) = self.registry()?;
            let deadline = Instant::now() + timeout;
            runtime.handle().block_on(schema.id(client, register, deadline))
        };
        asked().map_err(|error| error.about(&format!("subject '{}'", schema.subject)))
    }

    /// Who is asked, how long, and the thread that asks.
    fn registry(&self) -> Result<(&Client, Duration, &Runtime), SchemaError> {
        let (client, timeout, runtime) = match &self.registry {
            Registry::None(reason) => return Err(reason.clone()),
            Registry::Servers(client, timeout, runtime) => (client, timeout, runtime),
        };
        let runtime = runtime.get_or_init(|| {
            Runtime::start().map_err(|error| format!("cannot start the client thread: {error}"))
        });
        let runtime = runtime
            .as_ref()
            .map_err(|reason| SchemaError::new(Cause::Unavailable, reason.as_str()))?;
        Ok((client, *timeout, runtime))
    }

    /// The files, by name.
    pub fn files(&self) -> &BTreeMap<String, Schema> {
        &self.files
    }

    /// A file, with the others of its language as its references.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn file(&self, name: &str) -> Result<Schema, SchemaError> {
        let Some(file) = self.files.get(name) else {
            let message = format!("no schema '{name}' in [schemas.files]; add it there");
            return Err(SchemaError::new(Cause::NotFound, message));
        };
        let others = self
            .files
            .iter()
            .filter(|(other, schema)| other.as_str() != name && schema.language == file.language);
        let references = others
            .map(|(name, schema)| Reference { name: name.clone(), text: schema.text.clone() });
        Ok(Schema { references: references.collect(), ..file.clone() })
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Schemas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schemas").field("subjects", &self.subjects).finish_non_exhaustive()
    }
}

/// A key, as it is said to people.
fn what(key: &Key) -> String {
    match key {
        Key::Id(id) => format!("the schema with id {id}"),
        Key::Guid(guid) => format!("the schema with guid {}", hyphened(guid)),
        Key::Subject(subject, None) => format!("the latest schema of subject '{subject}'"),
        Key::Subject(subject, Some(version)) => {
            format!("version {version} of subject '{subject}'")
        }
    }
}

/// A UUID as text.
fn hyphened(guid: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in guid.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text += &format!("{byte:02x}");
    }
    text
}
