//! What a record refers to, or why that is refused.

use std::path::Path;

use sandbar_model::http::shown;
use sandbar_record::Code;
use url::Url;

/// What a record refers to.
pub(super) enum Target<'a> {
    /// It carries its data, or has none.
    Nothing,
    File(std::borrow::Cow<'a, Path>),
    Url(Url),
    Refused(Refusal),
}

impl Target<'_> {
    /// For messages.
    pub(super) fn shown(&self) -> Option<String> {
        match self {
            Target::Nothing | Target::Refused(_) => None,
            Target::File(path) => Some(format!("{path:?}")),
            Target::Url(url) => Some(shown(url)),
        }
    }
}

/// Why a reference was not resolved.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) reason: String,
}

impl Refusal {
    pub(super) fn invalid(reason: String) -> Self {
        Refusal { code: Code::Invalid, reason }
    }

    pub(super) fn missing(reason: String) -> Self {
        Refusal { code: Code::Missing, reason }
    }

    pub(super) fn unavailable(reason: String) -> Self {
        Refusal { code: Code::Unavailable, reason }
    }

    pub(super) fn too_large(size: u64, limit: u64) -> Self {
        let reason = format!("{size} bytes or more; [references] max-size is {limit}");
        Refusal { code: Code::TooLarge, reason }
    }

    pub(super) fn is_missing(&self) -> bool {
        self.code == Code::Missing
    }
}
