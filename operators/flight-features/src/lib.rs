//! Flight records to features: an extractor for the US DOT's on-time data.
//!
//! A record is one flight, in its value: a line of the 31-column CSV that H2O's
//! airline examples use ([`COLUMNS`]), or a JSON object with the names of these
//! columns as keys. Which columns go out is configuration ([`Config`]):
//!
//! ```toml
//! [stage.config]
//! format = "auto"            # or "csv", "json"
//! features = ["Year", "Month", "DayofMonth", "DayOfWeek", "CRSDepTime", "UniqueCarrier", "Origin", "Dest"]
//! separator = ","
//! max_bytes = 65536
//! ```
//!
//! All four have these values by default. A column is a number or a text, whatever
//! the format ([`Kind`]).
//!
//! # What each record gives
//!
//! Only the columns that go out ("wanted" below) are looked at. Of the others, a
//! line must have them, and that is all: their bytes may be anything, so that the
//! tail numbers of 2001, which are not UTF-8, do no harm to who does not want them.
//!
//! The text itself is read by [`sandbar_operator::text`], as in all operators.
//!
//! | record | result |
//! |---|---|
//! | line end LF, CRLF or none; a byte order mark of UTF-8 at the start | read |
//! | columns in quotes (RFC 4180), with separators, line ends or doubled quotes inside | read, without the quotes |
//! | `NA`, quoted or not, or nothing, in a wanted column | a missing value |
//! | spaces or tabs around a number | read; around `NA` or alone, a missing value |
//! | spaces around a text | part of it |
//! | a number such as `7.5`, `+3` or `1e3` | read |
//! | JSON: no such key, `null`, `""`, `"NA"` | a missing value |
//! | JSON: a number as a string, a whole number for a text | read as what the column is |
//! | JSON: other keys, whatever they hold | skipped |
//! | null value (tombstone) | failure `missing` |
//! | empty value, or only white space | failure `missing` |
//! | JSON: none of the wanted keys | failure `missing` |
//! | fewer or more than 31 columns | failure `malformed`, with the number |
//! | more after the line end | failure `malformed` |
//! | a quote inside an unquoted column, text after a closing quote, no closing quote | failure `malformed`, with the column's number |
//! | not JSON, not one object, more after the object | failure `malformed`, with the place |
//! | JSON: a wanted key twice | failure `malformed`, with the name |
//! | a wanted text that is not UTF-8 | failure `malformed`, with the name |
//! | UTF-16, UTF-32 | failure `unsupported`, with the encoding |
//! | a wanted number that is none, is out of range (`1e400`), or a word (`nan`, `inf`), in CSV, as a JSON number or string | failure `invalid`, with name and value |
//! | JSON: true, false, an array or an object in a wanted column; a number with a fraction in a text | failure `invalid`, with name and type |
//! | the header line (a line whose first column starts with `Year`) | failure `unsupported` |
//! | more than `max_bytes` | failure `too-large`, with both sizes |
//!
//! A record has one failure: the first that is met.

mod columns;
mod config;
mod csv;
mod fault;
mod json;
mod operator;
mod reader;
mod sink;
mod value;

pub use columns::{CLASSIC, COLUMNS, COUNT, Column, Kind};
pub use config::{Config, ConfigError, Feature, Format};
pub use fault::Fault;
pub use operator::FlightFeatures;
pub use reader::Reader;
pub use sink::Sink;
