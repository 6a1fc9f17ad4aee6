//! What to do with each field of a record.

use crate::found::Value;

/// All that is done with a record.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) messages: Vec<Message>,
    pub(crate) root: usize,
    /// How many lists are counted.
    pub(crate) lists: usize,
    /// Lists that are wanted whole, and how many values each must have.
    pub(crate) whole: Vec<(usize, Vec<u32>)>,
}

/// What a record's messages are, while it is read.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Which messages it has.
    pub(crate) entered: Vec<bool>,
    /// How many values each list has so far.
    pub(crate) counts: Vec<u64>,
}

/// A message at one place of a record.
#[derive(Debug, Default)]
pub(crate) struct Message {
    /// By their numbers, in order.
    pub(crate) fields: Vec<Field>,
    /// What is at its places where the record has the message, but not the fields.
    pub(crate) defaults: Vec<(usize, Default)>,
    /// All that is here and below: places, messages, lists.
    pub(crate) places: Vec<usize>,
    pub(crate) messages: Vec<usize>,
    pub(crate) lists: Vec<usize>,
}

/// What a field has that is not there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Default {
    Value(Value),
    Text(String),
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) number: u32,
    /// Of fields of which only one may be there, the last counts.
    pub(crate) oneof: Option<usize>,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    /// Nothing that is wanted.
    Skip,
    One(Slot),
    List {
        list: usize,
        /// How its values are written, where they can be end to end.
        packed: Option<Scalar>,
        items: Vec<(u64, Slot)>,
        /// Places that are the whole list, with the number of values at the most.
        whole: Vec<(usize, u64)>,
        /// How a value is read for these; `None`: it is no number or text.
        item: Option<Scalar>,
    },
    Map {
        key: Scalar,
        /// What values are.
        values: Vec<(String, Slot)>,
    },
}

/// Where one value goes.
#[derive(Debug, Clone)]
pub(crate) enum Slot {
    Scalar(Scalar, Vec<usize>),
    Message { message: usize, group: bool, here: Vec<usize> },
}

/// How a value is written that is no message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    /// Names by their numbers, in order; whether it may have others.
    Enum(Vec<(i32, String)>, bool),
}
