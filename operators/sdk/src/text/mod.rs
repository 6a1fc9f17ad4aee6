//! Text in records, configuration and model files: one way to read it, for all operators.
//!
//! What is read, what is refused and with which code does not depend on the operator, nor on
//! whether the same values come as CSV or as JSON. `docs/reference/text.md` has the table.
//!
//! ```
//! use sandbar_operator::text::{self, csv, json};
//!
//! # fn main() -> Result<(), text::Fault> {
//! // A byte order mark is no part of a text.
//! let line = text::bytes(b"\xef\xbb\xbfSFO,\"7\"\r\n")?;
//! let (line, _end) = csv::split_end(line);
//! let columns: Vec<_> = csv::Columns::new(line, b',').collect::<Result<_, _>>()?;
//! assert_eq!(text::number(&columns[1].bytes()), Ok(7.0));
//!
//! let mut delay = None;
//! let mut objects = json::Objects::new(["Delay"]);
//! objects.read(br#"{"Origin": "SFO", "Delay": 1e400}"#, |_, value| {
//!     delay = Some(value);
//!     Ok::<_, text::Fault>(())
//! })?;
//! assert_eq!(delay, Some(json::Value::Number(b"1e400")));
//! assert!(matches!(text::number(b"1e400"), Err(text::Fault::OutOfRange(_))));
//! # Ok(())
//! # }
//! ```

pub mod csv;
mod encoding;
mod fault;
pub mod json;
pub mod line;
mod marks;
mod number;
pub mod paths;
mod scan;
mod word;
mod written;

pub use encoding::{bytes, string};
pub use fault::{Fault, shown};
pub use number::number;
pub use word::{Short, Word, ascii_in, digits_in, string_in};
