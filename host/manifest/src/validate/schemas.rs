//! The rules of `[schemas]`, and of the stages that are granted it.

use sandbar_config::KeyPath;
use sandbar_config::units::{duration_problem, size_problem};
use sandbar_schemas::Language;
use url::Url;

use crate::manifest::Manifest;
use crate::schemas::{MOST, SchemasSection};
use crate::sections::Grant;

/// What is wrong, by its place.
pub(crate) fn problems(manifest: &Manifest) -> Vec<(KeyPath, String)> {
    let Some(schemas) = &manifest.schemas else {
        let granted = manifest.stages.iter().enumerate().filter_map(|(number, stage)| {
            let index = stage.grants.iter().position(|grant| *grant == Grant::Schemas)?;
            let place = KeyPath::of("stages").index(number).key("grants").index(index);
            let message = "the manifest has no [schemas]; add it with urls = [\"URL\"] or files";
            Some((place, message.to_owned()))
        });
        return granted.collect();
    };
    let place = |key: &str| KeyPath::of("schemas").key(key);
    let mut found = Vec::new();
    if schemas.urls.is_empty() && schemas.files.is_empty() {
        let message = "names no schemas; add urls = [\"URL\"] or files";
        found.push((KeyPath::of("schemas"), message.to_owned()));
    }
    for (index, url) in schemas.urls.iter().enumerate() {
        found.extend(url_problem(url).map(|problem| (place("urls").index(index), problem)));
    }
    found.extend(credentials(schemas).map(|(key, problem)| (place(key), problem.to_owned())));
    if schemas.urls.is_empty() && !schemas.subjects.is_empty() {
        let message = "subjects are of a registry; add urls = [\"URL\"]";
        found.push((place("subjects"), message.to_owned()));
    }
    found.extend(duration_problem(schemas.timeout).map(|problem| (place("timeout"), problem)));
    found.extend(size_problem(schemas.max_size, MOST).map(|it| (place("max-size"), it)));
    for (name, path) in &schemas.files {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
        if Language::of_extension(extension).is_none() {
            let message = format!(
                "{}: expected a file that ends in .avsc (Avro), .proto (Protobuf) or .json (JSON Schema)",
                path.display()
            );
            found.push((place("files").key(name), message));
        }
    }
    found
}

fn url_problem(text: &str) -> Option<String> {
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => {
            return Some(format!("not a URL: {error}; write it as \"https://HOST:PORT\""));
        }
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Some("not a URL of http or https; write it as \"https://HOST:PORT\"".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some(
            "must not have credentials; use `user` and `password` of this section".to_owned(),
        );
    }
    (url.query().is_some() || url.fragment().is_some())
        .then(|| "must not have a query or a fragment; leave out what is behind the path".into())
}

fn credentials(schemas: &SchemasSection) -> Option<(&'static str, &'static str)> {
    let SchemasSection { user, password, token, .. } = schemas;
    match (user, password, token) {
        (Some(_), None, _) => Some(("user", "needs a `password`")),
        (None, Some(_), _) => Some(("password", "needs a `user`")),
        (Some(_), Some(_), Some(_)) => {
            Some(("token", "conflicts with `user` and `password`; leave one of them out"))
        }
        (Some(user), _, _) if user.contains(':') => {
            Some(("user", "must not contain ':', which ends it in basic authentication"))
        }
        _ => None,
    }
}
