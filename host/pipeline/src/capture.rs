//! What reaches one stage of a pipeline, for measurements: the stages before it are run as ever, and
//! what this one is given is kept.

use std::sync::Arc;

use sandbar_record::Batch;
use sandbar_sandbox::{Column, Field, Table};

/// What reaches a stage.
#[derive(Debug)]
pub enum Reached {
    /// For transformers and extractors.
    Records(Vec<Batch>),
    /// For scorers: tables, and their columns.
    Rows(Vec<Table>, Vec<Field>),
}

/// What has reached a stage until now.
#[derive(Debug)]
pub(crate) struct Capture {
    stage: Arc<str>,
    records: Vec<Batch>,
    tables: Vec<Table>,
    fields: Vec<Field>,
}

impl Capture {
    /// Of this stage.
    pub(crate) fn of(stage: Arc<str>) -> Self {
        Capture { stage, records: Vec::new(), tables: Vec::new(), fields: Vec::new() }
    }

    /// Whether what reaches this stage is wanted.
    fn is_of(&self, stage: &Arc<str>) -> bool {
        self.stage == *stage
    }

    /// Keeps records that reach a stage, if they are wanted.
    pub(crate) fn records(&mut self, stage: &Arc<str>, batch: &Batch) {
        if self.is_of(stage) {
            self.records.push(batch.clone());
        }
    }

    /// Keeps columns that reach a scorer, if they are wanted.
    pub(crate) fn rows<'a>(
        &mut self,
        stage: &Arc<str>,
        rows: u32,
        columns: impl Iterator<Item = &'a Column>,
        fields: &[Field],
    ) {
        if self.is_of(stage) {
            self.fields = fields.to_vec();
            self.tables.push(Table { rows, columns: columns.cloned().collect() });
        }
    }

    /// What has reached it.
    pub(crate) fn reached(self) -> Reached {
        match self.tables.is_empty() {
            true => Reached::Records(self.records),
            false => Reached::Rows(self.tables, self.fields),
        }
    }
}
