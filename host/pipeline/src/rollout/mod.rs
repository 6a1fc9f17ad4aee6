//! A roll-out: a candidate, made of other models or components, runs beside what serves,
//! is compared with it, and is promoted or dropped.
//!
//! - [`terms`]: what is asked for; [`state`]: what is under way. The deployment starts and
//!   ends it.
//! - [`candidate`]: what runs beside; [`beside`]: a batch while there is one, by [`gather`];
//!   [`split`] tells which records a canary serves, [`shadow`] scores on a thread of its own.
//! - [`comparison`]: the results of both ([`tally`], [`pairs`], [`times`]), as they are reported
//!   ([`report`]), and what the [`rules`] say of it; [`metrics`] and
//!   [`events`].

mod beside;
mod candidate;
mod comparison;
pub(crate) mod events;
mod gather;
pub mod metrics;
mod pairs;
mod report;
mod rules;
pub(crate) mod shadow;
mod split;
mod state;
mod tally;
mod terms;
mod times;

pub(crate) use candidate::{Candidate, Role};
pub use comparison::Comparison;
pub use report::{Confused, Report, Side};
pub use rules::Verdict;
pub use split::Split;
pub(crate) use state::Rollouts;
pub use state::{End, Ended, Rollout};
pub use terms::{By, Mode, Rules, Share, Terms, TermsError, Then};
