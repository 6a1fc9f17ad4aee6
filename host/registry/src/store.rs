//! A registry's requests to its store, each with a timeout.

use std::future::Future;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Error, GetResult, ObjectStore, ObjectStoreExt, PutMode, PutPayload};

use super::error::Cause;
use sandbar_model::http::{Runtime, explain};

/// The timeout of a request with a small response.
const PATIENCE: Duration = Duration::from_secs(30);
/// The lowest acceptable speed, in bytes per second.
const SLOWEST: u64 = 100_000;
/// Objects of one listing at most.
const MOST: usize = 100_000;

/// A store, and the thread that runs its requests.
pub(super) struct Objects {
    store: Box<dyn ObjectStore>,
    /// Where the objects are files of this machine.
    folder: Option<PathBuf>,
    runtime: Runtime,
}

/// Why a request failed.
pub(super) struct StoreError {
    pub(super) cause: Cause,
    pub(super) reason: String,
}

/// One object of a listing.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) size: u64,
    pub(super) modified: SystemTime,
}

impl Objects {
    pub(super) fn new(
        store: Box<dyn ObjectStore>,
        folder: Option<PathBuf>,
    ) -> Result<Self, String> {
        let runtime =
            Runtime::start().map_err(|error| format!("cannot start the client thread: {error}"))?;
        Ok(Objects { store, folder, runtime })
    }

    fn wait<T>(
        &self,
        most: Duration,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let late = || StoreError {
            cause: Cause::Unreachable,
            reason: format!("no answer within {} s", most.as_secs()),
        };
        let limited = async { tokio::time::timeout(most, request).await };
        self.runtime.handle().block_on(limited).unwrap_or_else(|_| Err(late()))
    }

    async fn get(&self, key: &str) -> Result<Option<GetResult>, StoreError> {
        // object_store opens whatever is there, and would wait for a pipe.
        if let Some(folder) = &self.folder
            && let Err(error) = sandbar_files::open(&folder.join(key))
            && matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::IsADirectory)
        {
            return Err(StoreError { cause: Cause::Corrupt, reason: format!("{key}: {error}") });
        }
        match self.store.get(&Path::from(key)).await {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The content of a small object; `None` if it does not exist.
    pub(super) fn read(&self, key: &str, limit: u64) -> Result<Option<Bytes>, StoreError> {
        self.wait(PATIENCE, async {
            let Some(found) = self.get(key).await? else { return Ok(None) };
            let mut pieces = found.into_stream();
            let mut bytes = Vec::new();
            // The store may report a wrong size.
            while let Some(piece) = pieces.next().await.transpose()? {
                if (bytes.len() + piece.len()) as u64 > limit {
                    return Err(too_large(key, limit));
                }
                bytes.extend_from_slice(&piece);
            }
            Ok(Some(bytes.into()))
        })
    }

    /// Copies an object to `to`, at most `limit` bytes of it; returns whether it exists.
    pub(super) fn download(
        &self,
        key: &str,
        limit: u64,
        to: &mut impl Write,
    ) -> Result<bool, StoreError> {
        let found = self.wait(PATIENCE, self.get(key))?;
        let Some(found) = found else { return Ok(false) };
        let mut pieces = found.into_stream();
        let mut written = 0;
        let next = |pieces: &mut futures_util::stream::BoxStream<'static, _>| {
            self.wait(PATIENCE, async { Ok(pieces.next().await.transpose()?) })
        };
        while let Some(piece) = next(&mut pieces)? {
            let piece: Bytes = piece;
            written += piece.len() as u64;
            if written > limit {
                return Err(too_large(key, limit));
            }
            to.write_all(&piece).map_err(|error| StoreError {
                cause: Cause::Refused,
                reason: format!("cannot write to the cache: {error}"),
            })?;
        }
        Ok(true)
    }

    /// Writes an object if it does not exist; returns whether this call wrote it. An existing
    /// object with the same bytes counts as written: the response may have been lost.
    pub(super) fn create(&self, key: &str, bytes: Vec<u8>) -> Result<bool, StoreError> {
        let bytes = Bytes::from(bytes);
        let payload = PutPayload::from(bytes.clone());
        let created = self.wait(PATIENCE, async {
            match self.store.put_opts(&Path::from(key), payload, PutMode::Create.into()).await {
                Ok(_) => Ok(true),
                Err(Error::AlreadyExists { .. }) => Ok(false),
                Err(error) => Err(error.into()),
            }
        })?;
        Ok(created || self.read(key, bytes.len() as u64).is_ok_and(|found| found == Some(bytes)))
    }

    /// Writes an object, replacing an existing one.
    pub(super) fn put(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        let most = PATIENCE + Duration::from_secs(bytes.len() as u64 / SLOWEST);
        self.wait(most, async {
            self.store.put(&Path::from(key), bytes.into()).await.map(drop).map_err(Into::into)
        })
    }

    /// Size and age of an object, if it exists.
    pub(super) fn look(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.wait(PATIENCE, async {
            match self.store.head(&Path::from(key)).await {
                Ok(meta) => Ok(Some(meta.into())),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Removes an object, if it exists.
    pub(super) fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.wait(PATIENCE, async {
            match self.store.delete(&Path::from(key)).await {
                Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// All objects below a folder.
    pub(super) fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError> {
        let prefix = Path::from(folder);
        let list = self.store.list(Some(&prefix)).map_ok(Entry::from).take(MOST + 1);
        let most = PATIENCE * 10;
        let entries = self.wait(most, async {
            match list.try_collect::<Vec<Entry>>().await {
                Err(Error::NotFound { .. }) => Ok(Vec::new()),
                other => Ok(other?),
            }
        })?;
        if entries.len() > MOST {
            return Err(StoreError {
                cause: Cause::Corrupt,
                reason: format!("more than {MOST} objects below {folder}"),
            });
        }
        Ok(entries)
    }

    /// The names of the folders in a folder.
    pub(super) fn folders(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let prefix = Path::from(folder);
        self.wait(PATIENCE, async {
            let listed = match self.store.list_with_delimiter(Some(&prefix)).await {
                Err(Error::NotFound { .. }) => return Ok(Vec::new()),
                other => other?,
            };
            let last = |path: &Path| path.filename().map(str::to_owned);
            Ok(listed.common_prefixes.iter().filter_map(last).take(MOST).collect())
        })
    }
}

fn too_large(key: &str, limit: u64) -> StoreError {
    StoreError {
        cause: Cause::Corrupt,
        reason: format!("{key} is larger than the limit of {limit} bytes"),
    }
}

impl From<object_store::ObjectMeta> for Entry {
    fn from(meta: object_store::ObjectMeta) -> Self {
        Entry {
            key: meta.location.to_string(),
            size: meta.size,
            modified: meta.last_modified.into(),
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let cause = match error {
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Cause::Denied,
            Error::NotFound { .. } => Cause::Missing,
            Error::AlreadyExists { .. } | Error::Precondition { .. } => Cause::Conflict,
            Error::Generic { .. } | Error::JoinError { .. } => Cause::Unreachable,
            _ => Cause::Refused,
        };
        StoreError { cause, reason: explain(&error) }
    }
}
