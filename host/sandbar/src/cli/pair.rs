//! A model or a component, as the verbs that change a runner take it.

use std::path::PathBuf;

use sandbar_builtin::of_path;
use sandbar_registry::ArtifactSource;

/// `NAME=SOURCE`. A path is made absolute: the runner works in another folder.
pub(super) fn pair(text: &str) -> Result<(String, ArtifactSource), String> {
    let (name, source) = text.split_once('=').ok_or("write NAME=PATH or NAME=NAME@VERSION")?;
    if of_path(source.as_ref()).is_some() {
        return Ok((name.to_owned(), PathBuf::from(source).into()));
    }
    let source = match std::fs::canonicalize(source) {
        Ok(path) => ArtifactSource::Path(path),
        Err(error) => match source.parse() {
            Ok(reference) if source.contains('@') => ArtifactSource::Registry(reference),
            _ => {
                return Err(format!("{source}: {error}; or write NAME@VERSION for the registry's"));
            }
        },
    };
    Ok((name.to_owned(), source))
}
