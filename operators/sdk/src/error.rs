//! The two ways to say no: an [`Error`] refuses a configuration, a [`Failure`]
//! refuses one record.

use std::borrow::Cow;
use std::fmt;

use crate::bindings::types;

pub use crate::bindings::types::FailureCode;

/// Why an operator cannot be set up: a message for the person who wrote the pipeline.
///
/// Anything that can be displayed becomes one, so `?` works on every library's
/// errors, and `"a message".into()` on text. For that reason it does not implement
/// [`std::error::Error`] itself; its `Debug` is the bare message.
pub struct Error {
    message: String,
}

impl Error {
    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same error, saying what was being done: `context: message`.
    #[must_use]
    pub fn context(self, context: impl fmt::Display) -> Error {
        Error { message: format!("{context}: {}", self.message) }
    }

    pub(crate) fn into_message(self) -> String {
        self.message
    }
}

impl<E: fmt::Display> From<E> for Error {
    fn from(error: E) -> Error {
        Error { message: error.to_string() }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Why one record or row failed. The others of its batch go on; this one goes to the
/// dead-letter topic with the code and the message.
///
/// A message that is a literal costs no allocation. The host cuts long ones short.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The kind of failure.
    pub code: FailureCode,
    /// What is wrong with the record, for a person.
    pub message: Cow<'static, str>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $code:ident;)*) => {
        impl Failure {
            $(
                $(#[$doc])*
                #[cold]
                pub fn $name(message: impl Into<Cow<'static, str>>) -> Failure {
                    Failure { code: FailureCode::$code, message: message.into() }
                }
            )*
        }
    };
}

constructors! {
    /// The bytes are not what the operator reads.
    malformed => Malformed;
    /// Something that is needed is absent.
    missing => Missing;
    /// It can be read, but its value is not allowed.
    invalid => Invalid;
    /// A valid input of a kind that this operator does not handle.
    unsupported => Unsupported;
    /// It is larger than the operator accepts.
    too_large => TooLarge;
    /// Something outside of the operator did not answer; trying again may help.
    unavailable => Unavailable;
    /// A fault of the operator itself.
    internal => Internal;
}

impl Failure {
    pub(crate) fn at(self, index: usize) -> types::Failure {
        let message = self.message.into_owned();
        types::Failure { index: index as u32, code: self.code, message }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self.code {
            FailureCode::Malformed => "malformed",
            FailureCode::Missing => "missing",
            FailureCode::Invalid => "invalid",
            FailureCode::Unsupported => "unsupported",
            FailureCode::TooLarge => "too large",
            FailureCode::Unavailable => "unavailable",
            FailureCode::Internal => "internal",
        };
        write!(f, "{code}: {}", self.message)
    }
}

impl std::error::Error for Failure {}
