//! The registry: immutable versions `name@N` of models and of operators, in a folder or
//! an object store that many machines share. `docs/reference/registry.md` describes the
//! layout.
//!
//! - [`location`], `store`: its location, and the few requests that it makes.
//! - [`reference`](mod@reference): `flights@3` and `flights@production`, as people write
//!   them.
//! - [`version`]: a version; [`draft`] makes one from a folder or a component, `add`
//!   gives it its number.
//! - [`aliases`]: names for versions, as a log that only grows.
//! - `fetch`: the files of a version into the local cache; [`supply`] for a pipeline.
//! - [`pins`]: the versions of a pipeline, by their digests.
//! - [`leases`]: which versions running pipelines use; [`gc`] removes the others.
//!
//! Whatever is read is untrusted until it is checked: names, paths, sizes and digests.
//! Every change is one object that is created only if it does not exist, so nothing is
//! locked, and the loser of a race gets an error.

mod add;
pub mod aliases;
mod clouds;
pub mod draft;
mod error;
mod fetch;
pub mod gc;
mod keys;
pub mod leases;
pub mod location;
pub mod pins;
pub mod reference;
mod store;
pub mod supply;
pub mod version;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

pub use add::Added;
pub use error::{Cause, RegistryError};
pub use reference::{DEFAULT_ALIAS, Reference, Target};
pub use version::{Sort, Version};

use crate::http::shown;
use location::Location;
use store::{Objects, Trouble};

/// Bytes of a description at most: of a version, with the names of its classes.
const JSON_LIMIT: u64 = 4 << 20;
/// The format of descriptions. Others are rejected.
const FORMAT: u32 = 1;

/// An open registry. Its calls block on the store.
pub struct Registry {
    location: String,
    objects: Objects,
}

impl Registry {
    /// Opens the registry at a location: a folder, relative to `base`, or a URL
    /// (`s3://bucket/prefix`, `file:///folder`). `options` are those of an object store and
    /// override the environment.
    ///
    /// # Errors
    /// If the location is invalid, the folder does not exist, or an option is unknown.
    pub fn open(
        location: &str,
        options: &BTreeMap<String, String>,
        base: &Path,
    ) -> Result<Self, RegistryError> {
        Self::at(location, options, base, false)
    }

    /// The same, creating the folder if needed.
    ///
    /// # Errors
    /// As [`Registry::open`], and if the folder cannot be created.
    pub fn create(
        location: &str,
        options: &BTreeMap<String, String>,
        base: &Path,
    ) -> Result<Self, RegistryError> {
        Self::at(location, options, base, true)
    }

    fn at(
        location: &str,
        options: &BTreeMap<String, String>,
        base: &Path,
        make: bool,
    ) -> Result<Self, RegistryError> {
        let parsed = Location::parse(location, base);
        let objects = parsed.and_then(|it| Ok((it.to_string(), it.open(options, make)?)));
        let (location, objects) = objects.map_err(|(cause, reason)| RegistryError {
            // An invalid location may be a URL with a key in it.
            registry: Url::parse(location).map_or_else(|_| location.to_owned(), |url| shown(&url)),
            subject: String::new(),
            reason,
            cause,
        })?;
        Ok(Registry { location, objects })
    }

    /// Its location, without secrets.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The names of its models or operators, in alphabetical order.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn names(&self, sort: Sort) -> Result<Vec<String>, RegistryError> {
        let names = self.objects.folders(sort.folder());
        let mut names = names.map_err(|trouble| self.error(sort.folder(), trouble))?;
        // There may be other objects too.
        names.retain(|name| crate::manifest::name_problem(name).is_none());
        names.sort();
        Ok(names)
    }

    /// The numbers of all versions of a name, ascending, each with when it was added and
    /// whether its files were removed.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn numbers(&self, sort: Sort, name: &str) -> Result<Vec<Number>, RegistryError> {
        let wrong = |trouble| self.error(&format!("{sort} {name}"), trouble);
        let removed = self.objects.list(&keys::removed_folder(sort, name)).map_err(wrong)?;
        let removed: Vec<u32> = removed.iter().filter_map(|it| keys::number(&it.key)).collect();
        let versions = self.objects.list(&keys::versions(sort, name)).map_err(wrong)?;
        let mut numbers: Vec<Number> = versions
            .iter()
            .filter_map(|it| {
                let number = keys::number(&it.key)?;
                let is_removed = removed.contains(&number);
                Some(Number { number, at: it.modified, removed: is_removed })
            })
            .collect();
        numbers.sort_by_key(|it| it.number);
        Ok(numbers)
    }

    /// One version, even if its files were removed.
    ///
    /// # Errors
    /// If it does not exist or is invalid.
    pub fn version(&self, sort: Sort, name: &str, number: u32) -> Result<Version, RegistryError> {
        let subject = format!("{sort} {name}@{number}");
        let read = self.json::<Version>(&keys::version(sort, name, number), &subject)?;
        let Some(version) = read else { return Err(self.missing(sort, name, number)) };
        version
            .check(sort, name, number)
            .map_err(|reason| self.refuse(&subject, Cause::Corrupt, reason))?;
        Ok(version)
    }

    /// The version that a reference resolves to now.
    ///
    /// # Errors
    /// If there is no such version or alias, or its files were removed.
    pub fn resolve(&self, sort: Sort, reference: &Reference) -> Result<Version, RegistryError> {
        let number = match &reference.target {
            Target::Version(number) => *number,
            Target::Alias(alias) => {
                let current = self.alias(sort, &reference.name, alias)?;
                current.ok_or_else(|| self.no_alias(sort, &reference.name, alias))?.version
            }
        };
        let version = self.version(sort, &reference.name, number)?;
        self.still_there(sort, &reference.name, number)?;
        Ok(version)
    }

    /// Checks that the files of a version were not removed.
    fn still_there(&self, sort: Sort, name: &str, number: u32) -> Result<(), RegistryError> {
        let subject = format!("{sort} {name}@{number}");
        let key = keys::removed(sort, name, number);
        match self.json::<gc::Removed>(&key, &subject)? {
            None => Ok(()),
            Some(removed) => Err(self.refuse(
                &subject,
                Cause::Missing,
                format!(
                    "its files were removed by {} at {}; use another version, or add it again",
                    removed.by,
                    time(removed.at)
                ),
            )),
        }
    }

    fn missing(&self, sort: Sort, name: &str, number: u32) -> RegistryError {
        let numbers = self.numbers(sort, name).unwrap_or_default();
        let instead = match numbers.last() {
            Some(last) => format!("the newest is {name}@{}", last.number),
            None => self.other_names(sort, name),
        };
        let reason = format!("no such version; {instead}");
        self.refuse(&format!("{sort} {name}@{number}"), Cause::Missing, reason)
    }

    fn no_alias(&self, sort: Sort, name: &str, alias: &str) -> RegistryError {
        let known = self.aliases(sort, name).unwrap_or_default();
        let known: Vec<&str> = known.keys().map(String::as_str).collect();
        let instead = match (known.is_empty(), self.numbers(sort, name).unwrap_or_default().last())
        {
            (false, _) => format!("known aliases are {}", known.join(", ")),
            (true, Some(last)) => format!(
                "set it with `sandbar {} promote {name} {}{}`",
                sort.folder(),
                last.number,
                if alias == DEFAULT_ALIAS { String::new() } else { format!(" --alias {alias}") }
            ),
            (true, None) => self.other_names(sort, name),
        };
        let reason = format!("no alias '{alias}'; {instead}");
        self.refuse(&format!("{sort} {name}"), Cause::Missing, reason)
    }

    fn other_names(&self, sort: Sort, name: &str) -> String {
        let Ok(names) = self.names(sort) else {
            return "cannot list the known names".to_owned();
        };
        let folder = sort.folder();
        match crate::manifest::document::nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("no {sort} has this name; did you mean '{near}'?"),
            None if names.is_empty() => {
                format!("the registry has no {folder}; add one with `sandbar {folder} add`")
            }
            None => format!("no {sort} has this name; known names are {}", names.join(", ")),
        }
    }

    /// A description, if it exists.
    fn json<T: DeserializeOwned>(
        &self,
        key: &str,
        subject: &str,
    ) -> Result<Option<T>, RegistryError> {
        let read = self.objects.read(key, JSON_LIMIT);
        let Some(bytes) = read.map_err(|trouble| self.error(subject, trouble))? else {
            return Ok(None);
        };
        let wrong = |reason: String| {
            let reason = format!("{key} is invalid: {reason}");
            self.refuse(subject, Cause::Corrupt, reason)
        };
        // The format first: another one has other keys.
        let value: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => {
                return Err(wrong(format!(
                    "unsupported format {format}, this version of Sandbar reads format {FORMAT}; use a newer one"
                )));
            }
            None => return Err(wrong("the key 'format' is missing".to_owned())),
        }
        // From the text, so that a duplicate key is rejected too.
        serde_json::from_slice(&bytes).map(Some).map_err(|error| wrong(error.to_string()))
    }

    /// Writes a description if none exists; returns whether it was written.
    fn claim<T: Serialize>(
        &self,
        key: &str,
        subject: &str,
        value: &T,
    ) -> Result<bool, RegistryError> {
        let bytes = self.encode(subject, value)?;
        self.objects.create(key, bytes).map_err(|trouble| self.error(subject, trouble))
    }

    fn encode<T: Serialize>(&self, subject: &str, value: &T) -> Result<Vec<u8>, RegistryError> {
        let mut bytes = serde_json::to_vec_pretty(value)
            .map_err(|error| self.refuse(subject, Cause::Refused, error.to_string()))?;
        bytes.push(b'\n');
        if bytes.len() as u64 > JSON_LIMIT {
            let reason = format!("its description has {} bytes; at most {JSON_LIMIT}", bytes.len());
            return Err(self.refuse(subject, Cause::Refused, reason));
        }
        Ok(bytes)
    }

    fn error(&self, subject: &str, trouble: Trouble) -> RegistryError {
        self.refuse(subject, trouble.cause, trouble.reason)
    }

    fn refuse(&self, subject: &str, cause: Cause, reason: impl Into<String>) -> RegistryError {
        RegistryError {
            registry: self.location.clone(),
            subject: subject.to_owned(),
            reason: reason.into(),
            cause,
        }
    }
}

/// The number of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// The number.
    pub number: u32,
    /// When it was added, by the store's clock.
    pub at: SystemTime,
    /// Whether its files were removed.
    pub removed: bool,
}

/// Now, to the millisecond, so that it is the same after a round trip.
fn now() -> SystemTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_millis(since.as_millis() as u64)
}

/// A time, for people.
pub fn time(at: SystemTime) -> String {
    humantime_serde::re::humantime::format_rfc3339_seconds(at).to_string()
}
