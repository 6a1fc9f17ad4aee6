//! Samples, answered by a pipeline.

use sandbar_model::SampleContent;
use sandbar_model::samples::Table;

use crate::plan::Plan;
use crate::trials::predictors;
use crate::validation::{answers, predict_pictures, predict_rows};

impl Plan {
    /// The samples as a table, with the predictions of a stage as the expected ones.
    ///
    /// # Errors
    /// If it makes no predictions, or not of these samples.
    pub fn answers(&self, stage: &str, samples: &SampleContent) -> Result<Table, String> {
        let chain = self.chain().map_err(|error| error.to_string())?;
        let predictors = predictors(&self.stages, &self.graph, self.batch, &chain);
        let predictors = predictors.iter().find(|it| &*it.scorer.stage == stage);
        let predictors =
            predictors.ok_or_else(|| format!("stage '{stage}' makes no predictions"))?;
        let (table, predicted) = match samples {
            SampleContent::Table(table) => (table, predict_rows(table, predictors)),
            SampleContent::Pictures(table, files) => (table, predict_pictures(files, predictors)),
            SampleContent::Tensors(_) => {
                return Err("tensors have no predictions, but outputs of the graph".to_owned());
            }
        };
        let (output, predicted) = predicted.map_err(|(row, reason)| match row {
            Some(row) => format!("row {} (line {}): {reason}", row + 1, table.rows[row].line),
            None => reason,
        })?;
        Ok(answers(table, &output, &predicted))
    }
}
