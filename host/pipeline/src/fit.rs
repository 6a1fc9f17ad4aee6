//! The stages of a plan as a chain for one worker: instances, and the columns that each is given.

use std::sync::Arc;

use sandbar_manifest::{Format, FormatError};
use sandbar_sandbox::{Extractor, Field, Scorer, Transformer};

use crate::chain::{Chain, Link, Predictor, Routed, ScorerStep, Step as ChainStep};
use crate::encoding::{Predicting, SchemaContext, Writer};
use crate::graph::{Begin, Columns, Graph, GraphError, Place, Section, Step, prediction_fields};
use crate::plan_error::Reason;
use crate::routing::RoutePlan;
use crate::stage_plan::{StagePlan, models_of};

/// What is fitted.
pub(crate) struct Stages<'a> {
    pub(crate) stages: &'a [StagePlan],
    pub(crate) graph: &'a Graph,
    pub(crate) format: &'a Format,
    pub(crate) routes: Option<&'a RoutePlan>,
    /// What writers by a schema are made with.
    pub(crate) context: &'a SchemaContext,
    /// Bytes that may be made of a batch.
    pub(crate) outputs: usize,
}

impl Stages<'_> {
    /// The chain, each stage with a warm instance.
    pub(crate) fn fit(&self) -> Result<Chain, Reason> {
        let sections = &self.graph.sections;
        let last = sections.iter().rposition(|section| !section.steps.is_empty());
        let predicts = sections.last().is_some_and(|section| !section.steps.is_empty());
        if !predicts && matches!(self.format, Format::Schema(_)) {
            return Err(FormatError::NotPredictions.into());
        }
        let (mut links, mut scorers) = (Vec::new(), 0);
        for (at, section) in sections.iter().enumerate() {
            if let Begin::Transformer(stage) = section.begin {
                let StagePlan { operator, routes, .. } = &self.stages[stage];
                let transformer = Transformer::new(operator.clone())?;
                let routed = Routed { transformer, topics: routes.clone() };
                links.push(Link::Transformer(Box::new(routed)));
            }
            if !section.steps.is_empty() {
                // Predictions that stages read are whole; the last ones are as the sink wants them.
                let whole = Format::Json { top: None };
                let format = if last == Some(at) { self.format } else { &whole };
                links.push(Link::Predictor(self.predictor(section, format, &mut scorers)?));
            }
        }
        let (model, scorers) = match (links.last(), last) {
            (Some(Link::Predictor(predictor)), Some(at)) => {
                (predictor.model.clone(), self.predicting(&sections[at], &predictor.steps))
            }
            _ => (None, Vec::new()),
        };
        let router = self.routes.map(|routes| routes.fit(&scorers, self.context));
        let router = router.transpose().map_err(Box::new)?;
        Ok(Chain { links, router, model, outputs: self.outputs })
    }

    fn predictor(
        &self,
        section: &Section,
        format: &Format,
        scorers: &mut usize,
    ) -> Result<Predictor, Reason> {
        let mut steps: Vec<ChainStep> = Vec::with_capacity(section.steps.len());
        let mut fields: Vec<Vec<Field>> = Vec::with_capacity(section.steps.len());
        for (at, step) in section.steps.iter().enumerate() {
            let StagePlan { operator, columns, .. } = &self.stages[step.stage()];
            match step {
                Step::Extractor(_) => {
                    let extractor = Extractor::new(operator.clone())?;
                    fields.push(extractor.shape().clone());
                    steps.push(ChainStep::Extractor(Box::new(extractor)));
                }
                Step::Scorer { stage, inputs } => {
                    let wrong = |reason| GraphError::Columns { place: self.place(*stage), reason };
                    let given = inputs.iter().map(|input| (*input, fields[*input].as_slice()));
                    let given: Vec<_> = given.collect();
                    let columns = Columns::new(&given, columns).map_err(wrong)?;
                    let scorer = Scorer::new(operator.clone(), columns.fields.clone())?;
                    let is_input = section.is_input(at);
                    fields.push(match is_input {
                        true => prediction_fields(scorer.name(), scorer.shape()).map_err(wrong)?,
                        false => Vec::new(),
                    });
                    let (inputs, number) = (inputs.clone(), *scorers);
                    *scorers += 1;
                    let step = ScorerStep { scorer, inputs, columns, is_input, number };
                    steps.push(ChainStep::Scorer(Box::new(step)));
                }
            }
        }
        let leaves = section.leaves.clone();
        let stages = leaves.iter().map(|leaf| &self.stages[section.steps[*leaf].stage()]);
        let model = models_of(stages);
        let writer = Writer::new(format, &self.predicting(section, &steps), self.context)?;
        Ok(Predictor { steps, leaves, writer, model })
    }

    /// The scorers whose predictions leave a section.
    fn predicting<'b>(&'b self, section: &Section, steps: &'b [ChainStep]) -> Vec<Predicting<'b>> {
        let leaves = section.leaves.iter().filter_map(|leaf| match &steps[*leaf] {
            ChainStep::Scorer(step) => Some(Predicting {
                stage: step.scorer.name(),
                output: step.scorer.shape(),
                model: self.stages[section.steps[*leaf].stage()].model.as_deref().unwrap_or("none"),
            }),
            ChainStep::Extractor(_) => None,
        });
        leaves.collect()
    }

    /// Where a stage stands in the manifest.
    fn place(&self, stage: usize) -> Place {
        let operator = &self.stages[stage].operator;
        let (name, world) = (operator.stage.to_string(), operator.component.world());
        Place::Stage { number: stage + 1, name, world }
    }
}

impl Chain {
    /// How many features each extractor makes, by its stage.
    pub(crate) fn features(&self) -> std::collections::BTreeMap<Arc<str>, usize> {
        let mut features = std::collections::BTreeMap::new();
        for link in &self.links {
            let Link::Predictor(predictor) = link else { continue };
            for step in &predictor.steps {
                if let ChainStep::Extractor(extractor) = step {
                    features.insert(extractor.name().clone(), extractor.shape().len());
                }
            }
        }
        features
    }
}
