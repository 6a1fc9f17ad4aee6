//! The scorers of a plan, as they are tried with samples.

use sandbar_model::SampleContent;
use sandbar_model::samples::Table;

use crate::chain::Chain;
use crate::graph::Step;
use crate::plan::Plan;
use crate::validation::{Predictors, answers, predict_pictures, predict_rows};

impl Plan {
    /// The samples as a table, with the predictions of a stage as the expected ones.
    ///
    /// # Errors
    /// If it makes no predictions, or not of these samples.
    pub fn answers(&self, stage: &str, samples: &SampleContent) -> Result<Table, String> {
        let chain = self.chain().map_err(|error| error.to_string())?;
        let predictors = self.predictors(&chain);
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

    /// The scorers, for samples, in the order of the pipeline.
    pub(crate) fn predictors<'a>(&'a self, chain: &'a Chain) -> Vec<Predictors<'a>> {
        let steps =
            self.graph.sections.iter().flat_map(|it| it.steps.iter().map(move |step| (it, step)));
        let scorers = steps.filter_map(|(section, step)| match step {
            Step::Scorer { stage, inputs } => Some((section, *stage, inputs)),
            Step::Extractor(_) => None,
        });
        let predictors = scorers.zip(chain.scorers()).map(|((section, stage, inputs), step)| {
            // What it is given of a record is what this extractor makes of it.
            let extractor = match inputs.as_slice() {
                [input] => match section.steps[*input] {
                    Step::Extractor(stage) => Some(&self.stages[stage].operator),
                    Step::Scorer { .. } => None,
                },
                _ => None,
            };
            let scorer = &self.stages[stage].operator;
            Predictors { extractor, scorer, fields: &step.columns.fields, limits: self.batch }
        });
        predictors.collect()
    }
}
