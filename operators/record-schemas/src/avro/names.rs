//! Names of types: with their namespace.

/// A full name, of the name and namespace that a definition has, within a namespace.
pub(crate) fn full(name: &str, namespace: Option<&str>, around: &str) -> String {
    if name.contains('.') {
        return name.to_owned();
    }
    match namespace.unwrap_or(around) {
        "" => name.to_owned(),
        namespace => format!("{namespace}.{name}"),
    }
}

/// The namespace of a full name.
pub(crate) fn namespace(full: &str) -> &str {
    full.rsplit_once('.').map_or("", |(namespace, _)| namespace)
}

/// A name without its namespace.
pub(crate) fn last(full: &str) -> &str {
    full.rsplit_once('.').map_or(full, |(_, name)| name)
}
