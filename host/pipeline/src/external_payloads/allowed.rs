//! `[references]` of a pipeline, made ready: what records may refer to.

use std::path::Path;
use std::sync::Arc;

use sandbar_manifest::{Allowed, Manifest};
use sandbar_model::http::Runtime;
use sandbar_record::Record;
use thiserror::Error;
use url::Url;

use super::ahead::Limits;
use super::folders::Folder;
use super::stores::{Stores, not_allowed};
use super::target::{Refusal, Target};

/// Bytes of a reference: longer than any path or URL that a system accepts.
const LENGTH: usize = 8 << 10;

/// Why the references of a pipeline cannot be resolved at all.
#[derive(Debug, Error)]
#[error("[references] {place}: {reason}")]
pub struct ExternalPayloadsError {
    /// The key, and the entry.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}

/// `[references]` of a pipeline, ready. Shared by its workers.
pub struct ExternalPayloads {
    header: Option<String>,
    pub(super) folders: Vec<Folder>,
    pub(super) network: Option<Network>,
    pub(super) limits: Limits,
    pub(super) concurrency: usize,
}

/// What only references to servers and object stores need.
pub(super) struct Network {
    pub(super) stores: Arc<Stores>,
    pub(super) runtime: Runtime,
}

impl ExternalPayloads {
    /// Opens the folders and prepares the stores that the manifest allows. Nothing is
    /// requested over the network.
    ///
    /// # Errors
    /// If a folder does not exist, or an option cannot be used.
    pub fn open(manifest: &Manifest) -> Result<Option<Self>, ExternalPayloadsError> {
        let Some(section) = &manifest.references else { return Ok(None) };
        let wrong = |place: String, reason| ExternalPayloadsError { place, reason };
        let allow = |text: &str| format!("allow '{text}'");
        let (mut folders, mut prefixes) = (Vec::new(), Vec::new());
        for text in &section.allow {
            match text.parse().map_err(|reason| wrong(allow(text), reason))? {
                Allowed::Folder(folder) => {
                    let folder = Folder::find(&manifest.resolve(&folder));
                    folders.push(folder.map_err(|reason| wrong(allow(text), reason))?);
                }
                Allowed::Prefix(prefix) => prefixes.push((text, prefix)),
            }
        }
        let mut network = None;
        if !prefixes.is_empty() {
            let mut stores = Stores::new().map_err(|reason| wrong("allow".into(), reason))?;
            for (text, prefix) in prefixes {
                let given = section.stores.iter().find(|(name, _)| {
                    name.parse()
                        .is_ok_and(|named: Allowed| named == Allowed::Prefix(prefix.clone()))
                });
                let (place, (options, missing)) = match given {
                    Some((name, _)) => (format!("stores.{name:?}"), manifest.store_options(name)),
                    None => (allow(text), Default::default()),
                };
                let added = stores.add(prefix, options, &missing, section.timeout);
                added.map_err(|reason| wrong(place, reason))?;
            }
            let runtime =
                Runtime::start().map_err(|error| wrong("allow".into(), error.to_string()))?;
            network = Some(Network { stores: Arc::new(stores), runtime });
        }
        let limits = Limits { size: section.max_size.as_u64(), timeout: section.timeout };
        let concurrency = section.concurrency.get();
        let header = section.header.clone();
        Ok(Some(ExternalPayloads { header, folders, network, limits, concurrency }))
    }

    /// What a record refers to.
    pub(super) fn target<'a>(&self, record: &Record<'a>) -> Target<'a> {
        let Some(value) = record.value() else { return Target::Nothing };
        let bytes = match &self.header {
            None => value,
            Some(header) => match record.headers().filter(|(name, _)| name == header).last() {
                None => return Target::Nothing,
                Some((_, Some(value))) => value,
                Some((_, None)) => {
                    return Target::Refused(Refusal::invalid(format!(
                        "the header '{header}' is null"
                    )));
                }
            },
        };
        self.parse(bytes).unwrap_or_else(Target::Refused)
    }

    fn parse<'a>(&self, bytes: &'a [u8]) -> Result<Target<'a>, Refusal> {
        let invalid = |reason: &str| Refusal::invalid(reason.into());
        if bytes.len() > LENGTH {
            return Err(invalid(
                "the reference is longer than any path or URL; is it the data itself?",
            ));
        }
        let text =
            std::str::from_utf8(bytes).map_err(|_| invalid("the reference is not UTF-8 text"))?;
        let text = text.trim();
        if text.is_empty() {
            return Err(invalid("the reference is empty"));
        }
        if text.chars().any(char::is_control) {
            return Err(invalid("the reference has control characters in it"));
        }
        if !text.contains("://") {
            return Ok(Target::File(Path::new(text).into()));
        }
        let url: Url = text
            .parse()
            .map_err(|error| Refusal::invalid(format!("the reference is not a URL: {error}")))?;
        if url.scheme() == "file" {
            let path = url.to_file_path().map_err(|()| invalid("the URL names no local file"))?;
            return Ok(Target::File(path.into()));
        }
        match &self.network {
            Some(network) if network.stores.allow(&url) => Ok(Target::Url(url)),
            _ => Err(not_allowed(&url)),
        }
    }
}
