//! What to do with each value of a record.

use super::schema::Type;
use crate::found::Value;

/// All that is done with a record: how to read each value, and which is the record itself.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: usize,
}

/// What to do with a value of the writer's schema.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// Values that are read, and put at places, if there are any.
    Null(Vec<usize>),
    Boolean(Vec<usize>),
    /// The reader may have it as a number of fewer digits.
    Int(Vec<usize>, Width),
    Long(Vec<usize>, Width),
    Float(Vec<usize>),
    Double(Vec<usize>),
    /// Bytes, or a string, that become a text; the bytes of a text need not be one.
    Text(Vec<usize>),
    /// Bytes of no meaning.
    Bytes(Vec<usize>),
    Decimal(Vec<usize>, u32),
    Fixed(Vec<usize>, usize, Fixed),
    /// The symbols, as the reader has them.
    Enum(Vec<usize>, Vec<Option<String>>),
    /// The fields; what only the reader has.
    Record(Vec<usize>, Constants),
    /// Something without a value of its own, and then its parts.
    Marked(Vec<usize>, &'static str, usize),
    /// How an item is skipped, whether it has any bytes; items that are wanted, by their index;
    /// arrays that are wanted whole.
    Array {
        skip: usize,
        empty: bool,
        items: Vec<(usize, usize)>,
        whole: Vec<Whole>,
    },
    /// How a value is skipped; values that are wanted, by their keys.
    Map {
        skip: usize,
        values: Vec<(String, usize)>,
    },
    /// What to do with each branch.
    Union(Vec<usize>),
    /// The reader has no such value.
    Unresolved(String),
}

/// What a whole number becomes for the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    Whole,
    Float,
    Double,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fixed {
    Bytes,
    Decimal(u32),
    Uuid,
    Duration,
}

/// Values of the fields that only the reader has.
pub(crate) type Constants = Vec<(usize, Constant)>;

/// Such a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    Value(Value),
    Text(String),
    Decimal(String),
    Array(Vec<Value>),
}

/// An array whose items are wanted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Whole {
    pub(crate) place: usize,
    /// Whether it is no item of another that is wanted whole.
    pub(crate) outer: bool,
    /// The place of an item while it is read; `None`: items are arrays themselves.
    pub(crate) item: Option<usize>,
    pub(crate) node: usize,
    /// How many items it must have.
    pub(crate) size: u32,
}

/// What a type is, for messages.
pub(crate) fn kind(ty: &Type) -> &'static str {
    match ty {
        Type::Null => "null",
        Type::Boolean => "a boolean",
        Type::Int => "an int",
        Type::Long => "a long",
        Type::Float => "a float",
        Type::Double => "a double",
        Type::Bytes(_) => "bytes",
        Type::String => "a string",
        Type::Fixed(..) => "a fixed",
        Type::Enum(..) => "an enum",
        Type::Record(..) => "a record",
        Type::Array(_) => "an array",
        Type::Map(_) => "a map",
        Type::Union(_) => "a union",
        Type::Open => "a type without definition",
    }
}
