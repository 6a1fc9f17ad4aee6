//! How to read records of a schema, for places that are wanted.

use std::collections::HashMap;

use super::node::Program;
use super::read::read;
use super::resolve::Compiler;
use super::schema::Schema;
use crate::fault::Fault;
use crate::found::Found;
use crate::place::{Place, Tree};

/// How to read records of a schema, for places that are wanted.
#[derive(Debug)]
pub struct Plan {
    program: Program,
    places: usize,
    absent: Vec<usize>,
}

impl Plan {
    /// A plan for records that were written with one schema and are wanted as another has them,
    /// or as they are.
    ///
    /// # Errors
    /// If what is wanted cannot be read with the other schema.
    pub fn new(writer: &Schema, reader: Option<&Schema>, places: &[Place]) -> Result<Plan, String> {
        let tree = Tree::of(places);
        let mut compiler = Compiler {
            writer,
            reader,
            nodes: Vec::new(),
            skips: HashMap::new(),
            sizes: HashMap::new(),
            reached: vec![false; places.len()],
            extra: places.len(),
        };
        let root = compiler.compile(writer.root, reader.map(|reader| reader.root), &tree)?;
        let reached = compiler.reached.iter().enumerate();
        let absent = reached.filter(|(_, reached)| !**reached).map(|(place, _)| place).collect();
        let program = Program { nodes: compiler.nodes, root };
        Ok(Plan { program, places: compiler.extra, absent })
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
        read(&self.program, record, found)
    }
}
