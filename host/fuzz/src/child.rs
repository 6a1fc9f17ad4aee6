//! The process that prepares what is untrusted: this program, as `sandbar` is its own.

use std::io;

use sandbar::confine::Child;

/// The argument with which this program prepares.
pub const PREPARE: &str = "prepare";

/// The process.
///
/// # Errors
/// If this program's file is not known.
pub fn child() -> io::Result<Child> {
    Child::own([PREPARE.into()])
}
