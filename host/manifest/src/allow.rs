//! What may be referred to: folders and URL prefixes.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use url::Url;

/// Schemes of URLs that may be referred to.
const SCHEMES: [&str; 3] = ["s3", "http", "https"];
/// How often a path may be percent-encoded repeatedly; a deeper one is an attack.
const ENCODINGS: usize = 4;

/// One entry of `[references] allow`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// A folder, relative to the manifest's.
    Folder(PathBuf),
    /// A URL prefix.
    Prefix(Prefix),
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("the entry is empty; name a folder or a URL prefix".into());
        }
        if !text.contains("://") {
            return Ok(Allowed::Folder(text.into()));
        }
        Prefix::new(text).map(Allowed::Prefix)
    }
}

/// A URL whose path ends with `/`: everything below it may be referred to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(Url);

impl Prefix {
    fn new(text: &str) -> Result<Self, String> {
        let mut url: Url =
            text.parse().map_err(|error| format!("'{text}' is not a URL prefix: {error}"))?;
        if url.scheme() == "file" {
            return Err(format!("write the folder instead, as in \"{}\"", url.path()));
        }
        if !SCHEMES.contains(&url.scheme()) {
            let schemes = SCHEMES.join("://, ");
            return Err(format!(
                "'{text}' has an unsupported scheme; a prefix begins with {schemes}://"
            ));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(format!("'{text}' names no host or bucket"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("leave user and password out; they belong under [references.stores]".into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("'{text}' has a '?' or '#'; a prefix ends with its path"));
        }
        plain(url.path()).map_err(|problem| format!("'{text}': {problem}"))?;
        if !url.path().ends_with('/') {
            // Of whole names: `/images` is not to allow `/images-of-others`.
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Prefix(url))
    }

    /// Whether `url` lies below this prefix. Host and scheme are compared as they are, so
    /// that `http` does not stand for `https`.
    pub fn covers(&self, url: &Url) -> bool {
        self.0.scheme() == url.scheme()
            && self.0.host_str() == url.host_str()
            && self.0.port_or_known_default() == url.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path().starts_with(self.0.path())
            && plain(url.path()).is_ok()
    }

    /// The bucket of an object store, the host of a server.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// `s3`, `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.0.scheme()
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Refuses a path that some server may take for another: its `..` and `.` are resolved
/// already, but a server that decodes once more than we do could find new ones.
pub fn plain(path: &str) -> Result<(), &'static str> {
    for part in path.split('/') {
        let mut part = Cow::Borrowed(part);
        for round in 0.. {
            let name = part.split(';').next().unwrap_or_default();
            if matches!(name, "." | "..") || part.contains(['/', '\\']) {
                return Err("the path has an encoded '/', '\\' or '..'");
            }
            if part.chars().any(char::is_control) {
                return Err("the path has an encoded control character");
            }
            let decoded = percent_decode_str(&part).decode_utf8_lossy();
            if decoded == part {
                break;
            }
            if round == ENCODINGS {
                return Err("the path is encoded over and over");
            }
            part = Cow::Owned(decoded.into_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    fn covers(prefix: &str, url: &str) -> bool {
        Prefix::new(prefix).unwrap().covers(&url.parse().unwrap())
    }

    #[test]
    fn what_is_below_a_prefix_is_covered() {
        for (prefix, url) in [
            ("https://host/images/", "https://host/images/a/b%20c.jpg?size=1#x"),
            ("https://host/images", "https://HOST:443/other/../images/a.jpg"),
            ("http://host:8080", "http://host:8080/a"),
            ("s3://bucket/pre fix/", "s3://bucket/pre%20fix/a=1/b.png"),
            ("s3://bucket", "s3://bucket/100%25.png"),
        ] {
            assert!(covers(prefix, url), "{prefix} {url}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for url in [
            "https://host/images",
            "https://host/images-of-others/a",
            "https://host/",
            "https://host/images/../secret",
            "https://host/images/%2e%2e/secret",
            "https://host/images/..%2fsecret",
            "https://host/images/%252e%252e%252fsecret",
            "https://host/images/%25252525252e",
            "https://host/images/..;/secret",
            "https://host/images/..%5csecret",
            "https://host/images/a%00.jpg",
            "https://host/images\\..\\secret",
            "http://host/images/a",
            "https://host:444/images/a",
            "https://host.evil/images/a",
            "https://host@evil/images/a",
            "https://user@host/images/a",
            "https://evil/images/a",
        ] {
            assert!(!covers("https://host/images/", url), "{url}");
        }
        assert!(!covers("s3://bucket/a/", "s3://bucket/a/../b"));
        assert!(!covers("s3://bucket/a/", "s3://Bucket/a/b"));
    }

    #[test]
    fn what_is_no_prefix_is_said() {
        for (text, problem) in [
            ("", "the entry is empty"),
            ("ftp://host/", "'ftp://host/' has an unsupported scheme"),
            ("file:///images", "write the folder instead, as in \"/images\""),
            ("https://u:p@host/", "leave user and password out"),
            ("https://host/?a=1", "has a '?' or '#'"),
            ("https://", "is not a URL prefix"),
            ("s3:///key", "names no host or bucket"),
            ("https://host/a%2fb/", "the path has an encoded '/'"),
        ] {
            let error = text.parse::<Allowed>().unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
        assert_eq!("../images".parse(), Ok(Allowed::Folder("../images".into())));
    }
}
