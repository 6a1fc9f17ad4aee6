//! Downloads what a `model.toml` describes: the model's file, its labels and its samples.

use std::path::{Path, PathBuf};

use thiserror::Error;
use url::Url;

use super::digest::Sha256;
use super::download::{
    DownloadError, DownloadProgress, DownloadSource, Downloaded, Expected, check, download,
};
use super::error::ModelError;
use super::folder::DESCRIPTION;
use super::model::{LABELS_LIMIT, Model, SIZE_LIMIT};
use super::samples;
use super::zip::extract;

/// The state of a model's files in its folder.
#[derive(Debug)]
pub enum State {
    /// All files are present and right.
    Present,
    /// One of the model's file, its labels and its samples, their pictures included, is missing:
    /// this one.
    Absent(String),
    /// A file does not match the description.
    Wrong(ModelError),
}

impl State {
    /// Checks the files and their digests.
    pub fn of(model: &Model) -> State {
        let labels = model.labels.as_ref().map(|labels| &labels.file);
        let samples = model.samples.as_ref().map(|samples| &samples.file);
        for file in [Some(&model.file), labels, samples].into_iter().flatten() {
            if model.folder().join(file).symlink_metadata().is_err() {
                return State::Absent(file.clone());
            }
        }
        let pictures = model.sample_pictures().unwrap_or_default();
        for (file, _) in pictures {
            if model.folder().join(&file).symlink_metadata().is_err() {
                return State::Absent(file);
            }
        }
        let read = model.read().and_then(|_| model.read_labels());
        let read = read.and_then(|_| model.read_samples().map(drop));
        read.map_or_else(State::Wrong, |()| State::Present)
    }

    /// `present`, `absent` or `wrong`.
    pub fn as_str(&self) -> &'static str {
        match self {
            State::Present => "present",
            State::Absent(_) => "absent",
            State::Wrong(_) => "wrong",
        }
    }
}

/// A mirror instead of the URLs in `model.toml`, with files of the same names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mirror {
    /// A folder.
    Folder(PathBuf),
    /// A URL that ends with `/`.
    Url(Url),
}

impl std::str::FromStr for Mirror {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.contains("://") {
            return Ok(Mirror::Folder(text.into()));
        }
        let mut url = http(text)?;
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Mirror::Url(url))
    }
}

fn http(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("'{text}' is not a URL: {error}"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(format!("unsupported URL '{text}'; use https:// or http://")),
    }
}

/// Why a model could not be pulled.
#[derive(Debug, Error)]
pub enum PullError {
    /// The description has no URL for a file.
    #[error("{file}: {description} has no 'url' for it; add one, or name a mirror with --from", description = description.display())]
    Nowhere {
        /// The file.
        file: String,
        /// The path of `model.toml`.
        description: PathBuf,
    },
    /// A URL is invalid.
    #[error("{description}: {reason}", description = description.display())]
    Url {
        /// The path of `model.toml`.
        description: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A different file of that name exists.
    #[error("{0}; --force replaces it")]
    InTheWay(ModelError),
    /// The file cannot be downloaded.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// The archive does not hold it.
    #[error("{from}: {reason}")]
    Archive {
        /// The archive's origin.
        from: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It cannot be put in place.
    #[error("{path}: {cause}", path = path.display())]
    Put {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// All files are present, but they are not a valid model.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// A pull into a model's folder.
pub struct Pull<'a> {
    /// The model.
    pub model: &'a Model,
    /// The mirror to use instead of the URLs in `model.toml`.
    pub mirror: Option<&'a Mirror>,
    /// Whether existing files are replaced.
    pub force: bool,
}

impl Pull<'_> {
    /// Downloads the missing files. `report` is called with the name of each file that is being
    /// downloaded, and its progress.
    ///
    /// # Errors
    /// If a file cannot be downloaded or is not the expected one: nothing is put in place
    /// that was not compared with its digest.
    pub fn run(&self, report: &mut dyn FnMut(&str, u64, Option<u64>)) -> Result<(), PullError> {
        let mut archive = None;
        let result = self.items().try_for_each(|item| self.bring(&item, &mut archive, report));
        let result = result.and_then(|()| self.pictures(report));
        if let Some((_, archive)) = archive {
            // It is no longer needed, whatever the result.
            let _ = std::fs::remove_file(archive.path());
        }
        result?;
        self.model.read()?;
        self.model.read_labels()?;
        self.model.read_samples()?;
        Ok(())
    }

    /// The files of the model.
    fn items(&self) -> impl Iterator<Item = Item<'_>> {
        let model = self.model;
        let member = model.archive.as_ref().map(|archive| archive.member.as_str());
        let file = Item {
            file: &model.file,
            expected: Expected {
                size: model.size,
                limit: SIZE_LIMIT,
                sha256: model.sha256,
                sha1: model.sha1,
            },
            url: model.url.as_deref(),
            member,
        };
        let labels = model.labels.as_ref().map(|labels| {
            let url = labels.url.as_deref();
            let member = model.archive.as_ref().and_then(|archive| archive.labels.as_deref());
            let (limit, sha256) = (LABELS_LIMIT, labels.sha256);
            let expected = Expected { size: None, limit, sha256, sha1: None };
            Item { file: &labels.file, expected, url, member: member.filter(|_| url.is_none()) }
        });
        // Without a URL they come with the description, if at all.
        let comes =
            |samples: &&samples::SampleFile| samples.url.is_some() || !self.exists(&samples.file);
        let samples = model.samples.as_ref().filter(comes).map(|samples| {
            let (limit, sha256) = (samples.limit(), samples.sha256);
            let expected = Expected { size: None, limit, sha256, sha1: None };
            Item { file: &samples.file, expected, url: samples.url.as_deref(), member: None }
        });
        [Some(file), labels, samples].into_iter().flatten()
    }

    fn exists(&self, file: &str) -> bool {
        self.model.folder().join(file).symlink_metadata().is_ok()
    }

    /// Downloads the pictures that the table of samples names, which is in place: from where
    /// that is, under their paths.
    fn pictures(&self, report: &mut dyn FnMut(&str, u64, Option<u64>)) -> Result<(), PullError> {
        let table = self.model.samples.as_ref().and_then(|samples| samples.url.as_deref());
        for (file, sha256) in self.model.sample_pictures()? {
            if self.exists(&file) && (!self.force || table.is_none()) {
                continue;
            }
            self.picture(&file, sha256, table, report)?;
        }
        Ok(())
    }

    fn picture(
        &self,
        file: &str,
        sha256: Option<Sha256>,
        table: Option<&str>,
        report: &mut dyn FnMut(&str, u64, Option<u64>),
    ) -> Result<(), PullError> {
        let description = self.model.folder().join(DESCRIPTION);
        let below = |url: &Url| {
            let joined = url.join(file);
            joined.map(DownloadSource::Url).map_err(|error| PullError::Url {
                description: description.clone(),
                reason: error.to_string(),
            })
        };
        let source =
            match (self.mirror, table) {
                (Some(Mirror::Folder(folder)), _) => DownloadSource::File(folder.join(file)),
                (Some(Mirror::Url(mirror)), _) => below(mirror)?,
                (None, Some(table)) => below(&http(table).map_err(|reason| PullError::Url {
                    description: description.clone(),
                    reason,
                })?)?,
                (None, None) => {
                    return Err(PullError::Nowhere { file: file.to_owned(), description });
                }
            };
        let expected = Expected { size: None, limit: samples::BYTES, sha256, sha1: None };
        let downloaded = self.get(&source, &expected, report)?;
        let target = self.model.folder().join(file);
        let put = |cause| PullError::Put { path: target.clone(), cause };
        let parent = target.parent().unwrap_or(self.model.folder());
        std::fs::create_dir_all(parent).map_err(put)?;
        let inside = parent.canonicalize().map_err(put)?;
        if !inside.starts_with(self.model.folder().canonicalize().map_err(put)?) {
            return Err(put(std::io::Error::other("the folder is a link out of the model folder")));
        }
        downloaded.put(&target).map_err(put)
    }

    /// Puts a file in place, unless the right one exists.
    fn bring(
        &self,
        item: &Item<'_>,
        archive: &mut Option<(DownloadSource, Downloaded)>,
        report: &mut dyn FnMut(&str, u64, Option<u64>),
    ) -> Result<(), PullError> {
        let target = self.model.folder().join(item.file);
        if !self.force && target.symlink_metadata().is_ok() {
            let samples = self.model.samples.as_ref().filter(|it| it.file == item.file);
            let read = if item.file == self.model.file {
                self.model.read().map(drop)
            } else if let Some(samples) = samples {
                self.model.read_sample_file(samples).map(drop)
            } else {
                self.model.read_labels().map(drop)
            };
            return read.map_err(PullError::InTheWay);
        }
        let downloaded = match (item.member, &self.model.archive) {
            (Some(member), Some(about)) => {
                if archive.is_none() {
                    let (size, sha256, sha1) = (about.size, about.sha256, about.sha1);
                    let expected = Expected { size, limit: SIZE_LIMIT, sha256, sha1 };
                    let source = self.source(Some(&about.url), item.file)?;
                    let file = self.get(&source, &expected, report)?;
                    *archive = Some((source, file));
                }
                let Some((source, file)) = archive else { return Ok(()) };
                let taken = take(file.path(), member, &target, &item.expected);
                taken.map_err(|reason| PullError::Archive { from: source.to_string(), reason })?
            }
            _ => self.get(&self.source(item.url, item.file)?, &item.expected, report)?,
        };
        downloaded.put(&target).map_err(|cause| PullError::Put { path: target, cause })
    }

    /// The source of a file that has this `url` in `model.toml`.
    fn source(&self, url: Option<&str>, file: &str) -> Result<DownloadSource, PullError> {
        let description = self.model.folder().join(DESCRIPTION);
        let url = url
            .map(http)
            .transpose()
            .map_err(|reason| PullError::Url { description: description.clone(), reason })?;
        let last = url.as_ref().and_then(|url| url.path_segments()?.next_back().map(str::to_owned));
        let name = last.filter(|name| !name.is_empty()).unwrap_or_else(|| file.to_owned());
        match (self.mirror, url) {
            (Some(Mirror::Folder(folder)), _) => Ok(DownloadSource::File(folder.join(&name))),
            (Some(Mirror::Url(mirror)), _) => {
                let url = mirror.join(&name);
                url.map(DownloadSource::Url)
                    .map_err(|error| PullError::Url { description, reason: error.to_string() })
            }
            (None, Some(url)) => Ok(DownloadSource::Url(url)),
            (None, None) => Err(PullError::Nowhere { file: file.to_owned(), description }),
        }
    }

    /// Downloads a file next to its final place.
    fn get(
        &self,
        source: &DownloadSource,
        expected: &Expected,
        report: &mut dyn FnMut(&str, u64, Option<u64>),
    ) -> Result<Downloaded, PullError> {
        let name = match source {
            DownloadSource::Url(url) => {
                url.path().rsplit('/').next().unwrap_or_default().to_owned()
            }
            DownloadSource::File(path) => {
                path.file_name().unwrap_or_default().to_string_lossy().into_owned()
            }
        };
        let part = self.model.folder().join(format!("{name}.part"));
        if self.force {
            // There may be nothing.
            let _ = std::fs::remove_file(&part);
        }
        let progress: &mut DownloadProgress<'_> = &mut |done, total| report(&name, done, total);
        Ok(download(source, part, expected, progress)?)
    }
}

/// A file of a model, and its origin.
struct Item<'a> {
    /// Its name in the folder.
    file: &'a str,
    expected: Expected,
    url: Option<&'a str>,
    /// Its name in the model's archive, if it comes from that.
    member: Option<&'a str>,
}

/// Extracts a member of an archive, next to its final place.
fn take(
    archive: &Path,
    member: &str,
    target: &Path,
    expected: &Expected,
) -> Result<Downloaded, String> {
    let mut part = target.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let limit = expected.size.unwrap_or(expected.limit);
    let taken = extract(archive, member, &part, limit).and_then(|()| {
        check(&part, expected).map_err(|reason| format!("'{member}' of the archive: {reason}"))
    });
    if taken.is_err() {
        // There may be nothing.
        let _ = std::fs::remove_file(&part);
    }
    taken
}
