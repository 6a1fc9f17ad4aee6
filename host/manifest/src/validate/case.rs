//! What is found wrong with test cases.

use crate::manifest::Manifest;
use sandbar_config::{Document, KeyPath, Problem, nearest};
use sandbar_sandbox::LimitsSection;

/// The subject of tests.
#[derive(Clone, Copy)]
pub enum Of<'a> {
    /// An operator alone, with these limits.
    Operator(&'a LimitsSection),
    /// A pipeline.
    Pipeline(&'a Manifest),
}

/// The problems so far.
pub(super) struct Check<'a> {
    pub(super) document: &'a Document<'a>,
    pub(super) of: Of<'a>,
    pub(super) pipeline: Option<&'a Manifest>,
    pub(super) problems: Vec<Problem>,
}

impl Check<'_> {
    pub(super) fn report(&mut self, place: KeyPath, message: impl Into<String>) {
        self.problems.push(self.document.problem(&place, message.into()));
    }

    pub(super) fn unknown<'k>(
        &mut self,
        place: KeyPath,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) {
        let message = match nearest(name, known.clone()) {
            Some(near) => format!("{what} '{name}'; did you mean '{near}'?"),
            None => match known.collect::<Vec<_>>().join(", ") {
                none if none.is_empty() => format!("{what} '{name}'; it has none"),
                known => format!("{what} '{name}'; known names: {known}"),
            },
        };
        self.report(place, message);
    }
}
