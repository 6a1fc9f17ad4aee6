//! Why a record failed: what an operator reports, and what the host finds itself.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The cause of a failure, as it stands in the header `sandbar-code` of a dead
/// letter and in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The operator: the bytes are not what it reads.
    Malformed,
    /// The operator: something that is needed is absent. A reference: nothing is there.
    Missing,
    /// The operator: readable, but the value is not allowed. A reference: the same.
    Invalid,
    /// The operator: valid input of a kind that it does not handle.
    Unsupported,
    /// Larger than the operator, the limit of references, or the topic that should take
    /// the output, accepts.
    TooLarge,
    /// The operator: something outside of it did not answer. A reference: the same.
    Unavailable,
    /// The operator: its own fault.
    Internal,
    /// The operator's code trapped (it panicked, exited or overflowed its stack).
    Trap,
    /// A call did not return before its deadline.
    Deadline,
    /// The operator asked for more memory than its limit.
    Memory,
    /// The operator returned something that the contract forbids.
    Contract,
    /// The output could not be encoded or its topic refused it.
    Sink,
    /// An earlier record of the same key failed, and `[dead-letter] order` is `key`.
    Follows,
}

impl Code {
    /// Every code, in the order of their declaration.
    pub const ALL: [Code; 13] = [
        Code::Malformed,
        Code::Missing,
        Code::Invalid,
        Code::Unsupported,
        Code::TooLarge,
        Code::Unavailable,
        Code::Internal,
        Code::Trap,
        Code::Deadline,
        Code::Memory,
        Code::Contract,
        Code::Sink,
        Code::Follows,
    ];

    /// The name in headers, logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::Malformed => "malformed",
            Code::Missing => "missing",
            Code::Invalid => "invalid",
            Code::Unsupported => "unsupported",
            Code::TooLarge => "too-large",
            Code::Unavailable => "unavailable",
            Code::Internal => "internal",
            Code::Trap => "trap",
            Code::Deadline => "deadline",
            Code::Memory => "memory",
            Code::Contract => "contract",
            Code::Sink => "sink",
            Code::Follows => "follows",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        const NAMES: [&str; Code::ALL.len()] = {
            let mut names = [""; Code::ALL.len()];
            let mut index = 0;
            while index < names.len() {
                names[index] = Code::ALL[index].as_str();
                index += 1;
            }
            names
        };
        let name = String::deserialize(from)?;
        let code = Code::ALL.into_iter().find(|code| code.as_str() == name);
        code.ok_or_else(|| serde::de::Error::unknown_variant(&name, &NAMES))
    }
}

/// Why one record of a batch failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Index of the record in its batch.
    pub record: usize,
    /// Name of the stage that it failed in.
    pub stage: std::sync::Arc<str>,
    /// The cause.
    pub code: Code,
    /// For a person: at most [`MESSAGE_LIMIT`] bytes.
    pub message: String,
}

/// What stands in place of a stage where external payloads could not be resolved.
pub const REFERENCES: &str = "references";

/// Names in place of a stage that no stage may have: where records fail outside of one.
pub const RESERVED_STAGES: [&str; 4] = ["source", "sink", "order", REFERENCES];

/// Bytes of a failure's message that are kept; an operator could send megabytes.
pub const MESSAGE_LIMIT: usize = 1024;

/// Cuts a message to [`MESSAGE_LIMIT`] bytes at a character's boundary.
pub fn shorten(mut message: String) -> String {
    if message.len() > MESSAGE_LIMIT {
        let end = message.floor_char_boundary(MESSAGE_LIMIT - '…'.len_utf8());
        message.truncate(end);
        message.push('…');
        message.shrink_to_fit();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let short = shorten("ä".repeat(MESSAGE_LIMIT));
        assert!(short.len() <= MESSAGE_LIMIT && short.ends_with('…'));
        assert_eq!(shorten("short".to_owned()), "short");
    }
}
