//! What was prepared before: a start with the same manifest and the same files need not do it
//! again.
//!
//! It is remembered in the cache of compiled components, where only this user can put it. Only
//! successes are, of what is the same each time: a failure may be for want of time or memory, and
//! what became of a recent batch says nothing of the next. Whether the files are the same is not
//! asked before they are loaded, but of what is loaded.

use sandbar_model::Sha256;
use sandbar_sandbox::Sandbox;

use super::parent::Report;
use super::subject::Subject;

/// What was found when the same was prepared, if its files are the same now.
pub(crate) fn recall(subject: &Subject, sandbox: &Sandbox) -> Option<Report> {
    let value = sandbox.recall(&subject.key()?)?;
    let report: Report = serde_json::from_slice(&value).ok()?;
    // What the registry says is asked now.
    report.agrees(&subject.expected).then_some(report)
}

/// Remembers what was found. That it is not remembered is told by the cache.
pub(crate) fn remember(subject: &Subject, sandbox: &Sandbox, report: &Report) {
    if let (Some(key), Ok(value)) = (subject.key(), serde_json::to_vec(report)) {
        sandbox.remember(&key, &value);
    }
}

/// Tells what is prepared from all that has another manifest or other files; `None` where that
/// cannot be said.
pub(crate) fn fingerprint(subject: &Subject, report: &Report) -> Option<Sha256> {
    let files = serde_json::to_string(&report.files).ok()?;
    Some(Sha256::of(format!("{} {files}", subject.key()?).as_bytes()))
}
