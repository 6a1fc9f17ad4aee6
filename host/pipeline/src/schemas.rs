//! `[schemas]` of a manifest: its files read, its secrets resolved.

use std::collections::BTreeMap;
use std::sync::Arc;

use sandbar_files::limits;
use sandbar_manifest::{Manifest, SchemasSection};
use sandbar_schemas::{Access, Language, Schema, Schemas};
use url::Url;

/// The schemas that a manifest names, if it does.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn of(manifest: &Manifest) -> Result<Option<Arc<Schemas>>, String> {
    let Some(section) = &manifest.schemas else { return Ok(None) };
    let mut files = BTreeMap::new();
    for (name, path) in &section.files {
        let path = manifest.resolve(path);
        let extension = path.extension().and_then(|extension| extension.to_str());
        let Some(language) = extension.and_then(Language::of_extension) else { continue };
        let most = section.max_size.as_u64().min(limits::DOCUMENT);
        let text = sandbar_files::read_text(&path, most)
            .map_err(|error| format!("[schemas] files.{name}: {}: {error}", path.display()))?;
        files.insert(name.clone(), Schema { language, text, references: Vec::new() });
    }
    let ca = match &section.ca {
        Some(path) => {
            let path = manifest.resolve(path);
            let pem = sandbar_files::read(&path, limits::SECRET)
                .map_err(|error| format!("[schemas] ca: {}: {error}", path.display()))?;
            Some(pem)
        }
        None => None,
    };
    let subjects = section.subjects.clone();
    Ok(Some(Arc::new(Schemas::new(access(manifest, section, ca), subjects, files))))
}

/// How the registry is reached, or why it cannot be.
fn access(
    manifest: &Manifest,
    section: &SchemasSection,
    ca: Option<Vec<u8>>,
) -> Result<Access, String> {
    if section.urls.is_empty() {
        return Err("the manifest has no schema registry; add urls to [schemas]".to_owned());
    }
    let urls = section.urls.iter().map(|url| Url::parse(url));
    let urls =
        urls.collect::<Result<_, _>>().map_err(|error| format!("[schemas] urls: {error}"))?;
    let credentials = manifest.schema_credentials();
    let credentials = credentials.map_err(|(key, reason)| format!("[schemas] {key}: {reason}"))?;
    let max_size = usize::try_from(section.max_size.as_u64()).unwrap_or(usize::MAX);
    Ok(Access { urls, credentials, ca, timeout: section.timeout, max_size })
}
