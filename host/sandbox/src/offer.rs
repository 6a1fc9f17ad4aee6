//! Import support: an interface that guests may import, and what is behind it.

use std::fmt;

use serde::Serialize;

/// Import support: what a component gets when it uses an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportSupport {
    /// What the stage is granted in the manifest, and nothing else.
    Granted,
    /// The usual implementation.
    Works,
    /// A virtual implementation in its place.
    Virtual,
    /// Nothing: it is empty.
    Nothing,
    /// An error, or the end of the call.
    Refused,
    /// It has no functions: only types that others use.
    Types,
    /// This runner does not have it: the component cannot run.
    Missing,
}

impl fmt::Display for ImportSupport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ImportSupport::Granted => "granted",
            ImportSupport::Works => "works",
            ImportSupport::Virtual => "virtual",
            ImportSupport::Nothing => "nothing",
            ImportSupport::Refused => "refused",
            ImportSupport::Types => "types",
            ImportSupport::Missing => "missing",
        })
    }
}

/// A group of interfaces that the linker provides.
pub(crate) struct Offer {
    /// The name of the group, for display.
    pub(crate) name: &'static str,
    /// What this runner provides.
    pub(crate) behind: ImportSupport,
    /// The same as a sentence.
    pub(crate) about: &'static str,
    /// The interfaces, with their versions.
    pub(crate) interfaces: &'static [&'static str],
}

impl Offer {
    /// Whether it is of this interface.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.interfaces.iter().any(|offered| compatible(offered, name))
    }
}

/// Whether the linker accepts one name for the other: their versions differ only as far as
/// semantic versioning allows.
pub(crate) fn compatible(one: &str, other: &str) -> bool {
    one == other || track(one).is_some_and(|track_of_one| track(other) == Some(track_of_one))
}

/// An interface up to the part of its version that must not differ: `wasi:io/poll@0.2`.
/// `None` if the whole of it must not, as in drafts.
fn track(name: &str) -> Option<&str> {
    let (interface, version) = name.split_once('@')?;
    let (release, _) = version.split_once('+').unwrap_or((version, ""));
    let numbers: Vec<&str> = release.split('.').collect();
    let kept = match numbers[..] {
        [_, _, patch] if patch.contains('-') => return None,
        ["0", "0", _] => return None,
        ["0", minor, _] => "0.".len() + minor.len(),
        [major, _, _] => major.len(),
        _ => return None,
    };
    name.get(..interface.len() + 1 + kept)
}
