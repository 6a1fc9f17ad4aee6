//! The location of a registry.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use url::Url;

use super::clouds;
use super::error::Cause;
use super::store::Objects;
use crate::s3::{retry, s3};
use sandbar_model::http::{explain, shown};

/// The timeout for all attempts of one request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The location of a registry: a folder, or a bucket and a prefix in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location(LocationKind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum LocationKind {
    Folder(PathBuf),
    Store(Url),
}

type Refusal = (Cause, String);

impl Location {
    /// Parses a path, relative to `base`, or a URL.
    ///
    /// # Errors
    /// If it is neither: why, and what to do.
    pub fn parse(text: &str, base: &Path) -> Result<Self, (Cause, String)> {
        let refuse = |reason: &str| {
            let form = "name a folder, or a URL such as s3://bucket/prefix";
            Err((Cause::Refused, format!("{reason}; {form}")))
        };
        if text.trim().is_empty() {
            return refuse("the location is empty");
        }
        if !text.contains("://") {
            return Ok(Location(LocationKind::Folder(base.join(text))));
        }
        let Ok(url) = Url::parse(text) else { return refuse("not a valid URL") };
        match url.scheme() {
            "file" => match url.to_file_path() {
                Ok(path) => Ok(Location(LocationKind::Folder(path))),
                Err(()) => refuse("not a path on this machine"),
            },
            "s3" | "gs" | "az" if url.host_str().is_none_or(str::is_empty) => {
                refuse("the URL names no bucket")
            }
            "s3" | "gs" | "az"
                if url.query().is_some() || url.fragment().is_some() || has_user(&url) =>
            {
                refuse("a bucket URL has no user, query or fragment")
            }
            "s3" | "gs" | "az" => Ok(Location(LocationKind::Store(url))),
            other => refuse(&format!("unsupported URL scheme '{other}'")),
        }
    }

    /// Opens the store; with `make`, creates a folder that does not exist.
    pub(super) fn open(
        &self,
        options: &BTreeMap<String, String>,
        make: bool,
    ) -> Result<Objects, (Cause, String)> {
        let wrong = |error: object_store::Error| (Cause::Refused, explain(&error));
        let store: Box<dyn ObjectStore> = match &self.0 {
            LocationKind::Folder(folder) => {
                if let Some(name) = options.keys().next() {
                    return Err((
                        Cause::Refused,
                        format!("unknown option '{name}': a folder has no options"),
                    ));
                }
                open_folder(folder, make)?;
                let store = LocalFileSystem::new_with_prefix(folder).map_err(wrong)?;
                Box::new(store.with_fsync(true))
            }
            LocationKind::Store(url) => {
                let client =
                    sandbar_model::http::client().map_err(|reason| (Cause::Refused, reason))?;
                let bucket = url.host_str().unwrap_or_default();
                let store = match url.scheme() {
                    "gs" => clouds::google(bucket, options, retry(TIMEOUT), &client),
                    "az" => clouds::azure(bucket, options, retry(TIMEOUT), &client),
                    _ => s3(bucket, options, TIMEOUT, &client)
                        .map(|store| Box::new(store) as Box<dyn ObjectStore>),
                };
                let store = store.map_err(|reason| (Cause::Refused, reason))?;
                let prefix = object_store::path::Path::from_url_path(url.path().trim_matches('/'));
                let prefix = prefix.map_err(|error| (Cause::Refused, error.to_string()))?;
                Box::new(PrefixStore::new(store, prefix))
            }
        };
        let folder = match &self.0 {
            LocationKind::Folder(folder) => Some(folder.clone()),
            LocationKind::Store(_) => None,
        };
        Objects::new(store, folder).map_err(|reason| (Cause::Refused, reason))
    }
}

fn open_folder(folder: &Path, make: bool) -> Result<(), Refusal> {
    if make {
        std::fs::create_dir_all(folder)
            .map_err(|error| (Cause::Refused, format!("cannot create the folder: {error}")))?;
    }
    match std::fs::metadata(folder) {
        Ok(about) if about.is_dir() => Ok(()),
        Ok(_) => Err((Cause::Refused, "not a folder".into())),
        // An unavailable network drive looks like this.
        Err(error) => {
            let way_out = "correct the path; the first `add` creates the folder";
            Err((Cause::Unreachable, format!("{error}; {way_out}")))
        }
    }
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            LocationKind::Folder(folder) => write!(f, "{}", folder.display()),
            LocationKind::Store(url) => f.write_str(&shown(url)),
        }
    }
}
