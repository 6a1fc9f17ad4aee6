//! A roll-out: a candidate, made of other models or components, runs beside what serves,
//! is compared with it, and is promoted or dropped.
//!
//! - [`spec`]: what is asked for; [`state`]: what is under way. The deployment starts and
//!   ends it.
//! - [`candidate`]: what runs beside; [`dual_run`]: a batch while there is one, by [`gather`];
//!   [`split`] tells which records a canary serves, [`shadow`] scores on a thread of its own.
//! - [`comparison`]: the results of both ([`tally`], [`agreement`], by [`stages`], [`latency`]), as they are reported
//!   ([`report`]), and what the [`rules`] say of it; [`metrics`] and
//!   [`events`].

mod agreement;
mod candidate;
mod comparison;
mod dual_run;
pub(crate) mod events;
mod gather;
mod latency;
pub mod metrics;
mod report;
mod rules;
pub(crate) mod shadow;
mod spec;
mod split;
mod stages;
mod state;
mod tally;

pub(crate) use candidate::{Candidate, Role};
pub use comparison::Comparison;
pub use report::{Confused, RolloutReport, Side, StageReport};
pub use rules::Verdict;
pub use spec::{Fraction, Mode, OnPass, RolloutSpec, RolloutSpecError, Rules, SplitKey};
pub use split::Split;
pub(crate) use state::Rollouts;
pub use state::{End, Ended, Rollout};
