//! One file, from a server or a folder into a model's folder: resumed where an earlier
//! attempt was interrupted, and put in place only once it is verified.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, LOCATION, RANGE};
use thiserror::Error;
use url::Url;

use super::digest::{Sha1, Sha256};
use crate::http::{Runtime, client, explain, shown};

/// Redirects that are followed.
const REDIRECTS: usize = 10;
/// Attempts in a row that may get no data.
const ATTEMPTS: u32 = 3;
/// After the first of them; it grows with each.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a server may send nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownloadSource {
    /// On a server.
    Url(Url),
    /// In a folder of this machine.
    File(PathBuf),
}

impl std::fmt::Display for DownloadSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DownloadSource::Url(url) => f.write_str(&shown(url)),
            DownloadSource::File(path) => path.display().fmt(f),
        }
    }
}

/// What a file must be.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// Its size, if that is known.
    pub size: Option<u64>,
    /// Bytes that are accepted at most.
    pub limit: u64,
    /// Its SHA-256 digest, if that is known.
    pub sha256: Option<Sha256>,
    /// Its SHA-1 digest, if that is known.
    pub sha1: Option<Sha1>,
}

/// Why a file could not be downloaded.
#[derive(Debug, Error)]
#[error("{from}: {reason}")]
pub struct DownloadError {
    /// The server or folder.
    pub from: String,
    /// What is wrong, and what to do.
    pub reason: String,
}

/// Called with the bytes downloaded and the total.
pub type DownloadProgress<'a> = dyn FnMut(u64, Option<u64>) + 'a;

/// A complete and verified file, under a temporary name until it
/// is put in place.
#[derive(Debug)]
pub struct Downloaded(PathBuf);

impl Downloaded {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// Those of the system.
    pub fn put(self, target: &Path) -> std::io::Result<()> {
        std::fs::rename(&self.0, target)
    }
}

/// Downloads a file, into `part` first; that is kept if the connection breaks, for the
/// next attempt to resume.
///
/// # Errors
/// If it cannot be downloaded, or is not the expected one.
pub fn download(
    source: &DownloadSource,
    part: PathBuf,
    expected: &Expected,
    progress: &mut DownloadProgress<'_>,
) -> Result<Downloaded, DownloadError> {
    let wrong = |reason: String| DownloadError { from: source.to_string(), reason };
    let mut file = sandbar_files::open_part(&part)
        .map_err(|error| wrong(format!("{}: {error}", part.display())))?;
    match file.try_lock() {
        Ok(()) | Err(TryLockError::Error(_)) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(wrong(format!("{} is being written by another pull", part.display())));
        }
    }
    let old = file.metadata().map_or(0, |about| about.len());
    let mut resumed = old > 0;
    loop {
        let result = match source {
            DownloadSource::Url(url) => fetch(url, &mut file, expected, progress),
            DownloadSource::File(path) => copy(path, &mut file, expected, progress),
        };
        match result.and_then(|()| verify(&mut file, expected)) {
            Ok(()) => break,
            // The existing part may be of another file: again, from the start.
            Err(Fault::Wrong(_)) if resumed => resumed = false,
            Err(Fault::Broken(reason)) => {
                return Err(wrong(format!("{reason}; pull again to resume the download")));
            }
            Err(Fault::Wrong(reason) | Fault::Refused(reason)) => {
                // Nothing to resume from.
                let _ = std::fs::remove_file(&part);
                return Err(wrong(reason));
            }
        }
        file.set_len(0).map_err(|error| wrong(error.to_string()))?;
    }
    file.sync_all().map_err(|error| wrong(format!("{}: {error}", part.display())))?;
    Ok(Downloaded(part))
}

/// A file from an archive, if it is the expected one.
///
/// # Errors
/// If it is not, or cannot be read.
pub(super) fn check(part: &Path, expected: &Expected) -> Result<Downloaded, String> {
    let mut file = sandbar_files::open(part).map_err(|error| error.to_string())?;
    match verify(&mut file, expected) {
        Ok(()) => Ok(Downloaded(part.to_owned())),
        Err(Fault::Broken(reason) | Fault::Wrong(reason) | Fault::Refused(reason)) => Err(reason),
    }
}

/// Why an attempt failed.
enum Fault {
    /// It can be resumed.
    Broken(String),
    /// It got an unexpected file.
    Wrong(String),
    /// It can never succeed.
    Refused(String),
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Fault::Broken(format!("the file cannot be written: {error}"))
    }
}

fn copy(
    path: &Path,
    file: &mut File,
    expected: &Expected,
    progress: &mut DownloadProgress<'_>,
) -> Result<(), Fault> {
    file.set_len(0)?;
    file.rewind()?;
    let from = sandbar_files::open(path).map_err(|error| Fault::Refused(error.to_string()))?;
    let about = from.metadata().map_err(|error| Fault::Refused(error.to_string()))?;
    let mut from = from.take(expected.limit + 1);
    let (mut buffer, mut done) = (vec![0; 1 << 20], 0);
    loop {
        let read = from.read(&mut buffer).map_err(|error| Fault::Refused(error.to_string()))?;
        if read == 0 {
            return Ok(());
        }
        done += read as u64;
        within(done, expected)?;
        file.write_all(&buffer[..read])?;
        progress(done, Some(about.len()));
    }
}

fn fetch(
    url: &Url,
    file: &mut File,
    expected: &Expected,
    progress: &mut DownloadProgress<'_>,
) -> Result<(), Fault> {
    let runtime = Runtime::start().map_err(|error| Fault::Refused(error.to_string()))?;
    let client = client().map_err(Fault::Refused)?;
    runtime.handle().block_on(async {
        let mut vain = 0;
        loop {
            let before = file.metadata()?.len();
            let reason = match attempt(&client, url, file, expected, progress).await {
                Err(Fault::Broken(reason)) => reason,
                result => return result,
            };
            vain = if file.metadata()?.len() > before { 0 } else { vain + 1 };
            if vain == ATTEMPTS {
                return Err(Fault::Broken(reason));
            }
            tokio::time::sleep(PAUSE * (vain + 1)).await;
        }
    })
}

/// One request, for the rest of the file.
async fn attempt(
    client: &reqwest::Client,
    url: &Url,
    file: &mut File,
    expected: &Expected,
    progress: &mut DownloadProgress<'_>,
) -> Result<(), Fault> {
    let mut there = file.metadata()?.len();
    if expected.size.is_some_and(|size| there >= size) || there > expected.limit {
        if expected.size == Some(there) {
            return Ok(());
        }
        file.set_len(0)?;
        there = 0;
    }
    let mut response = ask(client, url, there).await?;
    match response.status() {
        StatusCode::PARTIAL_CONTENT if starts_at(&response, there) => {}
        StatusCode::OK => there = 0,
        StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PARTIAL_CONTENT if there > 0 => {
            // If the size is unknown, it may be complete: the digest shows it.
            return if expected.size.is_none() {
                Ok(())
            } else {
                Err(Fault::Wrong("the server cannot resume the download".into()))
            };
        }
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            return Err(Fault::Broken(format!("the server answered {status}")));
        }
        status => return Err(Fault::Refused(format!("the server answered {status}"))),
    }
    file.set_len(there)?;
    file.seek(std::io::SeekFrom::Start(there))?;
    let total = response.content_length().map(|rest| there + rest);
    if let (Some(total), Some(size)) = (total, expected.size)
        && total != size
    {
        return Err(Fault::Wrong(format!("expected {size} bytes, the server has {total}")));
    }
    loop {
        let piece = tokio::time::timeout(SILENCE, response.chunk()).await;
        let piece = piece
            .map_err(|_| Fault::Broken(format!("no data for {SILENCE:?}, after {there} bytes")))?
            .map_err(|error| {
                let cause = explain(&error.without_url());
                Fault::Broken(format!("connection lost after {there} bytes: {cause}"))
            })?;
        let Some(piece) = piece else { return Ok(()) };
        there += piece.len() as u64;
        within(there, expected)?;
        file.write_all(&piece)?;
        progress(there, total);
    }
}

/// Requests a file from the byte `start`, following redirects; but from
/// https only to https.
async fn ask(client: &reqwest::Client, url: &Url, start: u64) -> Result<reqwest::Response, Fault> {
    let mut at = url.clone();
    for _ in 0..=REDIRECTS {
        let mut request = client.get(at.clone());
        if start > 0 {
            request = request.header(RANGE, format!("bytes={start}-"));
        }
        let response = tokio::time::timeout(SILENCE, request.send()).await;
        let response = response
            .map_err(|_| Fault::Broken(format!("no answer within {SILENCE:?}")))?
            .map_err(|error| Fault::Broken(explain(&error.without_url())))?;
        if !response.status().is_redirection() {
            return Ok(response);
        }
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let next = location.and_then(|location| at.join(location).ok()).ok_or_else(|| {
            Fault::Refused(format!(
                "the server answered {} without a valid Location header",
                response.status()
            ))
        })?;
        let secure = next.scheme() == "https" || (next.scheme() == "http" && at.scheme() == "http");
        if !secure {
            return Err(Fault::Refused(format!(
                "redirected to {}, which is not https",
                shown(&next)
            )));
        }
        at = next;
    }
    Err(Fault::Refused(format!("more than {REDIRECTS} redirects, the last to {}", shown(&at))))
}

/// Whether the response is the requested part of the file.
fn starts_at(response: &reqwest::Response, start: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let first = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('-'));
    first.is_some_and(|(first, _)| first.parse() == Ok(start))
}

fn within(size: u64, expected: &Expected) -> Result<(), Fault> {
    let most = expected.size.unwrap_or(expected.limit).min(expected.limit);
    if size > most {
        return Err(Fault::Wrong(format!("more than the expected {most} bytes")));
    }
    Ok(())
}

/// Compares the file with what is expected.
fn verify(file: &mut File, expected: &Expected) -> Result<(), Fault> {
    let differs = |what: &str, found: String, expected: String| {
        Err(Fault::Wrong(format!(
            "expected {what} {expected}, got {found}; the model folder is unchanged: try a mirror with --from, or correct model.toml"
        )))
    };
    let size = file.metadata()?.len();
    if let Some(known) = expected.size.filter(|known| *known != size) {
        return differs("size", size.to_string(), known.to_string());
    }
    if let Some(known) = expected.sha256 {
        file.rewind()?;
        let found = Sha256::of_reader(file)?;
        if found != known {
            return differs("sha256", found.to_string(), known.to_string());
        }
    } else if let Some(known) = expected.sha1 {
        file.rewind()?;
        let found = Sha1::of_reader(file)?;
        if found != known {
            return differs("sha1", found.to_string(), known.to_string());
        }
    }
    Ok(())
}
