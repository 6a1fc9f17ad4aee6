//! The work in the format that the native program reads.

use serde::Serialize;

use crate::bench::work::Work;
use sandbar_inference::Content;
use sandbar_sandbox::{Column, Field, FieldType, Grants};

/// The program's input: the set-up, and all calls.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    config: &'a str,
    models: Vec<Model<'a>>,
    topics: &'a [String],
    fields: Vec<FieldMessage<'a>>,
    batches: Vec<Batch<'a>>,
    tables: Vec<Table<'a>>,
}

#[derive(Serialize)]
struct Model<'a> {
    name: &'a str,
    description: &'a str,
    bytes: Option<&'a [u8]>,
}

#[derive(Serialize)]
struct FieldMessage<'a> {
    name: &'a str,
    ty: String,
    dimensions: &'a [u32],
}

#[derive(Serialize)]
struct Batch<'a> {
    topic: &'a str,
    partition: i32,
    offsets: &'a [i64],
    timestamps: &'a [i64],
    bytes: &'a [u8],
    ends: &'a [u32],
    nulls: &'a [u8],
}

#[derive(Serialize)]
struct Table<'a> {
    rows: u32,
    columns: Vec<ColumnMessage<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum ColumnMessage<'a> {
    /// The numbers' bits: JSON has no NaN.
    Numbers(Vec<u64>),
    Text {
        bytes: &'a [u8],
        ends: &'a [u32],
    },
    Tensor(&'a [u8]),
}

impl<'a> Message<'a> {
    pub(super) fn new(grants: &'a Grants, work: &'a Work) -> Self {
        let models = grants.models.iter().map(|(name, artifact)| Model {
            name,
            description: &artifact.description,
            bytes: match &artifact.content {
                Content::Bytes(bytes) => Some(bytes),
                Content::Graph(_) => None,
            },
        });
        let (fields, batches, tables) = match work {
            Work::Records(batches) => (&[][..], batches.iter().map(batch).collect(), Vec::new()),
            Work::Rows(tables, fields) => {
                let tables = tables.iter().map(|table| Table {
                    rows: table.rows,
                    columns: table.columns.iter().map(column).collect(),
                });
                (fields.as_slice(), Vec::new(), tables.collect())
            }
        };
        Message {
            config: &grants.config,
            models: models.collect(),
            topics: &grants.topics,
            fields: fields.iter().map(field).collect(),
            batches,
            tables,
        }
    }
}

fn batch(batch: &sandbar_record::Batch) -> Batch<'_> {
    let sandbar_record::Batch { topic, partition, offsets, timestamps, bytes, ends, nulls } = batch;
    Batch { topic, partition: *partition, offsets, timestamps, bytes, ends, nulls }
}

fn column(column: &Column) -> ColumnMessage<'_> {
    match column {
        Column::Numbers(numbers) => {
            ColumnMessage::Numbers(numbers.iter().map(|number| number.to_bits()).collect())
        }
        Column::Text(text) => ColumnMessage::Text { bytes: &text.bytes, ends: &text.ends },
        Column::Tensor(data) => ColumnMessage::Tensor(data),
    }
}

fn field(field: &Field) -> FieldMessage<'_> {
    let (ty, dimensions) = match &field.ty {
        FieldType::Number => ("number".to_owned(), &[][..]),
        FieldType::Text => ("text".to_owned(), &[][..]),
        FieldType::Tensor(shape) => {
            (format!("{:?}", shape.element).to_lowercase(), shape.dimensions.as_slice())
        }
    };
    FieldMessage { name: &field.name, ty, dimensions }
}
