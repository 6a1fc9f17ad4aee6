//! How to read records that are one message, for places that are wanted.

use std::cell::RefCell;

use prost_reflect::MessageDescriptor;

use super::compile::Compiler;
use super::field::{Program, State};
use super::read::read;
use crate::fault::Fault;
use crate::found::Found;
use crate::place::{Place, Tree};

/// How to read records that are one message, for places that are wanted.
#[derive(Debug)]
pub struct Plan {
    program: Program,
    places: usize,
    absent: Vec<usize>,
    /// What is known of the record that is read.
    state: RefCell<State>,
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
        let Compiler { messages, lists, whole, .. } = compiler;
        let program = Program { messages, root, lists, whole };
        Ok(Plan { program, places: places.len(), absent, state: RefCell::default() })
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
        let result = read(&self.program, record, found, &mut state);
        self.state.replace(state);
        result
    }
}
