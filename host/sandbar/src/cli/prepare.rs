//! `sandbar prepare`, which runners start.

use std::ffi::OsString;
use std::io;

use clap::Args;
use sandbar_confine::Child;

/// Prepare what a request on standard input names, within limits. Runners start this, not
/// people.
#[derive(Debug, Args)]
pub(super) struct Prepare {}

impl Prepare {
    #[expect(clippy::disallowed_methods, reason = "an answer for a program, which waits for it")]
    pub(super) fn execute() -> anyhow::Result<()> {
        Ok(sandbar_pipeline::prepare::serve(io::stdin().lock(), io::stdout().lock())?)
    }
}

/// The process that does it; `None`, with a warning, if this program's file is not known.
pub(super) fn child() -> Option<Child> {
    let child = Child::own([OsString::from("prepare")]);
    child.inspect_err(|error| {
        tracing::warn!(%error, "the command's own file is not known, what is untrusted is prepared in this process");
    }).ok()
}
