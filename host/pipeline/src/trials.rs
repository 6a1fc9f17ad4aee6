//! The scorers of a plan, as they are tried with samples.

use sandbar_record::BatchLimits;

use crate::chain::Chain;
use crate::graph::{Graph, Step};
use crate::stage_plan::StagePlan;
use crate::validation::Predictors;

/// The scorers, for samples, in the order of the pipeline.
pub(crate) fn predictors<'a>(
    stages: &'a [StagePlan],
    graph: &Graph,
    limits: BatchLimits,
    chain: &'a Chain,
) -> Vec<Predictors<'a>> {
    let steps = graph.sections.iter().flat_map(|it| it.steps.iter().map(move |step| (it, step)));
    let scorers = steps.filter_map(|(section, step)| match step {
        Step::Scorer { stage, inputs } => Some((section, *stage, inputs)),
        Step::Extractor(_) => None,
    });
    let predictors = scorers.zip(chain.scorers()).map(|((section, stage, inputs), step)| {
        // What it is given of a record is what this extractor makes of it.
        let extractor = match inputs.as_slice() {
            [input] => match section.steps[*input] {
                Step::Extractor(stage) => Some(&stages[stage].operator),
                Step::Scorer { .. } => None,
            },
            _ => None,
        };
        let scorer = &stages[stage].operator;
        Predictors { extractor, scorer, fields: &step.columns.fields, limits }
    });
    predictors.collect()
}
