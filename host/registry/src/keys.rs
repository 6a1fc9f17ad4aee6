//! The keys of objects in a registry.
//!
//! ```text
//! blobs/sha256/ab/cdef...                       a file, by its digest
//! models/NAME/versions/N.json                   a version
//! models/NAME/removed/N.json                    the mark that its files are removed
//! models/NAME/aliases/ALIAS/00000007.json       the seventh change of an alias
//! operators/NAME/...                            the same
//! uses/RUNNER.json                              what a running pipeline uses
//! ```

use super::version::ArtifactKind;
use sandbar_model::Sha256;

/// The folder of all blobs.
pub(super) const BLOBS: &str = "blobs/sha256";
/// The folder of leases.
pub(super) const USES: &str = "uses";

pub(super) fn blob(digest: &Sha256) -> String {
    let text = digest.to_string();
    format!("{BLOBS}/{}/{}", &text[..2], &text[2..])
}

/// The digest of a blob, by its key.
pub(super) fn digest(key: &str) -> Option<Sha256> {
    let (folder, rest) = key.strip_prefix(BLOBS)?.strip_prefix('/')?.split_once('/')?;
    (folder.len() == 2).then(|| format!("{folder}{rest}").parse().ok())?
}

pub(super) fn versions(kind: ArtifactKind, name: &str) -> String {
    format!("{}/{name}/versions", kind.folder())
}

pub(super) fn version(kind: ArtifactKind, name: &str, number: u32) -> String {
    format!("{}/{number}.json", versions(kind, name))
}

pub(super) fn removed_folder(kind: ArtifactKind, name: &str) -> String {
    format!("{}/{name}/removed", kind.folder())
}

pub(super) fn removed(kind: ArtifactKind, name: &str, number: u32) -> String {
    format!("{}/{number}.json", removed_folder(kind, name))
}

pub(super) fn aliases(kind: ArtifactKind, name: &str) -> String {
    format!("{}/{name}/aliases", kind.folder())
}

pub(super) fn alias(kind: ArtifactKind, name: &str, alias: &str) -> String {
    format!("{}/{alias}", aliases(kind, name))
}

/// Eight digits, so that listings are sorted; more for larger numbers.
pub(super) fn change(kind: ArtifactKind, name: &str, alias: &str, number: u64) -> String {
    format!("{}/{alias}/{number:08}.json", aliases(kind, name))
}

pub(super) fn uses(runner: &str) -> String {
    format!("{USES}/{runner}.json")
}

/// The number of `.../N.json`, as it is written by these functions.
pub(super) fn number<N: std::str::FromStr + std::fmt::Display>(key: &str) -> Option<N> {
    let digits = key.rsplit('/').next()?.strip_suffix(".json")?;
    let digits = digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    #[test]
    fn keys_are_read_back() {
        let digest_of = Sha256::of(b"a");
        assert_eq!(digest(&blob(&digest_of)), Some(digest_of));
        assert_eq!(digest("blobs/sha256/ab/README"), None);
        assert_eq!(number(&version(ArtifactKind::Model, "flights", 12)), Some(12));
        assert_eq!(number(&change(ArtifactKind::Model, "flights", "production", 7)), Some(7));
        for other in ["models/flights/versions/a.json", "x/-1.json", "x/1.json.part", "x/1"] {
            assert_eq!(number::<u32>(other), None, "{other}");
        }
    }
}
