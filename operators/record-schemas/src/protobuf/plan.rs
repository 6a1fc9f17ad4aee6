//! What to do with each field of a record.

use prost_reflect::MessageDescriptor;

use super::compile::Compiler;
use crate::fault::Fault;
use crate::found::{Found, Value};
use crate::place::{Place, Tree};

/// How to read records that are one message, for places that are wanted.
#[derive(Debug)]
pub struct Plan {
    pub(crate) messages: Vec<Message>,
    pub(crate) root: usize,
    /// How many lists are counted.
    pub(crate) lists: usize,
    /// Lists that are wanted whole, and how many values each must have.
    pub(crate) whole: Vec<(usize, Vec<u32>)>,
    places: usize,
    absent: Vec<usize>,
    /// What is known of the record that is read.
    state: std::cell::RefCell<State>,
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

impl Plan {
    /// A plan for records that are this message.
    ///
    /// # Errors
    /// If there is more in it than can be planned.
    pub fn new(message: &MessageDescriptor, places: &[Place]) -> Result<Plan, String> {
        let tree = Tree::of(places);
        let mut compiler = Compiler::new(places.len());
        let root = compiler.message(message, &tree)?;
        let reached = compiler.reached.iter().enumerate();
        let absent = reached.filter(|(_, reached)| !**reached).map(|(place, _)| place).collect();
        Ok(Plan {
            messages: compiler.messages,
            root,
            lists: compiler.lists,
            whole: compiler.whole,
            places: places.len(),
            absent,
            state: std::cell::RefCell::default(),
        })
    }

    /// The places that no record of this schema has, by their indices.
    pub fn absent(&self) -> &[usize] {
        &self.absent
    }

    /// Room for what is found.
    pub fn found(&self) -> Found {
        Found::new(self.places)
    }

    /// Finds what is wanted in a record. The room may be that of another plan for the same places.
    ///
    /// # Errors
    /// If it is no record of the schema.
    pub fn read(&self, record: &[u8], found: &mut Found) -> Result<(), Fault> {
        if found.values.len() < self.places {
            *found = self.found();
        }
        found.clear();
        let mut state = self.state.take();
        let result = super::read::read(self, record, found, &mut state);
        self.state.replace(state);
        result
    }
}
