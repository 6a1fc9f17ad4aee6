//! A roll-out: a candidate, made of other models or components, runs beside what serves,
//! is compared with it, and is promoted or dropped.
//!
//! - [`terms`]: the rollout spec; [`control`] starts and ends it.
//! - [`beside`]: the dual run of a batch; [`split`] decides which records a canary
//!   serves, [`shadow`] scores on a thread of its own.
//! - [`comparison`]: the results of both ([`pairs`], [`times`]), as they are reported
//!   ([`report`]), and the verdict of the [`rules`].

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

/// Its role.
enum Role {
    /// It serves some of the records.
    Canary(Box<Processor>, split::Split),
    /// Its outputs are written as well.
    Ab(Box<Processor>),
    /// It scores elsewhere.
    Shadow(shadow::Entrance),
}
