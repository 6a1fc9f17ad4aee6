//! The outputs of a stage as input of the next.

use anyhow::Result;

use super::operator::Running;
use super::work::Work;
use sandbar_pipeline::chain;
use sandbar_record::Batch;
use sandbar_sandbox::{Extracted, Operator, Transformed};

impl Work {
    /// The outputs of `operator`: the work of the next stage. `None` for a scorer,
    /// which has no next stage.
    ///
    /// # Errors
    /// If the operator does not take this work, or a call fails.
    pub fn through(&self, operator: &Operator) -> Result<Option<Work>> {
        let mut running = Running::start(operator.clone(), self)?;
        let Work::Records(batches) = self else { return Ok(None) };
        Ok(match &mut running {
            Running::Extractor(extractor) => {
                let fields = extractor.shape().clone();
                let tables = batches.iter().map(|batch| {
                    let Extracted { table, .. } = extractor.extract(batch)?;
                    Ok(table)
                });
                Some(Work::Rows(tables.collect::<Result<_>>()?, fields))
            }
            Running::Transformer(transformer) => {
                let batches = batches.iter().map(|batch| {
                    let Transformed { records, .. } = transformer.transform(batch)?;
                    Ok(passed_on(chain::emitted(batch, records)))
                });
                Some(Work::Records(batches.collect::<Result<_>>()?))
            }
            Running::Scorer(_) => None,
        })
    }
}

/// The records of a transformer that go to the next stage.
fn passed_on((emitted, routes): (Batch, Vec<u32>)) -> Batch {
    let mut passed = Batch::new(emitted.topic.clone(), emitted.partition, emitted.len());
    for (record, route) in emitted.records().zip(routes) {
        if route == 0 {
            let (key, value) = (record.key(), record.value());
            passed.push(record.offset(), record.timestamp(), key, value, record.headers());
        }
    }
    passed
}
