//! The stages of a pipeline, one after the other, over one batch.
//!
//! A chain is a row of [`Link`]s: transformers, and `predict`ors, which are extractors and scorers
//! of the same records ([`crate::graph`] says which read which). Between two links there are
//! records (`stream`).

mod predict;
mod rows;
mod stream;
mod transform;

use std::sync::Arc;

use sandbar_record::{Batch, SchemaHeader, Variant};
use sandbar_sandbox::{CallError, OutputSchema, Usage};

use crate::encoding::{Prediction, TopicSchema};
use crate::outcome::{Outcome, Placed};
use crate::routing::{Item, Router};
pub(crate) use predict::{Predictor, ScorerStep, Step};
pub use stream::Input;
use stream::{Made, Stream};
pub(crate) use transform::Routed;

/// The stages of one worker, with their warm instances.
pub struct Chain {
    pub(crate) links: Vec<Link>,
    /// Where outputs go, if not all to one topic with the keys and headers of their records.
    pub(crate) router: Option<Router>,
    /// The models whose predictions leave it, `name@version`.
    pub(crate) model: Option<Arc<str>>,
    /// Bytes that what is made of one batch may take.
    pub(crate) outputs: usize,
}

/// What records go through.
pub(crate) enum Link {
    Transformer(Box<Routed>),
    Predictor(Predictor),
}

impl Chain {
    /// The scorers, in the order of the pipeline.
    pub(crate) fn scorers(&self) -> impl Iterator<Item = &ScorerStep> {
        let predictors = self.links.iter().filter_map(|link| match link {
            Link::Predictor(predictor) => Some(predictor),
            Link::Transformer(_) => None,
        });
        predictors.flat_map(|predictor| &predictor.steps).filter_map(|step| match step {
            Step::Scorer(scorer) => Some(&**scorer),
            Step::Extractor(_) => None,
        })
    }

    /// The schemas by which outputs are written, each with the place in the manifest that says so.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = (&str, &TopicSchema)> {
        let own = match self.links.last() {
            Some(Link::Predictor(predictor)) => predictor.writer.schema(),
            _ => None,
        };
        let routed = self.router.iter().flat_map(Router::schemas);
        own.map(|schema| ("[sink]", schema)).into_iter().chain(routed)
    }

    /// What each scorer's predictions are made of, by its stage's name.
    pub(crate) fn shapes(&self) -> Vec<(Arc<str>, OutputSchema)> {
        let shape = |it: &ScorerStep| (it.scorer.name().clone(), it.scorer.shape().clone());
        self.scorers().map(shape).collect()
    }

    /// What each stage has used, by its name.
    pub(crate) fn usage(&self) -> Vec<(Arc<str>, Usage)> {
        let mut usage = Vec::new();
        for link in &self.links {
            match link {
                Link::Transformer(routed) => {
                    let transformer = &routed.transformer;
                    usage.push((transformer.name().clone(), transformer.usage()));
                }
                Link::Predictor(predictor) => usage.extend(predictor.steps.iter().map(Step::usage)),
            }
        }
        usage
    }

    /// Takes a batch through all stages. With an error, `outcome` holds nothing.
    ///
    /// # Errors
    /// If a stage's call failed for the batch; which of its records is to blame
    /// is not known then.
    pub fn process(&mut self, batch: &Batch, outcome: &mut Outcome) -> Result<(), CallError> {
        self.process_input(&Input::whole(batch), outcome)
    }

    /// The same for some of a batch, or for its external payloads.
    ///
    /// # Errors
    /// As [`Chain::process`].
    pub fn process_input(
        &mut self,
        input: &Input<'_>,
        outcome: &mut Outcome,
    ) -> Result<(), CallError> {
        outcome.clear();
        outcome.models[Variant::Serving as usize].clone_from(&self.model);
        outcome.room = self.outputs;
        let result = self.run(input, outcome);
        match &result {
            Ok(()) => {
                // A record may fail more than once, if it was multiplied, or several stages read it:
                // the stage that comes first is named.
                outcome.failures.sort_by_key(|failure| failure.record);
                outcome.failures.dedup_by_key(|failure| failure.record);
            }
            Err(_) => outcome.clear(),
        }
        result
    }

    fn run(&mut self, input: &Input<'_>, outcome: &mut Outcome) -> Result<(), CallError> {
        let Input { source, batch, origins } = *input;
        let mut links = self.links.iter_mut().peekable();
        let mut before: Option<Made> = None;
        while let Some(link) = links.next() {
            let held = before.as_ref().map(|made| made.take(outcome));
            let stream = match (&before, &held) {
                (Some(made), Some(batch)) => made.stream(source, batch),
                _ => Stream { source, batch, place: 0, origins },
            };
            let made = match link {
                Link::Transformer(transformer) => Some(transformer.run(&stream, outcome)?),
                Link::Predictor(predictor) if links.peek().is_some() => {
                    Some(predictor.pass_on(&stream, outcome)?)
                }
                Link::Predictor(predictor) => {
                    match &self.router {
                        None => predictor.deliver(&stream, outcome)?,
                        Some(router) => predictor.route(router, &stream, outcome)?,
                    }
                    None
                }
            };
            if let (Some(made), Some(batch)) = (&before, held) {
                made.put_back(batch, outcome);
            }
            let Some(made) = made else { return Ok(()) };
            before = Some(made);
        }
        let router = self.router.as_ref();
        match before {
            None => {
                let stream = Stream { source, batch, place: 0, origins };
                deliver_records(router, &stream, outcome)
            }
            Some(made) => {
                let batch = made.take(outcome);
                let result = deliver_records(router, &made.stream(source, &batch), outcome);
                made.put_back(batch, outcome);
                result
            }
        }
    }
}

/// Records that are left at the end go to the sink as they are.
fn deliver_records(
    router: Option<&Router>,
    stream: &Stream<'_>,
    outcome: &mut Outcome,
) -> Result<(), CallError> {
    let records = 0..stream.batch.len() as u32;
    if let Some(router) = router {
        let Batch { topic, partition, .. } = stream.batch;
        let mut made = Batch::new(topic.clone(), *partition, 0);
        let place = outcome.derived.len() + 1;
        let none = |_| Prediction { label: None, values: &[] };
        for number in records {
            let ((record, index), origin) = (stream.record(number), stream.origin(number));
            let (batch, predictions) = (stream.place, &none);
            let item = Item { record, batch, index, origin, predictions, scorers: 0, writer: None };
            router.take(&item, &mut made, place, outcome)?;
        }
        outcome.derived.push(made);
        return Ok(());
    }
    outcome.outputs.extend(records.map(|index| Placed {
        origin: stream.origin(index),
        topic: 0,
        batch: stream.place,
        index,
        value: None,
        variant: Variant::Serving,
        schema: SchemaHeader::Kept,
    }));
    Ok(())
}
