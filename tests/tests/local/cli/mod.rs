//! Verbs of the command `sandbar` that need no broker.

mod chains;
mod check;
mod files;
mod inspect;
mod output;
mod run;
