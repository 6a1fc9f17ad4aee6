//! Models that a stage has without being granted any: an extractor makes rows for the scorers
//! behind it, so it may know what their models want.

use std::sync::Arc;

use sandbar_manifest::Manifest;
use sandbar_sandbox::{Grants, Operator};

use crate::graph::{Graph, Step};

/// Gives each extractor that the manifest grants no model those of the scorers that read it. A
/// scorer that reads another stage too, or gives columns other names, wants of it what its model
/// does not say.
pub(crate) fn lend<'a>(
    graph: &Graph,
    manifest: &Manifest,
    operators: impl Iterator<Item = &'a mut Operator>,
) {
    let renames = manifest.stages.iter().map(|stage| !stage.columns.is_empty());
    let mut stages: Vec<_> = operators.zip(renames).collect();
    for section in &graph.sections {
        for (at, step) in section.steps.iter().enumerate() {
            let Step::Extractor(extractor) = *step else { continue };
            if !stages[extractor].0.grants.models.is_empty() {
                continue;
            }
            let reads_it_alone = |step: &Step| match step {
                Step::Scorer { stage, inputs } if *inputs == [at] => Some(*stage),
                _ => None,
            };
            let mut models = Vec::new();
            for scorer in section.steps.iter().filter_map(reads_it_alone) {
                let (operator, renames) = &stages[scorer];
                for (name, model) in operator.grants.models.iter().filter(|_| !renames) {
                    if models.iter().all(|(known, _)| known != name) {
                        models.push((name.clone(), model.clone()));
                    }
                }
            }
            if !models.is_empty() {
                let grants = &mut stages[extractor].0.grants;
                *grants = Arc::new(Grants { models, ..(**grants).clone() });
            }
        }
    }
}
