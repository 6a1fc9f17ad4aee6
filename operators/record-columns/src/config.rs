//! The configuration of the stage, as it is written. Every key has a default; keys that are
//! not named here are an error.

use serde::Deserialize;

/// The `config` table of a stage that runs this operator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What the records' values are. Default: `auto`.
    pub format: FormatName,
    /// What is to be said about columns, by their names: those of the model that it has, and
    /// further ones, which go out after them. Default: nothing.
    pub columns: Vec<ColumnEntry>,
    /// Columns that are read for the expressions of others, and do not go out. Default: none.
    pub inputs: Vec<ColumnEntry>,
    /// CSV: the names of a line's columns, in their order. Default: those that are read, in
    /// the order in which they go out.
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
    /// Avro, Protobuf: the schema with which all records were written, without an id in front of
    /// them. Default: that of the id in front of each, or in its header.
    pub schema: Option<SchemaName>,
    /// Avro: the schema as which records are read. Default: the one that they were written with.
    pub read_as: Option<SchemaName>,
    /// Protobuf: the message that records are. Default: what a record says, or the first of
    /// `schema`.
    pub message: Option<String>,
    /// The largest value that is read, in bytes; a larger one fails. Default: 1 MiB.
    pub max_bytes: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            format: FormatName::Auto,
            columns: Vec::new(),
            inputs: Vec::new(),
            fields: Vec::new(),
            separator: ',',
            header: Header::Refuse,
            missing: Vec::new(),
            absent: Absent::Fail,
            unknown: Unknown::Skip,
            booleans: Booleans::Fail,
            schema: None,
            read_as: None,
            message: None,
            max_bytes: 1 << 20,
        }
    }
}

/// What the records' values are. Another format is a name here, a row in
/// [`formats::reader`](crate::formats::reader) and a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormatName {
    /// Each record for itself: JSON where the first character that is no space is `{` or
    /// `[`, else CSV.
    Auto,
    /// One line of CSV.
    Csv,
    /// One JSON object.
    Json,
    /// One text, which is one column.
    Text,
    /// Avro's binary form, by a schema of the pipeline.
    Avro,
    /// Protobuf, by a schema of the pipeline.
    Protobuf,
    /// One JSON object behind the id of its schema, which is not looked at.
    JsonSchema,
}

/// A schema of the pipeline's `[schemas]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchemaName {
    /// The latest version of a subject.
    Subject(String),
    /// A file, by its name.
    File(String),
}

/// What is said about a column: its name alone, or more.
#[derive(Clone, Debug)]
pub enum ColumnEntry {
    /// It is read under its name.
    Name(String),
    /// With more.
    Column(Box<ColumnConfig>),
}

impl ColumnEntry {
    /// The column's name.
    pub fn name(&self) -> &str {
        match self {
            ColumnEntry::Name(name) => name,
            ColumnEntry::Column(column) => &column.name,
        }
    }

    /// Whether it is computed of others.
    pub fn is_derived(&self) -> bool {
        matches!(self, ColumnEntry::Column(column) if column.expression.is_some())
    }
}

/// What is said about a column.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnConfig {
    /// The name under which it goes out.
    pub name: String,
    /// Where it comes from. Default: the value's key or column of this name.
    #[serde(default)]
    pub from: Option<Source>,
    /// What it holds. Default: what the model says; without one, a number.
    #[serde(default, rename = "type")]
    pub kind: Option<Kind>,
    /// What it is in every record, in place of `from`.
    #[serde(default)]
    pub constant: Option<Scalar>,
    /// What it is computed as, in place of `from`: of the columns that are read and of the record
    /// (`docs/reference/expressions.md`).
    #[serde(default)]
    pub expression: Option<String>,
    /// What it is where the record has nothing, or says that there is no value.
    #[serde(default)]
    pub default: Option<Scalar>,
    /// For this column, in place of the stage's.
    #[serde(default)]
    pub missing: Option<Vec<String>>,
    /// For this column, in place of the stage's.
    #[serde(default)]
    pub absent: Option<Absent>,
}

/// Where a column comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The record's value: of JSON a pointer (`/customer/age`) or a dotted path
    /// (`customer.age`), of CSV the name of a field.
    Path(String),
    /// The last header of this name.
    Header(String),
    /// The record itself.
    Record(Part),
}

/// What a record has besides its value and headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Its key, as text.
    Key,
    /// The topic that it was read from.
    Topic,
    /// The partition of the topic.
    Partition,
    /// Its offset in the partition.
    Offset,
    /// Milliseconds since the epoch.
    Timestamp,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A number; goes out as `f64`, or as an element of a tensor.
    Number,
    /// A text, such as a category.
    Text,
}

/// A value of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// What a line with the names of the columns is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Header {
    /// It fails as `unsupported`.
    Refuse,
    /// It is not looked for: a record may have these very texts.
    Data,
}

/// What a column is of which a record has nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Absent {
    /// The record fails, as `missing`.
    Fail,
    /// It is a missing value.
    Missing,
}

/// What a key is that no column is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    /// It is skipped.
    Skip,
    /// The record fails, as `invalid`.
    Fail,
}

/// What a boolean is where a number or text is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Booleans {
    /// The record fails, as `invalid`.
    Fail,
    /// The number 1 or 0, the text `true` or `false`.
    Convert,
}
