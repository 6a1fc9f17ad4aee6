//! A roll-out: a candidate, made of other models or components, runs beside what serves,
//! is compared with it, and takes its place or goes.
//!
//! - [`terms`]: what is asked for; [`control`] starts and ends it.
//! - [`beside`]: a batch while there is a candidate; [`split`] tells which records a canary
//!   serves, [`shadow`] scores on a thread of its own.
//! - [`comparison`]: what both made of records ([`pairs`], [`times`]), as it is told
//!   ([`report`]), and what the [`rules`] say of it.

mod beside;
mod comparison;
mod control;
mod pairs;
mod report;
mod rules;
mod shadow;
mod split;
mod terms;
mod times;

use std::sync::Arc;

pub use comparison::Comparison;
pub(super) use control::Rollouts;
pub use control::{End, Ended, Judge, Rollout};
pub use report::{Confused, Report, Side};
pub use rules::Verdict;
pub use terms::{By, Mode, Rules, Share, Terms, TermsError, Then};

use super::processor::Processor;

/// What runs beside the chain of one worker.
pub(super) struct Candidate {
    comparison: Arc<Comparison>,
    role: Role,
}

/// What is done with it.
enum Role {
    /// It serves some of the records.
    Canary(Box<Processor>, split::Split),
    /// What comes of it is put out as well.
    Ab(Box<Processor>),
    /// It scores elsewhere.
    Shadow(shadow::Entrance),
}
