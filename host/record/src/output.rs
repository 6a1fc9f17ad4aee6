//! Output records: what a pipeline makes of records.

use std::sync::Arc;

use crate::batch::Record;

/// One output record.
pub struct Output<'a> {
    /// Index in the batch of the record that it comes from.
    pub origin: usize,
    /// The index of its topic among the plan's.
    pub topic: usize,
    /// The model that made it, `name@version`, where it is a prediction.
    pub model: Option<&'a str>,
    /// Which variant made it, while two make outputs.
    pub variant: Option<Variant>,
    /// Key, headers and timestamp.
    pub record: Record<'a>,
    /// The value.
    pub value: Option<&'a [u8]>,
    /// What its headers say of the schema of the value.
    pub schema: &'a SchemaHeader,
}

/// What the headers of an output say of the schema of its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SchemaHeader {
    /// What those of its record say, if anything.
    #[default]
    Kept,
    /// Nothing.
    Removed,
    /// This id.
    Set(Arc<[u8]>),
}

/// Which variant made something, while a candidate runs beside what serves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Variant {
    /// What serves.
    #[default]
    Serving,
    /// The candidate of a roll-out.
    Candidate,
}

impl Variant {
    /// The name in headers and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Variant::Serving => "serving",
            Variant::Candidate => "candidate",
        }
    }
}
