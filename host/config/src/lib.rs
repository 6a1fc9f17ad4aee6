//! TOML documents that people write, read so that every error says file, line, key and the
//! way out.
//!
//! - [`Document`]: a file with the place of everything in it, and [`Problems`] with it.
//! - [`units`]: sizes, durations, text that must not be empty; [`settings`]: values that may
//!   be secrets, and then are in the environment or in a file.
//! - [`name_problem`]: what may be a name; [`json_members`]: TOML as JSON.
//!
//! It knows no document in particular, and may use `sandbar-files`.

mod document;
mod json;
mod list;
mod names;
pub mod settings;
pub mod units;

pub use document::{Document, KeyPath, Problem, Problems, nearest};
pub use json::{json_members, json_object, json_value};
pub use list::one_or_more;
pub use names::name_problem;
pub use units::size;
