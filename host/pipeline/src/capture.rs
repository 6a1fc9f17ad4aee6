//! What reaches one stage of a pipeline, for measurements: the stages before it are run as ever, and
//! what this one is given is kept.

use std::sync::Arc;

use sandbar_record::Batch;
use sandbar_sandbox::{CallError, Column, Field, Operator, Table};

use crate::outcome::Outcome;
use crate::plan::{Plan, PlanError};

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

impl Outcome {
    /// Keeps records that reach a stage, if they are wanted.
    pub(crate) fn capture_records(&mut self, stage: &Arc<str>, batch: &Batch) {
        if let Some(capture) = self.capture.as_deref_mut().filter(|it| it.stage == *stage) {
            capture.records.push(batch.clone());
        }
    }

    /// Keeps columns that reach a scorer, if they are wanted.
    pub(crate) fn capture_rows<'a>(
        &mut self,
        stage: &Arc<str>,
        rows: u32,
        columns: impl Iterator<Item = &'a Column>,
        fields: &[Field],
    ) {
        if let Some(capture) = self.capture.as_deref_mut().filter(|it| it.stage == *stage) {
            capture.fields = fields.to_vec();
            capture.tables.push(Table { rows, columns: columns.cloned().collect() });
        }
    }
}

/// Why nothing reaches a stage.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The pipeline cannot run.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A call of a stage before it, or of the stage itself, failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Plan {
    /// The operators of its stages.
    pub fn operators(&self) -> impl Iterator<Item = &Operator> {
        self.stages.iter().map(|stage| &stage.operator)
    }

    /// What of these batches reaches a stage.
    ///
    /// # Errors
    /// If a call fails.
    pub fn reaching(&self, stage: &Arc<str>, batches: &[Batch]) -> Result<Reached, CaptureError> {
        let mut chain = self.chain()?;
        let capture = Capture {
            stage: stage.clone(),
            records: Vec::new(),
            tables: Vec::new(),
            fields: Vec::new(),
        };
        let mut outcome = Outcome { capture: Some(Box::new(capture)), ..Outcome::default() };
        for batch in batches {
            chain.process(batch, &mut outcome)?;
        }
        let capture = outcome.capture.take();
        Ok(match capture {
            Some(capture) if !capture.tables.is_empty() => {
                Reached::Rows(capture.tables, capture.fields)
            }
            Some(capture) => Reached::Records(capture.records),
            None => Reached::Records(Vec::new()),
        })
    }
}
