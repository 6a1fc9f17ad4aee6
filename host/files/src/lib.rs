//! Files from outside: the one place where the runner opens them.
//!
//! - [`read`], [`read_text`], [`open`]: a regular file, never waited for, and bounded while it
//!   is read; [`limits`] has how much of what is read. [`open_input`] takes what may stream.
//! - [`open_own`]: what the runner itself wrote; [`open_part`]: what it is writing.
//! - [`read_secret`], [`open_secret`]: the same for what nobody else may write.
//! - [`own`], [`strict`]: folders that nobody else can write to, by descriptor.
//! - [`Store`]: a folder of entries that only this user can have made.
//!
//! Elsewhere in the runner's crates `std::fs::read` and its like are refused by
//! `clippy.toml`. It knows nothing of what the files are for, and may use no other crate of
//! the runner.

mod folder;
pub mod limits;
mod open;
mod secret;
mod store;

pub use folder::{own, strict};
pub use open::{exact, open, open_input, open_own, open_part, read, read_text};
pub use secret::{open_secret, read_secret};
pub use store::Store;
