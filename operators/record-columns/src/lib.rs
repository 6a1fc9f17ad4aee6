//! Columns of records: of JSON objects, lines of CSV, texts, and of Avro and Protobuf by a
//! schema; and of the records themselves, their keys, headers and places in a topic.
//!
//! What `record-features` and `record-filter` have in common. A [`Config`] says which columns there
//! are, where each comes from and what counts as missing. A [`Reader`] makes a row of them, a
//! [`Condition`] says whether something holds.
//!
//! Where things are, in the order in which a record passes:
//! - `config`, `entries`: the configuration as it is written. `wanted`: what goes out whatever it
//!   says. `layout`: what these come to.
//! - `values`: values to what is wanted of them. `envelope`: what a record has besides its value.
//! - `format`: the formats, each a file: `json`, `csv`, `text`, `schemas`. They leave what they found
//!   in `found`, as characters: what these mean is decided by `cell`, for all formats, by the
//!   `column`.
//! - `vocabulary`: all that as the variables of expressions. `derived`: columns that are computed
//!   from those that are read. `condition`: whether something holds for a record.
//! - `reader`: records to rows, into a `sink`; `quick`: what is mostly there, without detours.
//! - `fault`: why a record gives none.

mod cell;
mod column;
mod condition;
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
mod quick;
mod reader;
mod schemas;
mod sink;
mod text;
mod values;
mod vocabulary;
mod wanted;

pub use condition::Condition;
pub use config::{
    Absent, Booleans, ColumnConfig, ColumnEntry, Config, FormatName, Header, Kind, Part, Scalar,
    SchemaName, Source, Unknown,
};
pub use envelope::Envelope;
pub use fault::{Fault, Problem};
pub use reader::Reader;
pub use sink::Sink;
pub use wanted::Wanted;
