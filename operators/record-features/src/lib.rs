//! Records to the columns that a model wants: an extractor for any records.
mod cell;
mod config;
mod csv;
mod entries;
mod envelope;
mod fault;
mod format;
mod found;
mod json;
mod layout;
mod operator;
mod reader;
mod schemas;
mod text;
mod wanted;

pub use config::{
    Absent, Booleans, ColumnConfig, ColumnEntry, Config, FormatName, Header, Kind, Part, Scalar,
    SchemaName, Source, Unknown,
};
pub use envelope::{Bare, Envelope};
pub use fault::{Fault, Problem};
pub use operator::RecordFeatures;
pub use reader::{Reader, Sink};
