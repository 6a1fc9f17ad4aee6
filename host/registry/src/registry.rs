//! A registry that can be asked, and how its descriptions are read and written.

use std::collections::BTreeMap;
use std::path::Path;

use sandbar_model::http::shown;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::{Cause, RegistryError};
use crate::format::FORMAT;
use crate::location::Location;
use crate::store::{Objects, StoreError};

/// Bytes of a description at most: of a version, with the names of its classes.
const JSON_LIMIT: u64 = 4 << 20;

/// An open registry. Its calls block on the store.
pub struct Registry {
    location: String,
    pub(crate) objects: Objects,
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

    /// A description, if it exists.
    pub(crate) fn json<T: DeserializeOwned>(
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
    pub(crate) fn claim<T: Serialize>(
        &self,
        key: &str,
        subject: &str,
        value: &T,
    ) -> Result<bool, RegistryError> {
        let bytes = self.encode(subject, value)?;
        self.objects.create(key, bytes).map_err(|trouble| self.error(subject, trouble))
    }

    pub(crate) fn encode<T: Serialize>(
        &self,
        subject: &str,
        value: &T,
    ) -> Result<Vec<u8>, RegistryError> {
        let mut bytes = serde_json::to_vec_pretty(value)
            .map_err(|error| self.refuse(subject, Cause::Refused, error.to_string()))?;
        bytes.push(b'\n');
        if bytes.len() as u64 > JSON_LIMIT {
            let reason = format!("its description has {} bytes; at most {JSON_LIMIT}", bytes.len());
            return Err(self.refuse(subject, Cause::Refused, reason));
        }
        Ok(bytes)
    }

    pub(crate) fn error(&self, subject: &str, trouble: StoreError) -> RegistryError {
        self.refuse(subject, trouble.cause, trouble.reason)
    }

    pub(crate) fn refuse(
        &self,
        subject: &str,
        cause: Cause,
        reason: impl Into<String>,
    ) -> RegistryError {
        RegistryError {
            registry: self.location.clone(),
            subject: subject.to_owned(),
            reason: reason.into(),
            cause,
        }
    }
}
