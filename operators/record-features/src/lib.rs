//! Records to the columns that a model wants: an extractor for any records.
//!
//! A record's value is a JSON object, a line of CSV or a text. Which columns go out, and of
//! which type, is what the stage's models want: a MOJO says it, and a graph by its inputs.
//! Configuration ([`Config`]) says where else a column comes from, and what counts as missing:
//!
//! ```toml
//! [stages.config]
//! format = "json"
//! missing = ["NA"]
//! columns = [
//!     { name = "age", from = "customer.age", default = 40 },
//!     { name = "country", from = { header = "country" } },
//!     { name = "is-adult", expression = "age >= 18" },
//! ]
//! ```
//!
//! `docs/reference/record-features.md` has all keys, and what each record gives.
//!
//! Where things are, in the order in which a record passes:
//! - `config`, `entries`: the configuration as it is written. `wanted`: what models want.
//!   `layout`: what these come to.
//! - `reader`: records to rows, into a `sink`. `envelope`: what a record has besides its value.
//! - `format`: the formats, each a file: `json`, `csv`, `text`. They leave what they found in
//!   `found`, as characters: what these mean is decided by `cell`, for all formats, by the
//!   `column`.
//! - `derived`: columns that are computed from those.
//! - `fault`: why a record gives no row.

mod cell;
mod column;
mod config;
mod csv;
mod derived;
mod entries;
mod envelope;
mod fault;
mod format;
mod formats;
mod found;
mod json;
mod layout;
mod operator;
mod reader;
mod schemas;
mod sink;
mod text;
mod wanted;

pub use config::{
    Absent, Booleans, ColumnConfig, ColumnEntry, Config, FormatName, Header, Kind, Part, Scalar,
    SchemaName, Source, Unknown,
};
pub use envelope::{Bare, Envelope};
pub use fault::{Fault, Problem};
pub use operator::RecordFeatures;
pub use reader::Reader;
pub use sink::Sink;
