//! Where outputs go by what they say: the routes of `[sink]`, and keys and headers that are not
//! those of the record.
//!
//! A pipeline that has none of these has no [`Router`]. Conditions and templates are compiled once
//! for each worker; for a record only that is prepared which they name.

mod error;
mod facts;

use expressions::Expression;
use sandbar_manifest::{Manifest, Matching, Otherwise};
use sandbar_record::{Batch, Code, Record, Variant};
use sandbar_sandbox::CallError;

use crate::encoding::{Predicting, Prediction, SchemaContext, TopicSchema, Writer};
use crate::outcome::{Outcome, Placed, too_large};
pub use error::RouteError;
use facts::{Facts, Vocabulary};

/// Bytes that an output takes besides its content.
const RECORD: usize = 200;
/// What stands in place of a stage where an output cannot be written.
const STAGE: &str = "sink";

/// What the manifest says of a pipeline's outputs, with the topics as indices into the plan's.
#[derive(Debug, Clone)]
pub(crate) struct RoutePlan {
    routes: Vec<(String, DestinationPlan)>,
    matching: Matching,
    /// Where goes what no route takes; `None`: it is dropped.
    otherwise: Option<DestinationPlan>,
}

#[derive(Debug, Clone)]
struct DestinationPlan {
    /// As errors name it.
    place: String,
    topic: usize,
    format: Option<sandbar_manifest::Format>,
    key: Option<String>,
    headers: Vec<(String, String)>,
}

/// Decides where the outputs of one worker go.
#[derive(Debug)]
pub(crate) struct Router {
    vocabulary: Vocabulary,
    routes: Vec<(Expression, Destination)>,
    matching: Matching,
    otherwise: Option<Destination>,
}

/// Where an output goes, and how it is written for that.
#[derive(Debug)]
struct Destination {
    place: String,
    topic: usize,
    /// `None`: as all others.
    writer: Option<Writer>,
    key: Option<Writer>,
    headers: Vec<(String, Writer)>,
}

/// The key and the headers of one output, in the order of the destination's.
struct Texts {
    key: Option<Vec<u8>>,
    headers: Vec<Vec<u8>>,
}

/// An output that is to be written.
pub(crate) struct Item<'f, 'a> {
    /// The record that it is of, and where that is.
    pub(crate) record: Record<'a>,
    pub(crate) batch: usize,
    pub(crate) index: u32,
    pub(crate) origin: u32,
    /// The predictions for it by scorer; for a record that goes on as it is, of none.
    pub(crate) predictions: &'f dyn Fn(usize) -> Prediction<'a>,
    /// How many of them there are.
    pub(crate) scorers: usize,
    /// How they are written where a route does not say; `None` for a record.
    pub(crate) writer: Option<&'f Writer>,
}

impl RoutePlan {
    /// That of a manifest; `None` if everything goes to one topic with the keys and headers of the
    /// records. `place` puts a topic among the plan's.
    pub(crate) fn of(manifest: &Manifest, mut place: impl FnMut(&str) -> usize) -> Option<Self> {
        let sink = &manifest.sink;
        if sink.routes.is_empty() && sink.key.is_none() && sink.headers.is_empty() {
            return None;
        }
        let texts = |(name, text): (&String, &String)| (name.clone(), text.clone());
        let otherwise = (sink.otherwise == Otherwise::Topic).then(|| DestinationPlan {
            place: "[sink]".to_owned(),
            topic: place(&sink.topic),
            format: None,
            key: sink.key.clone(),
            headers: sink.headers.iter().map(texts).collect(),
        });
        let routes = sink.routes.iter().enumerate().map(|(index, route)| {
            let inherited =
                sink.headers.iter().filter(|(name, _)| !route.headers.contains_key(*name));
            let to = DestinationPlan {
                place: format!("[[sink.routes]] number {}", index + 1),
                topic: place(&route.topic),
                format: manifest.route_format(route),
                key: route.key.as_ref().or(sink.key.as_ref()).cloned(),
                headers: inherited.chain(&route.headers).map(texts).collect(),
            };
            (route.when.clone(), to)
        });
        Some(RoutePlan { routes: routes.collect(), matching: sink.matching, otherwise })
    }

    /// Fits it to the predictions of these scorers; of none, if the outputs are records.
    ///
    /// # Errors
    /// If a condition or a template names what there is not.
    pub(crate) fn fit(
        &self,
        scorers: &[Predicting<'_>],
        context: &SchemaContext,
    ) -> Result<Router, RouteError> {
        let vocabulary = Vocabulary::of(scorers);
        let routes = self.routes.iter().map(|(when, to)| {
            let condition = Expression::condition(when, &vocabulary.scope)
                .map_err(|problem| RouteError::Condition { place: to.place.clone(), problem })?;
            Ok((condition, to.fit(scorers, context)?))
        });
        let routes = routes.collect::<Result<_, RouteError>>()?;
        let otherwise = self.otherwise.as_ref().map(|to| to.fit(scorers, context)).transpose()?;
        Ok(Router { vocabulary, routes, matching: self.matching, otherwise })
    }
}

impl DestinationPlan {
    fn fit(
        &self,
        scorers: &[Predicting<'_>],
        context: &SchemaContext,
    ) -> Result<Destination, RouteError> {
        let place = |key: &str| format!("{}: {key}", self.place);
        let text = |key: &str, text: &str| {
            Writer::text(text, scorers)
                .map_err(|error| RouteError::Template { place: place(key), error })
        };
        let writer =
            match &self.format {
                Some(_) if scorers.is_empty() => {
                    return Err(RouteError::Records { place: self.place.clone() });
                }
                Some(format) => {
                    let writer = Writer::new(format, scorers, context);
                    Some(writer.map_err(|error| RouteError::Template {
                        place: self.place.clone(),
                        error,
                    })?)
                }
                None => None,
            };
        let key = self.key.as_ref().map(|key| text("key", key)).transpose()?;
        let headers = self.headers.iter().map(|(name, template)| {
            Ok((name.clone(), text(&format!("headers.{name}"), template)?))
        });
        let headers = headers.collect::<Result<_, RouteError>>()?;
        let (place, topic) = (self.place.clone(), self.topic);
        Ok(Destination { place, topic, writer, key, headers })
    }
}

impl Router {
    /// The schemas by which routes write, each with the place of its route.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = (&str, &TopicSchema)> {
        let destinations = self.routes.iter().map(|(_, to)| to).chain(&self.otherwise);
        destinations.filter_map(|to| Some((to.place.as_str(), to.writer.as_ref()?.schema()?)))
    }

    /// Writes an output to where it belongs; `false`: it cannot be, and its record has failed.
    /// Records with a key or headers of their own are put into `made`, which will be at `place`
    /// of [`Outcome::derived`].
    ///
    /// # Errors
    /// If too much is made of the batch.
    pub(crate) fn take(
        &self,
        item: &Item<'_, '_>,
        made: &mut Batch,
        place: usize,
        outcome: &mut Outcome,
    ) -> Result<bool, CallError> {
        let Item { record, predictions, .. } = item;
        let facts = Facts { vocabulary: &self.vocabulary, record, predictions };
        let (outputs, values) = (outcome.outputs.len(), outcome.values.len());
        let mut taken = false;
        let mut failed = None;
        for (condition, to) in &self.routes {
            match condition.holds(&facts) {
                Ok(false) => continue,
                Ok(true) => {}
                Err(fault) => {
                    failed = Some(format!("{}: when: {}", to.place, condition.explain(&fault)));
                    break;
                }
            }
            taken = true;
            failed = to.write(item, made, place, outcome)?.err();
            if failed.is_some() || self.matching == Matching::First {
                break;
            }
        }
        if !taken && failed.is_none() {
            match &self.otherwise {
                Some(to) => failed = to.write(item, made, place, outcome)?.err(),
                None => outcome.unrouted += 1,
            }
        }
        let Some(message) = failed else { return Ok(true) };
        // None of its outputs leaves.
        outcome.outputs.truncate(outputs);
        outcome.values.truncate(values);
        outcome.fail(item.origin, &STAGE.into(), Code::Sink, message);
        Ok(false)
    }
}

impl Destination {
    /// Adds an output; the inner error says why it cannot be written.
    fn write(
        &self,
        item: &Item<'_, '_>,
        made: &mut Batch,
        place: usize,
        outcome: &mut Outcome,
    ) -> Result<Result<(), String>, CallError> {
        let predictions = || (0..item.scorers).map(item.predictions);
        let start = outcome.values.len();
        let writer = self.writer.as_ref().or(item.writer);
        let value = match writer {
            Some(writer) => {
                if let Err(error) = writer.encode(&item.record, predictions(), &mut outcome.values)
                {
                    return Ok(Err(match self.writer {
                        Some(_) => error.at(&format!("{}: template", self.place)),
                        None => error.to_string(),
                    }));
                }
                Some(start..outcome.values.len())
            }
            None => None,
        };
        let written = outcome.values.len() - start;
        outcome.take_room(written + RECORD, &STAGE.into())?;
        let (mut batch, mut index) = (item.batch, item.index);
        if self.key.is_some() || !self.headers.is_empty() {
            let texts = match self.texts(item) {
                Ok(texts) => texts,
                Err(message) => return Ok(Err(message)),
            };
            (batch, index) = (place, made.len() as u32);
            self.push(item, &texts, made, outcome)?;
        }
        outcome.outputs.push(Placed {
            origin: item.origin,
            topic: self.topic,
            batch,
            index,
            value,
            variant: Variant::Serving,
            schema: writer.map(|writer| writer.header().clone()).unwrap_or_default(),
        });
        Ok(Ok(()))
    }

    /// The key, if it has one of its own, and the headers.
    fn texts(&self, item: &Item<'_, '_>) -> Result<Texts, String> {
        let text = |name: &str, writer: &Writer| {
            let (predictions, mut text) = ((0..item.scorers).map(item.predictions), Vec::new());
            let written = writer.encode(&item.record, predictions, &mut text);
            written.map_err(|error| error.at(&format!("{}: {name}", self.place)))?;
            Ok::<_, String>(text)
        };
        let key = self.key.as_ref().map(|key| text("key", key)).transpose()?;
        let headers =
            self.headers.iter().map(|(name, writer)| text(&format!("headers.{name}"), writer));
        Ok(Texts { key, headers: headers.collect::<Result<_, String>>()? })
    }

    /// Adds the record with its own key and headers, and the value that it has without a
    /// prediction.
    fn push(
        &self,
        item: &Item<'_, '_>,
        texts: &Texts,
        made: &mut Batch,
        outcome: &mut Outcome,
    ) -> Result<(), CallError> {
        let record = &item.record;
        let key = texts.key.as_deref().or(record.key());
        let value = if item.writer.is_none() { record.value() } else { None };
        let own = self.headers.iter().zip(&texts.headers);
        let own = own.map(|((name, _), text)| (name.as_str(), Some(text.as_slice())));
        let is_own = |name: &str| self.headers.iter().any(|(own, _)| own == name);
        let headers = record.headers().filter(|(name, _)| !is_own(name)).chain(own);
        let of_header =
            |(name, value): (&str, Option<&[u8]>)| name.len() + value.map_or(0, <[u8]>::len) + 8;
        let bytes = key.map_or(0, <[u8]>::len)
            + value.map_or(0, <[u8]>::len)
            + headers.clone().map(of_header).sum::<usize>();
        outcome.take_room(bytes, &STAGE.into())?;
        if !made.fits(bytes) {
            return Err(too_large(&STAGE.into()));
        }
        made.push(record.offset(), record.timestamp(), key, value, headers);
        Ok(())
    }
}
