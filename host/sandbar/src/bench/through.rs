//! What reaches a stage, as work for it.

use std::sync::Arc;

use anyhow::Result;

use super::work::Work;
use sandbar_pipeline::Plan;
use sandbar_pipeline::capture::Reached;
use sandbar_sandbox::{Extracted, Extractor, Operator};

impl Work {
    /// What these records are to a scorer behind an extractor.
    ///
    /// # Errors
    /// If the operator is no extractor, or a call fails.
    pub fn extracted(&self, extractor: &Operator) -> Result<Work> {
        let mut extractor = Extractor::new(extractor.clone())?;
        let fields = extractor.shape().clone();
        let tables = self.batches().iter().map(|batch| {
            let Extracted { table, .. } = extractor.extract(batch)?;
            Ok(table)
        });
        Ok(Work::Rows(tables.collect::<Result<_>>()?, fields))
    }

    /// What of these records reaches a stage of a pipeline.
    ///
    /// # Errors
    /// If a call fails.
    pub fn reaching(&self, plan: &Plan, stage: &Arc<str>) -> Result<Work> {
        Ok(match plan.reaching(stage, self.batches())? {
            Reached::Records(batches) => Work::Records(batches.into()),
            Reached::Rows(tables, fields) => Work::Rows(tables.into(), fields),
        })
    }
}
