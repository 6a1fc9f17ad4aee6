//! What the pipeline says.

use record_columns::{
    Absent, Booleans, ColumnEntry, Config as Columns, FormatName, Header, SchemaName, Unknown,
};
use serde::Deserialize;

/// The `config` table of a stage that runs this operator. Keys that are not named here are an
/// error. All but the first two say how records are read, as for `record-features`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The expression that holds for the records that go on. Required.
    pub keep: String,
    /// What becomes of a record where `keep` depends on a value that is missing. Default: it fails.
    pub on_missing: OnMissing,
    /// The columns that `keep` may name. Default: none, and the value is not looked at.
    pub columns: Vec<ColumnEntry>,
    /// What the records' values are. Default: `auto`.
    pub format: FormatName,
    /// CSV: the names of a line's columns, in their order. Default: those of `columns`.
    pub fields: Vec<String>,
    /// CSV: what separates the columns of a line. Default: `,`.
    pub separator: char,
    /// CSV: what a line with the names of the columns is. Default: it is refused.
    pub header: Header,
    /// Texts that say that there is no value, besides the empty one. Default: none.
    pub missing: Vec<String>,
    /// What a column is of which a record has nothing. Default: the record fails.
    pub absent: Absent,
    /// JSON: what a key is that no column is read from. Default: it is skipped.
    pub unknown: Unknown,
    /// What a boolean is where a number or text is wanted. Default: the record fails.
    pub booleans: Booleans,
    /// Avro, Protobuf: the schema with which all records were written.
    pub schema: Option<SchemaName>,
    /// Avro: the schema as which records are read.
    pub read_as: Option<SchemaName>,
    /// Protobuf: the message that records are.
    pub message: Option<String>,
    /// The largest value that is read, in bytes; a larger one fails. Default: 1 MiB.
    pub max_bytes: usize,
}

/// What becomes of a record of which a value is missing that decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnMissing {
    /// It becomes a dead letter with code `missing`.
    #[default]
    Fail,
    /// It goes on.
    Keep,
    /// It is dropped.
    Drop,
}

impl Default for Config {
    fn default() -> Config {
        // What is not said is as for `record-features`.
        let Columns {
            format,
            columns,
            inputs: _,
            fields,
            separator,
            header,
            missing,
            absent,
            unknown,
            booleans,
            schema,
            read_as,
            message,
            max_bytes,
        } = Columns::default();
        Config {
            keep: String::new(),
            on_missing: OnMissing::default(),
            columns,
            format,
            fields,
            separator,
            header,
            missing,
            absent,
            unknown,
            booleans,
            schema,
            read_as,
            message,
            max_bytes,
        }
    }
}

impl From<Config> for Columns {
    /// How records are read.
    fn from(config: Config) -> Columns {
        Columns {
            format: config.format,
            columns: config.columns,
            inputs: Vec::new(),
            fields: config.fields,
            separator: config.separator,
            header: config.header,
            missing: config.missing,
            absent: config.absent,
            unknown: config.unknown,
            booleans: config.booleans,
            schema: config.schema,
            read_as: config.read_as,
            message: config.message,
            max_bytes: config.max_bytes,
        }
    }
}
